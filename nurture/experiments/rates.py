"""Rates: what was counted, with the interval that it may stand for; and whether leads came in their shares."""

from collections.abc import Sequence
from math import erfc, exp, lgamma, log, sqrt
from statistics import NormalDist

from nurture.experiments.beliefs import Interval


def wilson(successes: int, trials: int, sure: float = 0.95) -> Interval:
    """Wilson's interval of a rate; all there is when nothing was tried."""
    if not trials:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + sure) / 2)
    rate, spread = successes / trials, z * z / trials
    middle = (rate + spread / 2) / (1 + spread)
    half = sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return Interval(
        0.0 if not successes else max(0.0, middle - half), 1.0 if successes == trials else min(1.0, middle + half)
    )


def difference(changed: tuple[int, int], usual: tuple[int, int], sure: float = 0.95) -> Interval:
    """Newcombe's interval of one rate less another, each given as successes and trials."""
    if not changed[1] or not usual[1]:
        return Interval(-1.0, 1.0)
    rates = changed[0] / changed[1], usual[0] / usual[1]
    ours, theirs = wilson(*changed, sure), wilson(*usual, sure)
    by = rates[0] - rates[1]
    low = by - sqrt((rates[0] - ours.low) ** 2 + (theirs.high - rates[1]) ** 2)
    return Interval(low, by + sqrt((ours.high - rates[0]) ** 2 + (rates[1] - theirs.low) ** 2))


def chance_of_shares(counts: Sequence[int], weights: Sequence[float]) -> float:
    """How likely counts so far from their weights, or farther, are by chance (Pearson's chi-squared test)."""
    total, whole = sum(counts), sum(weights)
    if not total or len(counts) < 2:
        return 1.0
    expected = [total * weight / whole for weight in weights]
    if any(not due and count for count, due in zip(counts, expected, strict=True)):
        return 0.0
    squares = sum((count - due) ** 2 / due for count, due in zip(counts, expected, strict=True) if due)
    return _beyond(squares, sum(due > 0 for due in expected) - 1)


def _beyond(squares: float, freedom: int) -> float:
    """The share of the chi-squared distribution beyond that."""
    half, found, step = squares / 2, 0.0, 0.0
    if freedom <= 0 or half <= 0:
        return 1.0
    if freedom % 2:
        found, step = erfc(sqrt(half)), 0.5
    while step < freedom / 2:
        found += exp(step * log(half) - half - lgamma(step + 1))
        step += 1
    return min(found, 1.0)
