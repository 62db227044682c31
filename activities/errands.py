"""An errand: one thing to do outside of our store, so that a crash at any point neither loses nor doubles it."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import NamedTuple

from nurture.errors import NurtureError
from nurture.store import Session


class Settled(NamedTuple):
    """The errand is done, or closed with a reason in `note`."""

    note: str = ""


class Postponed(NamedTuple):
    """Not before then."""

    until: datetime
    note: str


class TryAgain(NurtureError):
    """Not now: the same errand is run again after `delay`; nothing is lost. A `lone` one holds up none but its like."""

    permanent = False

    def __init__(self, message: str, delay: timedelta | None = None, *, lone: bool = False) -> None:
        super().__init__(message)
        self.delay = delay
        self.lone = lone


class Errand(ABC):
    """Prepared in one transaction, run outside of any, recorded in another; one that is postponed is prepared again."""

    @abstractmethod
    async def prepare(self, session: Session, now: datetime) -> Settled | Postponed | None:
        """Note what is about to be done; an answer when there is nothing (more) to do."""

    @abstractmethod
    async def run(self, now: datetime) -> Postponed | None:
        """Do it; an answer when it may not be done yet, and `TryAgain` when it has to be tried again."""

    @abstractmethod
    async def record(self, session: Session, now: datetime) -> Settled:
        """Note how it went."""


class Nothing(Errand):
    """An errand that is not run, for a reason that is recorded."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def prepare(self, session: Session, now: datetime) -> Settled:
        """Closed with the reason."""
        return Settled(self.why)

    async def run(self, now: datetime) -> None:
        """Never asked for."""

    async def record(self, session: Session, now: datetime) -> Settled:
        """Never asked for."""
        return Settled(self.why)
