"""In whose skin a message is looked at: somebody made up, or a lead of the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nurture.store import Store
from nurture.store.leads import look_up
from nurture.store.migrate import require_current
from nurture.templates.samples import READERS

TITLES = {"known": "Ann, of whom all is known", "unknown": "somebody of whom nothing is known"}


@dataclass(frozen=True)
class Reader:
    """Who reads; `lead` is what a lead of the store was asked for by."""

    key: str
    title: str
    profile: Mapping[str, Any] = field(repr=False)
    stage: str = "need"
    lead: str = ""


class Readers:
    """Those made up are there at once; the store is opened when a lead is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def all(self) -> list[Reader]:
        """Those made up."""
        return [Reader(key, TITLES[key], profile) for key, profile in READERS.items()]

    def made_up(self, key: str) -> Reader:
        """The one of that key, else the first."""
        return next((one for one in self.all if one.key == key), self.all[0])

    async def of_store(self, name: str) -> Reader:
        """A lead, by id, address, external id or phone."""
        await require_current(self._store)
        async with self._store.read() as session:
            row = await look_up(session, name)
        return Reader("", f"lead {row.email or row.id}", dict(row.profile), row.stage, name)
