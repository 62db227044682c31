"""Beliefs: how often something happens, as far as so many trials tell; which of several is best, and by how much.

Each rate starts as any from 0 to 1, all alike, and is a Beta(1 + successes, 1 + failures) after the trials. All is reckoned
on the scale of log odds, where such a belief is smooth and falls off to both sides, so that a plain grid is exact to about
seven digits for ten trials as for millions.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from math import exp, expm1, inf, lgamma, log, log1p, prod, sqrt
from typing import NamedTuple, TypeAlias

CELLS = 400
MOST_HALVINGS = 60
# Gauss's three places and weights, on a stretch from 0 to 1.
PLACES = (0.5 - sqrt(0.15), 0.5, 0.5 + sqrt(0.15))
WEIGHTS = (5 / 18, 8 / 18, 5 / 18)

Curve: TypeAlias = Callable[[float], float]


class Interval(NamedTuple):
    """From `low` to `high`."""

    low: float
    high: float


class Belief:
    """What so many successes in so many trials tell of a rate."""

    def __init__(self, successes: int, trials: int) -> None:
        if not 0 <= successes <= trials:
            raise ValueError(f"{successes} successes in {trials} trials: there cannot be more, nor fewer than none")
        self.a, self.b = 1.0 + successes, 1.0 + trials - successes
        self._constant = lgamma(self.a + self.b) - lgamma(self.a) - lgamma(self.b)

    def density(self, odds: float) -> float:
        """How likely those log odds are."""
        # Of log(1 + exp(t)) the larger part is taken out, so that nothing overflows.
        sum_of = max(odds, 0.0) + log1p(exp(-abs(odds)))
        return exp(self._constant + self.a * odds - (self.a + self.b) * sum_of)

    def below(self, odds: float) -> float:
        """How likely the log odds are at most these."""
        grid, sums, heights = self.grid, self._sums, self._heights
        if odds <= grid[0]:
            return 0.0
        if odds >= grid[-1]:
            return 1.0
        at = min(bisect_right(grid, odds) - 1, CELLS - 1)
        width = grid[at + 1] - grid[at]
        way = (odds - grid[at]) / width
        # A curve through both ends that leaves and comes in at the density there.
        bend = width * way * (1 - way) * ((1 - way) * heights[at] - way * heights[at + 1])
        return sums[at] + (sums[at + 1] - sums[at]) * way * way * (3 - 2 * way) + bend

    @cached_property
    def grid(self) -> list[float]:
        """Log odds from where nothing is left of the belief on one side to the same on the other."""
        middle, spread = log(self.a / self.b), sqrt(1 / self.a + 1 / self.b)
        low, high = middle - 8 * spread - 25 / self.a, middle + 8 * spread + 25 / self.b
        return [low + (high - low) * at / CELLS for at in range(CELLS + 1)]

    @cached_property
    def _heights(self) -> list[float]:
        return [self.density(odds) for odds in self.grid]

    @cached_property
    def _sums(self) -> list[float]:
        found = [0.0]
        for low, high in pairwise(self.grid):
            found.append(found[-1] + _over(low, high, self.density))
        return [one / found[-1] for one in found]

    def quantile(self, share: float) -> float:
        """The rate that the true one is at most with that probability."""
        return _rate(_where(self.below, share, self.grid[0], self.grid[-1]))

    def interval(self, sure: float = 0.95) -> Interval:
        """The middle of what the rate may be, with that probability."""
        return Interval(self.quantile((1 - sure) / 2), self.quantile((1 + sure) / 2))


def best(beliefs: Sequence[Belief]) -> list[float]:
    """For each, how likely its rate is the highest of all."""
    if len(beliefs) == 1:
        return [1.0]
    edges = sorted({edge for one in beliefs for edge in one.grid})

    def highest(one: Belief) -> Curve:
        others = [other for other in beliefs if other is not one]
        return lambda odds: one.density(odds) * prod(other.below(odds) for other in others)

    found = [_through(one, edges, highest(one)) for one in beliefs]
    return [one / sum(found) for one in found]


def lift(changed: Belief, usual: Belief, sure: float = 0.95) -> Interval:
    """The middle, with that probability, of by how much of itself the changed rate is above the usual one (0.1 is 10 %)."""
    ours, theirs = _parts(changed), _parts(usual)
    # Gone through is the belief that says more: over its grid the other one is smooth.
    narrow = (ours[-1][0] - ours[0][0]) < (theirs[-1][0] - theirs[0][0])

    def below(ratio: float) -> float:
        """How likely the one is at most the other times exp(ratio)."""
        if narrow:
            return 1 - sum(part * usual.below(_times(odds, -ratio)) for odds, part in ours)
        return sum(part * changed.below(_times(odds, ratio)) for odds, part in theirs)

    lowest = min(changed.grid[0], 0.0) - max(usual.grid[-1], 0.0)
    highest = max(changed.grid[-1], 0.0) - min(usual.grid[0], 0.0)
    ends = [_where(below, share, lowest, highest, 1e-6) for share in ((1 - sure) / 2, (1 + sure) / 2)]
    return Interval(*(expm1(one) for one in ends))


def _parts(one: Belief) -> list[tuple[float, float]]:
    """Log odds over all of a belief, each with its part of it."""
    found = []
    for low, high in pairwise(one.grid):
        for place, weight in zip(PLACES, WEIGHTS, strict=True):
            odds = low + (high - low) * place
            found.append((odds, (high - low) * weight * one.density(odds)))
    return found


def _times(odds: float, ratio: float) -> float:
    """The log odds of a rate times exp(ratio)."""
    times = ratio + min(odds, 0.0) - log1p(exp(-abs(odds)))  # the logarithm of that rate
    return inf if times >= 0 else times - log(-expm1(times))


def _rate(odds: float) -> float:
    return 1 / (1 + exp(-odds)) if odds > 0 else exp(odds) / (1 + exp(odds))


def _where(rising: Curve, level: float, low: float, high: float, exact: float = 1e-12) -> float:
    """Where a rising curve comes to that level."""
    for _ in range(MOST_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < level else (low, middle)
        if high - low < exact * max(1.0, abs(low)):
            break
    return (low + high) / 2


def _through(one: Belief, edges: Sequence[float], curve: Curve) -> float:
    """The sum under a curve that is nothing where the belief is nothing, from edge to edge."""
    low, high = one.grid[0], one.grid[-1]
    return sum(_over(left, right, curve) for left, right in pairwise(edges) if left >= low and right <= high)


def _over(low: float, high: float, curve: Curve) -> float:
    width = high - low
    return width * sum(weight * curve(low + width * place) for place, weight in zip(PLACES, WEIGHTS, strict=True))
