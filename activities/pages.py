"""What a page of a bulk run is to whoever takes it: which leads, and how far that brings the run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from activities.equipment import Equipment
from nurture.audiences import Audience
from nurture.store import Session
from nurture.store.audiences import members
from nurture.store.models import BulkRunRow


@dataclass(frozen=True)
class Page:
    """Leads to be taken: those of `again` a second time, the others in order of ids up to `cursor`."""

    lead_ids: tuple[str, ...]
    cursor: str
    exhausted: bool
    again: tuple[str, ...] = ()

    @property
    def leads(self) -> int:
        """How many there are."""
        return len(self.lead_ids) + len(self.again)


@dataclass(frozen=True)
class Taken:
    """What became of a page: how far it got, so many of each kind, and whether the next had better wait."""

    cursor: str
    exhausted: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    rest_until: datetime | None = None


class Taker(ABC):
    """Takes pages of one run; `clock` tells the time of the server that ordered the page."""

    def __init__(self, equipment: Equipment, run: BulkRunRow, clock: Callable[[], datetime]) -> None:
        self.equipment, self.run, self.clock = equipment, run, clock

    async def pick(self, session: Session, size: int) -> Page:
        """The next page."""
        run = self.run
        if run.exhausted:
            return Page((), run.cursor, exhausted=True)
        audience = Audience.model_validate(run.written["audience"])
        found = await members(session, audience, run.cursor, size, self.clock(), run.pace)
        return Page(tuple(found.lead_ids), found.cursor, found.exhausted)

    async def next_due(self, session: Session) -> datetime | None:
        """When somebody has to be taken again; None when nobody has."""
        return None

    @abstractmethod
    async def take(self, page: Page) -> Taken:
        """Take the leads; done again, whoever was taken stays taken once."""

    async def close(self, session: Session) -> None:
        """The run was cancelled: let go of what is still to be done."""
        return
