"""What is known of a lead at one moment: the profile, and what happened, for conditions to look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a lead; `at` is when it happened, `received` when it was committed (strictly rising per lead)."""

    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    received: datetime | None = None

    @property
    def heard_at(self) -> datetime:
        """The time that orders it among the lead's events."""
        return self.received or self.at


@dataclass(frozen=True, slots=True)
class Facts:
    """`lead` is a tree of plain values (`{"country": "DE", "score": {"interest": 70}}`); `happened` maps names to events.

    Machine events are not in it: only what people did counts. `pace` tells how many times faster than the calendar
    the journey runs (1 outside development), so that "within 7 days" means seven of its days.
    """

    now: datetime
    lead: Mapping[str, Any]
    happened: Mapping[str, Sequence[Happening]] = field(default_factory=dict)
    pace: float = 1.0

    def events(self, name: str, within: timedelta | None) -> Sequence[Happening]:
        """The lead's events of that name, at most `within` ago."""
        events = self.happened.get(name, ())
        if within is None or not events:
            return events
        try:
            earliest = self.now - within / self.pace
        except OverflowError:  # before all calendars
            return events
        return [event for event in events if event.at > earliest]


def by_name(happenings: Iterable[Happening]) -> dict[str, list[Happening]]:
    """The happenings, sorted into one list a name."""
    found: dict[str, list[Happening]] = {}
    for happening in happenings:
        found.setdefault(happening.name, []).append(happening)
    return found
