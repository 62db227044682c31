"""What the dispatcher asks of the engine that runs journeys."""

from dataclasses import dataclass
from typing import Protocol

from nurture.journey import Heard, Journey
from nurture.pace import Pace
from nurture.version import Version

FIRST, LAST = 1, 5
"""The priorities of hand-offs, and of what a bulk run entered or takes; a campaign's own is between them."""


@dataclass(frozen=True, slots=True)
class StartOrder:
    """A journey to be run from where it stands; ids only, nothing of the person."""

    journey_id: str
    lead_id: str
    version: Version
    position: Journey
    pace: Pace
    campaign: str
    priority: int


class Journeys(Protocol):
    """The engine that runs journeys, bulk runs and the clocks of hand-offs; out of reach, it raises `Unavailable`."""

    async def start(self, order: StartOrder) -> None:
        """Run the journey; one that runs already is left alone."""

    async def signal(self, journey_id: str, heard: Heard) -> bool:
        """Tell a running journey what was heard; False when no such journey runs."""

    async def forget(self, journey_id: str) -> bool:
        """End the journey and delete all that is kept of it; True once nothing is left, so that it is asked again till then."""

    async def wake(self, run_id: str) -> None:
        """Let the bulk run look again at what it has to do; one that does not run begins to."""

    async def wind(self, hand_off_id: str) -> None:
        """Let the hand-off's clock look again at what is due; one that does not run begins to."""

    async def unwind(self, hand_off_id: str) -> bool:
        """End the hand-off's clock and delete all that is kept of it; True once nothing is left, as with `forget`."""
