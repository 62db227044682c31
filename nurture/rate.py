"""A rate: so many a second, a second's worth of them at once and at least two (a token bucket).

Were it one, whoever comes a moment early or late for its turn would find the one before it in the way, and wait anew.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Turn(NamedTuple):
    """Now; or in so many seconds, when all those that were told so before have had theirs."""

    now: bool
    seconds: float = 0.0


@dataclass(slots=True)
class Rate:
    """At most `per_second`; times are seconds of any clock that only goes forward."""

    per_second: float
    full_at: float = 0.0
    promised: float = 0.0

    def turn(self, now: float) -> Turn:
        """Whether one may go now, and when to come back if not."""
        each = 1 / self.per_second
        full_at = max(self.full_at, now) + each
        if full_at - now <= max(1.0, 2 * each):
            self.full_at = full_at
            return Turn(True)
        self.promised = max(self.promised, now) + each
        return Turn(False, self.promised - now)
