"""How fast mail goes to one receiver: halved when it asks for less, a little more with every quiet minute.

So all workers that know when it was last slowed know how fast it goes now, without telling each other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import NamedTuple

FULL = 10.0  # messages a second, at which a receiver without a rate of its own is as free as before
LEAST = 1 / 60
ONE_COMPLAINT = timedelta(seconds=15)  # mails that were under way together are all answered so: that counts once
QUIET = timedelta(minutes=1)
A_LITTLE = 1 / 20  # of the full rate, with every quiet minute: back from anywhere within 20 of them
A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Flow:
    """As it was at `slowed_at`: so many messages a second, None for as fast as they come, and why."""

    rate: float | None = None
    slowed_at: datetime | None = None
    reason: str = ""

    def now(self, full: float, now: datetime) -> float | None:
        """How fast it goes by now; None when it is free again."""
        if self.rate is None or self.slowed_at is None:
            return None
        quiet = max(now - self.slowed_at, timedelta(0)) // QUIET
        rate = self.rate + full * A_LITTLE * quiet
        return None if rate >= full else rate


def slowed(flow: Flow, full: float, reason: str, now: datetime) -> Flow:
    """Half as fast as it went; another such answer a moment later changes nothing."""
    going = flow.now(full, now)
    if going is not None and flow.slowed_at is not None and now - flow.slowed_at < ONE_COMPLAINT:
        return flow
    return Flow(max(LEAST, (going or full) / 2), now, reason)


class Turns(NamedTuple):
    """How many may go, until when the receiver is taken up, and how long until the next one may."""

    granted: int
    taken_until: datetime
    wait: timedelta = timedelta(0)


def turns(taken_until: datetime | None, per_second: float, wanted: int, now: datetime) -> Turns:
    """Up to so many turns: a second's worth of them at once, and at least two, as `nurture.rate` says why."""
    each = timedelta(seconds=1 / per_second)
    burst = max(A_SECOND, 2 * each)
    start = max(taken_until or now, now)
    room = floor((burst - (start - now)) / each + 1e-6)
    if room < 1:
        return Turns(0, start, start + each - burst - now)
    granted = min(wanted, room)
    return Turns(granted, start + each * granted)
