"""One real Temporal server with virtual time for all tests here; a store, a worker and a task queue for each."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy as Policy

from activities.failures import Failures
from activities.walk import JourneyActivities
from nurture.store import Store
from tests.temporal.town import Town
from workflows.connection import register_search_attributes
from workflows.journey import JourneyWorkflow
from workflows.payloads import data_converter

TEMPORAL = Path(sys.executable).parent / "temporal"
STRICT = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "pydantic", "pydantic_core"
    ).with_import_notification_policy(Policy.WARN_ON_DYNAMIC_IMPORT | Policy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH)
)


async def _unknown(key: str) -> str:
    raise KeyError(key)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """The server; versions that its clients store stay in memory, as one process writes and reads them here."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(TEMPORAL),
        data_converter=data_converter(_unknown),
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="10ms"',
        ],
    ) as running:
        await register_search_attributes(running.client)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def town(environment: WorkflowEnvironment, store: Store) -> AsyncIterator[Town]:
    """A town with a worker of its own, whose workflows run in the strict sandbox."""
    town = Town(environment, store, f"test-{uuid4().hex}")
    async with Worker(
        environment.client,
        task_queue=town.settings.task_queue,
        workflows=[JourneyWorkflow],
        activities=[JourneyActivities(town.equipment).walk],
        interceptors=[Failures()],
        workflow_runner=STRICT,
        workflow_failure_exception_types=[Exception],
    ):
        yield town
