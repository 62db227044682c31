"""One journey as a workflow: ask the interpreter what is next, do it, tell it how it went."""

from collections import deque
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.sandbox_import_notification_policy(workflow.SandboxImportNotificationPolicy.SILENT):
    from nurture.journey import (
        AnyReply,
        Elapsed,
        Ended,
        Heard,
        Journey,
        Rest,
        breaks_in,
        fold,
        gait,
        heeds,
        next_move,
        proceed,
    )
    from nurture.orders import FIRST
    from nurture.pace import Pace
    from nurture.version import Version
    from workflows.ports import JourneyPort, Walked, WalkOrder
    from workflows.queues import urgent_queue

A_WALK = timedelta(seconds=15)  # so that a killed worker is noticed soon
A_LOCAL_WALK = timedelta(seconds=5)
A_LONG_REST = timedelta(days=10 * 365)  # an engine's timer cannot last for ever, a wait until the year 9998 can
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))


class JourneyOrder(BaseModel):
    """A journey to walk: from `position`, with the `news` since and what is still to be listened to."""

    model_config = ConfigDict(frozen=True)

    journey_id: str
    lead_id: str
    pace: Pace
    position: Journey
    priority: int = 3
    news: tuple[AnyReply, ...] = ()
    inbox: tuple[Heard, ...] = ()


@workflow.defn(name="journey")
class JourneyWorkflow:
    """Walks one lead through one version, for as long as it takes."""

    @workflow.init
    def __init__(self, order: JourneyOrder, version: Version) -> None:
        self.order = order
        self.version = version
        self.walked = order.position
        self.news = list(order.news)
        self.journey = fold(self.version, self.walked, self.news)
        self.inbox = deque(order.inbox)

    @workflow.signal
    def hear(self, heard: Heard) -> None:
        """Something the journey listens for has come."""
        self.inbox.append(heard)

    @workflow.run
    async def run(self, order: JourneyOrder, version: Version) -> str:
        """The whole journey; answers how it ended."""
        while True:
            while self.inbox:
                self._listen(self.inbox.popleft())
            match next_move(self.version, self.journey):
                case Ended():
                    return self.journey.ending or ""
                case Rest(until=until):
                    await self._rest(until)
                case _:
                    await self._walk()

    def _listen(self, heard: Heard) -> None:
        if heeds(self.version, self.journey, heard.arm):
            self._told(heard)

    def _told(self, reply: AnyReply) -> None:
        self.journey = proceed(self.version, self.journey, reply)
        self.news.append(reply)

    async def _rest(self, until: datetime | None) -> None:
        if workflow.info().is_continue_as_new_suggested():
            self._go_on_afresh()
        left = None if until is None else min(max(until - workflow.now(), timedelta(0)), A_LONG_REST)
        try:
            await workflow.wait_condition(lambda: bool(self.inbox), timeout=left)
        except TimeoutError:
            if until is not None and left != A_LONG_REST:
                self._told(Elapsed(at=until))

    def _go_on_afresh(self) -> None:
        changes = {"position": self.walked, "news": tuple(self.news), "inbox": tuple(self.inbox)}
        workflow.continue_as_new(args=[self.order.model_copy(update=changes), self.version])

    async def _walk(self) -> None:
        way = gait(self.version, self.journey)
        order = WalkOrder(
            journey_id=self.order.journey_id,
            lead_id=self.order.lead_id,
            version=self.version.hash,
            pace=self.order.pace,
            position=self.walked,
            news=tuple(self.news),
            now=workflow.now(),
            may_touch=way != "local",
        )
        if way != "local":
            done = await self._reach_out(order, urgent=way == "urgent")
        else:
            done = await workflow.execute_local_activity_method(
                JourneyPort.walk,
                order,
                start_to_close_timeout=A_LOCAL_WALK,
                retry_policy=AGAIN,
                local_retry_threshold=A_LOCAL_WALK,  # a longer outage becomes timers, so that signals get in
            )
        if done is not None:
            self.walked = self.journey = fold(self.version, self.walked, done.replies)
            self.news.clear()

    async def _reach_out(self, order: WalkOrder, *, urgent: bool) -> Walked | None:
        """A walk with a touch; None when something was heard that ends it while it is still being tried."""
        walk = workflow.start_activity_method(
            JourneyPort.walk,
            order,
            start_to_close_timeout=A_WALK,
            retry_policy=AGAIN,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            task_queue=urgent_queue(workflow.info().task_queue) if urgent else None,
            priority=Priority(priority_key=FIRST if urgent else self.order.priority),
        )
        await workflow.wait_condition(lambda: walk.done() or self._broken_into())
        cancelled = not walk.done() and walk.cancel()
        try:
            return await walk
        except ActivityError:
            if cancelled:
                return None  # what it did before it was ended stands in the store
            raise

    def _broken_into(self) -> bool:
        return any(breaks_in(one.arm) and heeds(self.version, self.journey, one.arm) for one in self.inbox)
