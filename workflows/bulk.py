"""A bulk run as a workflow: page by page, until there is nobody left."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

with workflow.unsafe.sandbox_import_notification_policy(workflow.SandboxImportNotificationPolicy.SILENT):
    from nurture.orders import LAST
    from workflows.ports import BulkPort, Paged, PageOrder

A_PAGE = timedelta(minutes=10)  # of a mailing through a channel that takes its time
A_BEAT = timedelta(seconds=5)  # so that a killed worker is noticed soon
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))


@workflow.defn(name="bulk")
class BulkWorkflow:
    """Takes an audience into a campaign or a mailing; how far it has come stands in the store."""

    def __init__(self) -> None:
        self.woken = False

    @workflow.signal
    def wake(self) -> None:
        """It was ordered, resumed or cancelled."""
        self.woken = True

    @workflow.run
    async def run(self, run_id: str) -> str:
        """The whole run; answers how it ended."""
        while True:
            self.woken = False
            paged = await self._page(run_id)
            if paged.ending:
                return paged.ending
            await self._rest(paged.until)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run_id)

    async def _page(self, run_id: str) -> Paged:
        return await workflow.execute_activity_method(
            BulkPort.page,
            PageOrder(run_id=run_id, now=workflow.now()),
            start_to_close_timeout=A_PAGE,
            heartbeat_timeout=A_BEAT,
            retry_policy=AGAIN,
            priority=Priority(priority_key=LAST),
        )

    async def _rest(self, until: datetime | None) -> None:
        left = None if until is None else until - workflow.now()
        if left is not None and left <= timedelta(0):
            return
        try:
            await workflow.wait_condition(lambda: self.woken, timeout=left)
        except TimeoutError:
            return
