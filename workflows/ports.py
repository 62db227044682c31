"""What the workflows ask of the world; the activities implement it. One message in, one out, ids only."""

from abc import ABC, abstractmethod
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from nurture.journey import AnyReply, Journey
from nurture.pace import Pace


class WalkOrder(BaseModel):
    """Make the moves up to the next rest: from `position`, where the last walk ended, with the `news` since."""

    model_config = ConfigDict(frozen=True)

    journey_id: str
    lead_id: str
    version: str
    pace: Pace
    position: Journey
    news: tuple[AnyReply, ...] = ()
    now: datetime


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
