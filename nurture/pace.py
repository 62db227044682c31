"""The pace of a journey: how many times faster than the calendar it runs; 1 outside development."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from nurture.errors import BadInput

FASTEST = 1e9
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Pace(BaseModel):
    """Pinned in a journey when it starts: from `origin` on its own calendar runs `factor` times as fast."""

    model_config = ConfigDict(frozen=True)

    origin: datetime
    factor: float = 1.0

    def calendar(self, real: datetime) -> datetime:
        """The journey's own time at a real one."""
        return real if self.factor == 1 else self.origin + (real - self.origin) * self.factor

    def real(self, calendar: datetime) -> datetime:
        """The first real time at which the journey's own calendar shows that, never a moment before it."""
        if self.factor == 1:
            return calendar
        real = self.origin + (calendar - self.origin) / self.factor
        return real if self.calendar(real) >= calendar else real + datetime.resolution

    def after(self, real: datetime, duration: timedelta) -> datetime:
        """The real time when that much of the journey's own time has passed since."""
        return real + (duration if self.factor == 1 else duration / self.factor)


def speed(text: str) -> float:
    """The factor of `1d=1s` (one day lasts one second): 86400."""
    try:
        own, real = (_seconds(part) for part in text.split("="))
        factor = own / real
    except (ValueError, KeyError, ZeroDivisionError) as error:
        raise BadInput(f"speed {text!r} cannot be read: write for example 1d=1s", field="speed") from error
    if not 1 <= factor <= FASTEST:
        raise BadInput(f"speed {text!r} is slower than time or too fast: write for example 1d=1s", field="speed")
    return factor


def _seconds(part: str) -> float:
    number, unit = part.strip()[:-1], part.strip()[-1:]
    return float(number or 1) * UNITS[unit]
