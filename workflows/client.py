"""How others address journeys, bulk runs and clocks on Temporal: start, tell, forget, wake, wind. All of it may be done twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from nurture.errors import Unavailable
from nurture.journey import Heard
from nurture.orders import FIRST, StartOrder
from workflows.bulk import BulkWorkflow
from workflows.hand_off import HandOffWorkflow
from workflows.journey import JourneyOrder, JourneyWorkflow
from workflows.queues import bulk_queue, urgent_queue

Answer = TypeVar("Answer")
CAMPAIGN = SearchAttributeKey.for_keyword("NurtureCampaign")
LEAD = SearchAttributeKey.for_keyword("NurtureLead")
VERSION = SearchAttributeKey.for_keyword("NurtureVersion")
ATTRIBUTES = (CAMPAIGN, LEAD, VERSION)
PATIENCE = timedelta(seconds=5)
JOURNEY, CLOCK = "journey", "hand-off"
PROBLEMS = "'category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut'"
AFTER_ALL_IDS = "g"  # ids are hex digits
PASSING = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.ABORTED,
}


def workflow_id(journey_id: str) -> str:
    """The workflow of a journey."""
    return f"{JOURNEY}:{journey_id}"


def clock_id(hand_off_id: str) -> str:
    """The workflow of a hand-off's clock."""
    return f"{CLOCK}:{hand_off_id}"


async def register_search_attributes(client: Client) -> None:
    """Make campaign, lead and version searchable; where an operator does that (Temporal Cloud), it is left to them."""
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    request = AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes={key.name: keyword for key in ATTRIBUTES}
    )
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status not in (
            RPCStatusCode.ALREADY_EXISTS,
            RPCStatusCode.UNIMPLEMENTED,
            RPCStatusCode.PERMISSION_DENIED,
        ):
            raise


