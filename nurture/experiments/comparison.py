"""A comparison: leads that took part against those held out, by how many of each reached a goal, with the uncertainty."""

from typing import NamedTuple

from nurture.experiments.beliefs import Belief, Interval, lift
from nurture.experiments.rates import chance_of_shares, difference, wilson
from nurture.experiments.verdict import LEAST_CHANCE


class Group(NamedTuple):
    """Leads of one side: all of them, those whose time to reach the goal is over, and who of these reached it."""

    leads: int = 0
    measured: int = 0
    converted: int = 0

    @property
    def rate(self) -> float | None:
        """The share that reached the goal."""
        return self.converted / self.measured if self.measured else None

    @property
    def belief(self) -> Belief:
        """What is known of the rate by them."""
        return Belief(self.converted, self.measured)

    @property
    def between(self) -> Interval:
        """What the true rate may be."""
        return wilson(self.converted, self.measured)


class Comparison(NamedTuple):
    """Both sides, and how many leads were to be held out by the percent that held when each of them came."""

    took_part: Group
    held_out: Group
    expected: float

    @property
    def lift(self) -> Interval:
        """By how much of itself taking part raises the rate."""
        return lift(self.took_part.belief, self.held_out.belief)

    @property
    def more(self) -> Interval:
        """How many more of those who took part reached the goal than would have without."""
        ours, theirs = self.took_part, self.held_out
        by = difference((ours.converted, ours.measured), (theirs.converted, theirs.measured))
        return Interval(*(one * self.took_part.measured for one in by))

    @property
    def shares_hold(self) -> bool:
        """Whether as many were held out as were to be, as far as chance goes."""
        counts = (self.took_part.leads, self.held_out.leads)
        return chance_of_shares(counts, (sum(counts) - self.expected, self.expected)) >= LEAST_CHANCE

    def words(self) -> str:
        """What it says, plainly."""
        if not self.held_out.measured or not self.took_part.measured:
            who = "held out" if not self.held_out.measured else "that took part"
            return f"nothing can be said yet: there is no lead {who} whose time to reach the goal is over"
        if not self.shares_hold:
            return "the numbers cannot be trusted: not as many leads were held out as should have been"
        low, high = self.lift
        if low > 0:
            return "it helps: more leads reach the goal than do without it"
        if high < 0:
            return "it does harm: fewer leads reach the goal than do without it"
        return "whether it helps cannot be told yet: by these numbers it may as well do harm"
