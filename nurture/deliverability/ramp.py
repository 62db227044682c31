"""A warm-up: how much marketing a new sender may send on each day, so that receivers get to know it."""

from datetime import date, datetime, timedelta
from math import floor, log
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from nurture.calendar import local_date_at

A_DAY = timedelta(days=1)


class Ramp(BaseModel):
    """From the day of its `start`, `first` messages a day, times `growth` every day, until so many a day: then all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: date
    first: int = Field(default=50, ge=1)
    growth: float = Field(default=1.5, ge=1.05, le=10)
    until: int = Field(default=20_000, ge=1)

    def volume(self, day: date) -> int | None:
        """How many may go on that day: none before the start, None for all of them once it is warm."""
        days = (day - self.start).days
        if days < 0:
            return 0
        if days >= self._days:
            return None
        return floor(self.first * self.growth**days + 1e-6)

    @property
    def warm_on(self) -> date:
        """The first day on which all may go."""
        return self.start + self._days * A_DAY

    @property
    def _days(self) -> int:
        """How many days it lasts."""
        if self.first >= self.until:
            return 0
        days = max(0, floor(log(self.until / self.first, self.growth)) - 1)
        while self.first * self.growth**days < self.until - 1e-6:
            days += 1
        return days


def house_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day that it is in the house's zone."""
    return moment.astimezone(zone).date()


def begins(day: date, zone: ZoneInfo) -> datetime:
    """Its first moment in that zone."""
    return local_date_at(day, datetime.min.time(), zone)
