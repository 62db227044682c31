"""An outage: told once when it begins and once when it is over, however often it is met in between."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from nurture.errors import DatabaseAway, Unavailable

Answer = TypeVar("Answer")
AGAIN_AFTER = 2.0
log = structlog.get_logger()


class Outage:
    """Something that may be away; `begins` and `ends` are the actions in the log."""

    def __init__(self, begins: str, ends: str) -> None:
        self._begins, self._ends = begins, ends
        self._told: set[str] = set()
        self._since = 0.0

    def met(self, reason: str) -> None:
        """It is away; a reason is told once in an outage."""
        if reason in self._told:
            return
        if not self._told:
            self._since = time.monotonic()
        self._told.add(reason)
        log.warning(self._begins, reason=reason)

    def over(self) -> None:
        """It is there (again)."""
        if self._told:
            self._told.clear()
            log.info(self._ends, seconds=round(time.monotonic() - self._since))


async def tried(
    work: Callable[[], Awaitable[Answer]], stop: asyncio.Event, outage: Outage, again_after: float = AGAIN_AFTER
) -> Answer | None:
    """The work's answer, as soon as what it needs is within reach; None when `stop` is set before."""
    while not stop.is_set():
        try:
            answer = await work()
        except DatabaseAway:  # of which the store tells
            await until(stop, again_after)
        except Unavailable as error:
            outage.met(str(error))
            await until(stop, again_after)
        else:
            outage.over()
            return answer
    return None


async def until(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but not longer than that."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
