"""Intake: what happened, checked and written in group commits."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from nurture.catalogue import Catalogue
from nurture.errors import BadInput, NurtureError
from nurture.intake.group_commit import GroupCommit
from nurture.intake.incoming import Incoming, Prepared, Result, prepared
from nurture.intake.recorder import Recorder
from nurture.intake.room import check_room
from nurture.settings import Settings
from nurture.store import Store


class Intake(GroupCommit[Prepared, Result]):
    """Takes in what happened; one for a process, since its callers share transactions."""

    def __init__(self, store: Store, catalogue: Catalogue, settings: Settings) -> None:
        super().__init__(
            writers=1 if store.sqlite else 2
        )  # on a server one prepares while the other waits for its commit
        self.store = store
        self.recorder = Recorder(catalogue, settings)
        self.limit, self.region = settings.outbox_limit, settings.phone_region

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
            results |= zip(good, await self.commit(list(good.values())), strict=True)
        return [results[at] for at in range(len(items))]

    async def transaction(self, items: Sequence[Prepared]) -> list[Result]:
        """Record the items, as long as the outbox has room."""
        return await self.store.at_once(partial(self._record, items))

    def refused(self, item: Prepared, error: Exception) -> Result:
        """What is wrong with it, and no more."""
        if isinstance(error, NurtureError):
            return Result(item.id, error=error)
        return Result(item.id, error=BadInput(f"it cannot be stored ({type(error).__name__}): send it otherwise"))

    def _record(self, items: Sequence[Prepared], connection: Connection) -> list[Result]:
        check_room(connection, self.limit)
        return self.recorder.record(connection, items)
