"""Group commit: callers that come while one transaction is being written share the next one.

One commit costs about the same for one item as for a hundred, so the more there is to do, the less each costs.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from nurture.catalogue import Catalogue
from nurture.errors import BadInput, NurtureError, Unavailable
from nurture.intake.identities import Raced
from nurture.intake.incoming import Incoming, Prepared, Result, prepared
from nurture.intake.recorder import Recorder
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.bulk import table
from nurture.store.models import OutboxRow
from nurture.store.plain import Statement

IDS = table(OutboxRow).c.id
RANGE = Statement(select(select(func.max(IDS)).scalar_subquery(), select(func.min(IDS)).scalar_subquery()))
DEPTH = Statement(select(func.count(IDS)))
MOST_TOGETHER = 1000
MOST_WAITING = 20_000
MOST_TRIES = 3

log = structlog.get_logger()


@dataclass(slots=True)
class Call:
    """One caller's items, and the promise of their results."""

    items: Sequence[Prepared]
    answer: asyncio.Future[list[Result]]


class Intake:
    """Takes in what happened; one for a process, since its callers share transactions."""

    def __init__(self, store: Store, catalogue: Catalogue, settings: Settings) -> None:
        self.store = store
        self.recorder = Recorder(catalogue, settings)
        self.limit, self.region = settings.outbox_limit, settings.phone_region
        self._calls: deque[Call] = deque()
        self._waiting = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._most_writers = 1 if store.sqlite else 2  # on a server one prepares while the other waits for its commit

    async def accept(self, items: Sequence[Incoming], now: datetime) -> list[Result]:
        """The results in the order of the items, once they are committed; bad items are refused and harm no other.

        Raises `Unavailable` when the database or the outbox can take no more: then nothing of it was taken.
        """
        results: dict[int, Result] = {}
        good: dict[int, Prepared] = {}
        for at, item in enumerate(items):
            try:
                good[at] = prepared(item, now, self.region)
            except BadInput as error:
                results[at] = Result(item.id or "", error=error)
        if good:
            results |= zip(good, await self._commit(list(good.values())), strict=True)
        return [results[at] for at in range(len(items))]

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writers:
            await asyncio.wait(self._writers)

    async def _commit(self, items: Sequence[Prepared]) -> list[Result]:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too much is waiting to be written: try again in a moment")
        call = Call(items, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._waiting += len(items)
        self._writers = {one for one in self._writers if not one.done()}
        if len(self._writers) < self._most_writers:
            self._writers.add(asyncio.create_task(self._write()))
        return await call.answer

    async def _write(self) -> None:
        while self._calls:
            calls = [self._calls.popleft()]
            size = len(calls[0].items)
            while self._calls and size + len(self._calls[0].items) <= MOST_TOGETHER:
                calls.append(self._calls.popleft())
                size += len(calls[-1].items)
            await self._answer(calls)
            self._waiting -= size

    async def _answer(self, calls: Sequence[Call]) -> None:
        """Write the calls together; whatever goes wrong, every one of them is answered."""
        items = [item for call in calls for item in call.items]
        try:
            results = await self._together(items)
        except Exception as error:  # noqa: BLE001  # a caller waits for every answer, so each error goes to its callers
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)
            return
        done = 0
        for call in calls:
            if not call.answer.done():
                call.answer.set_result(results[done : done + len(call.items)])
            done += len(call.items)

    async def _together(self, items: Sequence[Prepared]) -> list[Result]:
        for _ in range(MOST_TRIES):
            try:
                return await self._transaction(items)
            except (IntegrityError, Raced):  # another process was quicker with the same lead or event: look again
                continue
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  # one item is to blame, and is found below
                log.warning("intake.group_failed", items=len(items), error=type(error).__name__)
                break
        return [await self._alone(item) for item in items]

    async def _alone(self, item: Prepared) -> Result:
        try:
            return (await self._transaction([item]))[0]
        except Unavailable:
            raise
        except NurtureError as error:
            return Result(item.id, error=error)
        except Exception as error:  # noqa: BLE001  # it would fail again and again: its sender is told, the others go on
            log.error("intake.item_failed", item=item.id, error=type(error).__name__)  # noqa: TRY400  # its text may hold data
            return Result(item.id, error=BadInput(f"it cannot be stored ({type(error).__name__}): send it otherwise"))

    async def _transaction(self, items: Sequence[Prepared]) -> list[Result]:
        return await self.store.at_once(partial(self._record, items))

    def _record(self, items: Sequence[Prepared], connection: Connection) -> list[Result]:
        self._check_room(connection)
        return self.recorder.record(connection, items)

    def _check_room(self, connection: Connection) -> None:
        # Ids tell at once how many rows there can be at most; they are counted only when that is too many.
        ((newest, oldest),) = RANGE.on(connection)
        if newest is None or newest - oldest + 1 < self.limit:
            return
        ((depth,),) = DEPTH.on(connection)
        if depth >= self.limit:
            raise Unavailable("the outbox is full, since nothing is delivered at present: try again later")
