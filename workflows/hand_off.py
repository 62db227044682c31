"""The clock of a hand-off as a workflow: look at what is due, rest until the next, and end when sales has answered."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

with workflow.unsafe.sandbox_import_notification_policy(workflow.SandboxImportNotificationPolicy.SILENT):
    from nurture.orders import FIRST
    from workflows.ports import Attended, ClockOrder, HandOffPort

A_LOOK = timedelta(seconds=30)  # a mail and a webhook, each as long as it may take
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))


@workflow.defn(name="hand-off")
class HandOffWorkflow:
    """Runs until sales has answered; how the hand-off stands is in the store."""

    def __init__(self) -> None:
        self.stirred = False

    @workflow.signal
    def stir(self) -> None:
        """It was made, answered or given to somebody else."""
        self.stirred = True

    @workflow.run
    async def run(self, hand_off_id: str) -> str:
        """The whole of it; answers how it ended."""
        while True:
            self.stirred = False
            attended = await self._attend(hand_off_id)
            if attended.ending and not self.stirred:
                return attended.ending
            await self._rest(attended.until)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(hand_off_id)

    async def _attend(self, hand_off_id: str) -> Attended:
        return await workflow.execute_activity_method(
            HandOffPort.attend,
            ClockOrder(hand_off_id=hand_off_id, now=workflow.now()),
            start_to_close_timeout=A_LOOK,
            retry_policy=AGAIN,
            priority=Priority(priority_key=FIRST),
        )

    async def _rest(self, until: datetime | None) -> None:
        left = None if until is None else max(until - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self.stirred, timeout=left)
        except TimeoutError:
            return
