"""What became of the leads that a sales-ready definition handed over, and which of the two classic failures it shows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

A_WEEK = timedelta(days=7)
MUCH_WASTE = 0.25
LOW_PRECISION = 0.5
A_DROP = 0.5
FEW = 5
"""Fewer than that tell nothing of how sales answers."""


class Taken(NamedTuple):
    """How long the first answer took, in seconds: in the median, and for nine of ten."""

    median: float | None = None
    p90: float | None = None


class Outcome(NamedTuple):
    """One version of a definition in a period; `before` is how many it handed over in the period before that.

    `overdue` are open and past what the team promised. `wall` is time by the calendar, `worked` that of it in working hours.
    """

    definition: str
    version: str
    handed_over: int
    accepted: int = 0
    rejected: int = 0
    recycled: int = 0
    overdue: int = 0
    before: int = 0
    wall: Taken = Taken()
    worked: Taken = Taken()
    reasons: tuple[tuple[str, int], ...] = ()

    @property
    def precision(self) -> float | None:
        """The share of yes among the answers; None before there is one."""
        answers = self.accepted + self.rejected
        return self.accepted / answers if answers else None

    @property
    def wasted(self) -> float | None:
        """The share of what was handed over and left lying."""
        return (self.recycled + self.overdue) / self.handed_over if self.handed_over else None


def failures(outcomes: Sequence[Outcome], period: timedelta, want: float | None = None) -> list[str]:
    """What is wrong with a definition, over its versions: too little comes in, or what comes in is wasted, or is no good.

    Too little is less than the number `want`ed a week; without one, less than half of the period before.
    """
    came, before = sum(one.handed_over for one in outcomes), sum(one.before for one in outcomes)
    left = sum(one.recycled + one.overdue for one in outcomes)
    yes = sum(one.accepted for one in outcomes)
    answers = yes + sum(one.rejected for one in outcomes)
    weekly = came / (period / A_WEEK)
    found = []
    if want is not None and weekly < want:
        found.append(f"too few come in: {weekly:.1f} a week, and {want:g} are wanted")
    elif want is None and before >= FEW and came < before * A_DROP:
        found.append(f"too few come in: {came}, and {before} in the period before")
    if came >= FEW and left >= came * MUCH_WASTE:
        found.append(f"they come in and are wasted: sales has left {left} of {came} without an answer in time")
    if answers >= FEW and yes < answers * LOW_PRECISION:
        found.append(f"they are not what sales wants: it took {yes} of the {answers} it has answered")
    return found
