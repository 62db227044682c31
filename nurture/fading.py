"""Fading: points that halve with every half-life, kept as one number and the time at which it was that."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf, log2
from typing import NamedTuple

FINEST = 2
"""How many digits of a fading score are seen: what is left of two times 35 points a moment later is 70 still."""

LEAST = 0.5 * 10**-FINEST


class Fade(NamedTuple):
    """Points as they were at a time (Unix seconds), and their half-life (seconds)."""

    points: float
    at: float
    half_life: float

    def left(self, now: float) -> float:
        """What is left of them; before their time nothing has faded yet."""
        return self.points * 2 ** (-max(now - self.at, 0) / self.half_life)

    def plus(self, points: float, dated: float, now: float) -> "Fade":
        """The same at `now`, with points more that date from `dated`."""
        more = Fade(points, dated, self.half_life).left(now)
        return Fade(self.left(now) + more, max(now, self.at), self.half_life)

    @property
    def level(self) -> float:
        """The same as long as nothing is added: their height (log 2) is `level - time / half_life`."""
        return log2(abs(self.points)) + self.at / self.half_life if self.points else -inf

    def reaches(self, points: float) -> float | None:
        """When (Unix seconds) that much of them is left; None when it never is or has been less from the start."""
        if not self.points or points / self.points <= 0 or points / self.points > 1:
            return None
        return self.at + self.half_life * log2(self.points / points)


def edges(points: float) -> tuple[float, ...]:
    """What must be left for a fading score, as it is seen, to turn from or to those points."""
    return tuple(edge for edge in (points - LEAST, points + LEAST) if edge)


def points_now(scores: Mapping[str, float], fading: Mapping[str, Sequence[float]], now: datetime) -> dict[str, float]:
    """The scores as they are seen at `now`; `scores` are as they were when they last changed."""
    if not fading:
        return dict(scores)
    moment = now.timestamp()
    return {**scores, **{key: round(Fade(*fade).left(moment), FINEST) for key, fade in fading.items()}}


def moment_of(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
