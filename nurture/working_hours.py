"""Working hours: how long people have had for something, and when they will have had so long, by their own clock."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from nurture.calendar import Window, end_of_quiet, next_opening

NOTHING = timedelta(0)
A_WEEK = timedelta(days=7)
MOST_SPANS = 4000  # more than ten years of days


class WorkingHours(BaseModel):
    """The hours of the day at which people work, in a zone; none at all on `closed` days. Without a window: always."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: Window | None = None
    zone: str = "UTC"
    closed: tuple[date, ...] = ()

    def after(self, start: datetime, length: timedelta) -> datetime:
        """The moment at which people will have worked so long since `start`."""
        left = length
        for opens, closes in self._spans(start):
            if closes is None or closes - opens >= left:
                return opens + left
            left -= closes - opens
        raise ValueError(f"nobody works for so long after {start}: fewer days closed, or longer hours")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How long people have worked from `start` to `end`."""
        worked = NOTHING
        for opens, closes in self._spans(start):
            if opens >= end:
                break
            worked += (end if closes is None else min(closes, end)) - opens
            if closes is None:
                break
        return worked

    def _spans(self, since: datetime) -> Iterator[tuple[datetime, datetime | None]]:
        """The spans of work from then on; the last one never closes if work never stops."""
        if self.window is None:
            yield since, None
            return
        zone = ZoneInfo(self.zone)
        for _ in range(MOST_SPANS):
            opens = next_opening(self.window, since, zone)
            closes = end_of_quiet(self.window, opens, zone)
            assert closes is not None  # it is open
            if opens.astimezone(zone).date() not in self.closed:
                yield opens, closes
            since = closes