class TemporalJourneys:
    """Journeys, bulk runs and the clocks of hand-offs on Temporal."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._queue = task_queue

    async def start(self, order: StartOrder) -> None:
        """Start the journey's workflow; one that runs is left alone, one that somebody ended is run again from the store."""
        journey = JourneyOrder(
            journey_id=order.journey_id,
            lead_id=order.lead_id,
            pace=order.pace,
            position=order.position,
            priority=order.priority,
        )
        attributes = TypedSearchAttributes(
            [
                SearchAttributePair(CAMPAIGN, order.campaign),
                SearchAttributePair(LEAD, order.lead_id),
                SearchAttributePair(VERSION, order.version.hash[:12]),
            ]
        )
        starting = self._client.start_workflow(
            JourneyWorkflow.run,
            args=[journey, order.version],
            id=workflow_id(order.journey_id),
            task_queue=self._queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=attributes,
            priority=Priority(priority_key=order.priority),
            rpc_timeout=PATIENCE,
        )
        async with _within_reach():
            try:
                await starting
            except WorkflowAlreadyStartedError:
                return
            except RPCError as error:
                if _is_new(error):  # a server that lost everything, or a new one
                    await register_search_attributes(self._client)
                raise

    async def signal(self, journey_id: str, heard: Heard) -> bool:
        """Tell the journey; False when no such workflow runs."""
        handle = self._client.get_workflow_handle(workflow_id(journey_id))
        async with _within_reach():
            return await _known(handle.signal(JourneyWorkflow.hear, heard, rpc_timeout=PATIENCE))

    async def wake(self, run_id: str) -> None:
        """Let the bulk run look again at what it has to do; one that does not run begins to."""
        async with _within_reach():
            await self._client.start_workflow(
                BulkWorkflow.run,
                run_id,
                id=f"bulk:{run_id}",
                task_queue=bulk_queue(self._queue),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal="wake",
                rpc_timeout=PATIENCE,
            )

    async def wind(self, hand_off_id: str) -> None:
        """Let the hand-off's clock look again at what is due; one that does not run begins to."""
        async with _within_reach():
            await self._client.start_workflow(
                HandOffWorkflow.run,
                hand_off_id,
                id=clock_id(hand_off_id),
                task_queue=urgent_queue(self._queue),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal="stir",
                priority=Priority(priority_key=FIRST),
                rpc_timeout=PATIENCE,
            )

    async def forget(self, journey_id: str) -> bool:
        """End the journey's workflow and delete every run of it with its history; True once there is none."""
        return await self._forgotten(workflow_id(journey_id))

    async def unwind(self, hand_off_id: str) -> bool:
        """The same of a hand-off's clock."""
        return await self._forgotten(clock_id(hand_off_id))

    async def _forgotten(self, name: str) -> bool:
        async with _within_reach():
            runs = await self._runs(name)
        for run_id in sorted(runs):
            execution = WorkflowExecution(workflow_id=name, run_id=run_id)
            request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
            async with _within_reach():  # a run that is open is terminated by that
                await _known(self._client.workflow_service.delete_workflow_execution(request, timeout=PATIENCE))
        return not runs

    async def _runs(self, name: str) -> set[str]:
        """Every run that is known: the latest, which the list may not show yet, and all that it shows."""
        listed = self._client.list_workflows(f'WorkflowId = "{name}"', rpc_timeout=PATIENCE)
        runs = {one.run_id async for one in listed}
        latest = await _found(self._client.get_workflow_handle(name).describe(rpc_timeout=PATIENCE))
        return runs | ({latest.run_id} if latest else set())

    async def running(self, after: str, upto: str | None) -> AsyncIterator[str]:
        """The journeys that run, by their ids, of those after the one and up to the other; in any order."""
        last = workflow_id(upto or AFTER_ALL_IDS)
        stretch = f"WorkflowId > '{workflow_id(after)}' AND WorkflowId <= '{last}'"
        async for one in self._listed(JOURNEY, self._queue, stretch):
            yield one

    async def failing(self) -> AsyncIterator[str]:
        """The journeys that run and that no worker can carry on; none from a server too old to tell."""
        try:
            async for one in self._listed(JOURNEY, self._queue, f"TemporalReportedProblems IN ({PROBLEMS})"):
                yield one
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise

    async def bulk_runs(self) -> AsyncIterator[str]:
        """The bulk runs that run, by their ids."""
        async for one in self._listed("bulk", bulk_queue(self._queue), "WorkflowId STARTS_WITH 'bulk:'"):
            yield one

    async def ticking(self, after: str, upto: str | None) -> AsyncIterator[str]:
        """The hand-offs whose clocks run, by their ids, of those after the one and up to the other; in any order."""
        last = clock_id(upto or AFTER_ALL_IDS)
        stretch = f"WorkflowId > '{clock_id(after)}' AND WorkflowId <= '{last}'"
        async for one in self._listed(CLOCK, urgent_queue(self._queue), stretch):
            yield one

    async def _listed(self, kind: str, queue: str, which: str) -> AsyncIterator[str]:
        """What runs of a kind on its queue, by the server's list, which comes a moment after the fact."""
        ours = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running' AND TaskQueue = '{queue}'"
        try:
            async for one in self._client.list_workflows(f"{ours} AND {which}", rpc_timeout=PATIENCE):
                yield one.id.removeprefix(f"{kind}:")
        except (RPCError, TimeoutError) as error:
            raise _understood(error) from error

    async def end(self, journey_id: str, reason: str) -> None:
        """End the journey's workflow at once; one that has ended is left alone."""
        handle = self._client.get_workflow_handle(workflow_id(journey_id))
        async with _within_reach():
            await _known(handle.terminate(reason=reason, rpc_timeout=PATIENCE))


@asynccontextmanager
async def _within_reach() -> AsyncIterator[None]:
    """Have the server answer in time; out of reach, `Unavailable`."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            yield
    except (RPCError, TimeoutError) as error:
        raise _understood(error) from error


async def _known(asked: Awaitable[object]) -> bool:
    """Whether the server knows what it is asked to do something with."""

    async def done() -> bool:
        await asked
        return True

    return bool(await _found(done()))


async def _found(asked: Awaitable[Answer]) -> Answer | None:
    """What the server answers about something; None when it does not know it."""
    try:
        return await asked
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


def _is_new(error: RPCError | TimeoutError) -> bool:
    """Whether the server does not know our search attributes."""
    refused = isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT
    return refused and any(key.name in str(error) for key in ATTRIBUTES)


def _understood(error: RPCError | TimeoutError) -> Exception:
    if isinstance(error, TimeoutError) or error.status in PASSING:
        return Unavailable("Temporal cannot be reached; is the server running at TEMPORAL_ADDRESS?")
    if _is_new(error):
        return Unavailable("Temporal has just been told by what journeys are found; trying again")
    return error
