"""What the workflows ask of the world; the activities implement it. One message in, one out, ids only."""

from abc import ABC, abstractmethod
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from nurture.journey import AnyReply, Journey
from nurture.pace import Pace


class WalkOrder(BaseModel):
    """Make the moves up to the next rest: from `position`, where the last walk ended, with the `news` since.

    One that may not touch ends before a touch as well.
    """

    model_config = ConfigDict(frozen=True)

    journey_id: str
    lead_id: str
    version: str
    pace: Pace
    position: Journey
    news: tuple[AnyReply, ...] = ()
    now: datetime
    may_touch: bool = True


class Walked(BaseModel):
    """Every reply since the order's position, its news among them: folding them gives where the journey rests now."""

    model_config = ConfigDict(frozen=True)

    replies: tuple[AnyReply, ...]


class JourneyPort(ABC):
    """Moves a journey through its states."""

    @activity.defn
    @abstractmethod
    async def walk(self, order: WalkOrder) -> Walked:
        """Make every move up to the next rest, at most one of them a touch; made again, the same replies come back."""


class PageOrder(BaseModel):
    """Take the next page of a bulk run."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    now: datetime


class Paged(BaseModel):
    """The next page comes no sooner than at `until`, without it when the run is woken; with an `ending` none comes."""

    model_config = ConfigDict(frozen=True)

    until: datetime | None = None
    ending: str = ""


class BulkPort(ABC):
    """Takes an audience into a campaign or a mailing."""

    @activity.defn
    @abstractmethod
    async def page(self, order: PageOrder) -> Paged:
        """Take the next leads of the run; whoever an earlier attempt has taken is not taken again."""


class ClockOrder(BaseModel):
    """Look at what is due about a hand-off."""

    model_config = ConfigDict(frozen=True)

    hand_off_id: str
    now: datetime


class Attended(BaseModel):
    """What is next comes at `until`, without it only when somebody stirs; with an `ending` nothing does any more."""

    model_config = ConfigDict(frozen=True)

    until: datetime | None = None
    ending: str = ""


class HandOffPort(ABC):
    """Sees to it that sales answers."""

    @activity.defn
    @abstractmethod
    async def attend(self, order: ClockOrder) -> Attended:
        """Do what is due and tell who is to know; done again, nobody is told twice."""
