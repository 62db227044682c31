"""Group commit: callers that come while one transaction is being written share the next one.

One commit costs about the same for one item as for a hundred, so the more there is to do, the less each costs.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import IntegrityError

from nurture.errors import NurtureError, Unavailable
from nurture.intake.identities import Raced

MOST_TOGETHER = 1000
MOST_WAITING = 20_000
MOST_TRIES = 3

Item = TypeVar("Item")
Answer = TypeVar("Answer")
log = structlog.get_logger()


@dataclass(slots=True)
class Call(Generic[Item, Answer]):
    """One caller's items, and the promise of their answers."""

    items: Sequence[Item]
    answer: asyncio.Future[list[Answer]]


class GroupCommit(ABC, Generic[Item, Answer]):
    """Writes what its callers bring, in as many transactions at once as it has `writers`; one for a process."""

    def __init__(self, writers: int = 1) -> None:
        self._calls: deque[Call[Item, Answer]] = deque()
        self._waiting = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._most_writers = writers

    @abstractmethod
    async def transaction(self, items: Sequence[Item]) -> list[Answer]:
        """Write the items in one transaction; an answer to each, in their order."""

    @abstractmethod
    def refused(self, item: Item, error: Exception) -> Answer:
        """The answer to an item that cannot be written, even alone."""

    async def commit(self, items: Sequence[Item]) -> list[Answer]:
        """The answers in the order of the items, once they are committed; a bad item harms no other.

        Raises `Unavailable` when the database can take no more: then nothing of it was taken.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too much is waiting to be written: try again in a moment")
        call = Call[Item, Answer](items, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._waiting += len(items)
        self._writers = {one for one in self._writers if not one.done()}
        if len(self._writers) < self._most_writers:
            self._writers.add(asyncio.create_task(self._write()))
        return await call.answer

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writers:
            await asyncio.wait(self._writers)

    async def _write(self) -> None:
        while self._calls:
            calls = [self._calls.popleft()]
            size = len(calls[0].items)
            while self._calls and size + len(self._calls[0].items) <= MOST_TOGETHER:
                calls.append(self._calls.popleft())
                size += len(calls[-1].items)
            await self._answer(calls)
            self._waiting -= size

    async def _answer(self, calls: Sequence[Call[Item, Answer]]) -> None:
        """Write the calls together; whatever goes wrong, every one of them is answered."""
        items = [item for call in calls for item in call.items]
        try:
            answers = await self._together(items)
        except Exception as error:  # noqa: BLE001  # a caller waits for every answer, so each error goes to its callers
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)
            return
        done = 0
        for call in calls:
            if not call.answer.done():
                call.answer.set_result(answers[done : done + len(call.items)])
            done += len(call.items)

    async def _together(self, items: Sequence[Item]) -> list[Answer]:
        for _ in range(MOST_TRIES):
            try:
                return await self.transaction(items)
            except (IntegrityError, Raced):  # another process was quicker with the same lead or event: look again
                continue
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  # one item is to blame, and is found below
                log.warning("intake.group_failed", items=len(items), error=type(error).__name__)
                break
        return [await self._alone(item) for item in items]

    async def _alone(self, item: Item) -> Answer:
        try:
            return (await self.transaction([item]))[0]
        except Unavailable:
            raise
        except NurtureError as error:
            return self.refused(item, error)
        except Exception as error:  # noqa: BLE001  # it would fail again and again: its sender is told, the others go on
            log.error("intake.item_failed", error=type(error).__name__)  # noqa: TRY400  # its text may hold data
            return self.refused(item, error)
