"""The one place where our errors become Temporal's: what is tried again, when, and without personal data."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.errands import TryAgain
from nurture.errors import NurtureError
from nurture.logs import places

log = structlog.get_logger()


class Failures(Interceptor):
    """Wraps every activity of a worker."""

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002  # the name is Temporal's
    ) -> ActivityInboundInterceptor:
        """The activity, with its errors translated."""
        return _Translated(next)


class _Translated(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the name is Temporal's
        try:
            return await self.next.execute_activity(input)
        except TryAgain as error:
            self._noted("activity.put_off", error, reason=str(error))
            raise ApplicationError(str(error), type=type(error).__name__, next_retry_delay=error.delay) from None
        except NurtureError as error:
            self._noted("activity.failed", error, reason=str(error))
            raise ApplicationError(str(error), type=type(error).__name__) from None
        except Exception as error:  # noqa: BLE001  # whatever broke is tried again, and seen in the log
            # its text may hold data of a lead (a statement's parameters): the type must do
            self._noted("activity.broke", error, trace=places(error))
            raise ApplicationError("unexpected; see the worker's log", type=type(error).__name__) from None

    @staticmethod
    def _noted(action: str, error: Exception, **about: Any) -> None:
        info = activity.info()
        log.warning(action, workflow=info.workflow_id, attempt=info.attempt, error=type(error).__name__, **about)
