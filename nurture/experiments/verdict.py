"""The verdict on an experiment: what its arms tell so far, and the winner or what is still missing for one."""

from collections.abc import Sequence
from typing import NamedTuple

from nurture.experiments.beliefs import Belief, Interval, best, lift
from nurture.experiments.pick import Pick
from nurture.experiments.rates import chance_of_shares, wilson

LEAST_CHANCE = 0.001
"""Shares that chance brings about more seldom than this are a fault of the experiment, not chance."""


class Count(NamedTuple):
    """The leads of an arm: those that entered it, those whose time to reach the goal is over, and who of these reached it."""

    arm: str
    weight: float
    entered: int = 0
    measured: int = 0
    converted: int = 0


class Arm(NamedTuple):
    """An arm and what its counts tell; `lift` is over the first arm, `by` what was seen and `lift` what it may be."""

    counted: Count
    rate: float | None
    between: Interval
    best: float
    by: float | None
    lift: Interval | None


class Verdict(NamedTuple):
    """What can be said: `missing` is empty when the rule picks the `winner`; `chance` is that of shares as far off as these."""

    arms: tuple[Arm, ...]
    chance: float
    winner: str | None
    missing: tuple[str, ...]

    @property
    def shares_hold(self) -> bool:
        """Whether leads came into the arms in their shares."""
        return self.chance >= LEAST_CHANCE


def picked(rule: Pick, counts: Sequence[Count]) -> tuple[str | None, tuple[str, ...]]:
    """The arm that the rule picks by these counts, or else what is missing for one."""
    chance = _chance(counts)
    missing: list[str] = []
    if chance < LEAST_CHANCE:
        missing.append("leads did not come into the arms in their shares: find out why, and begin a new experiment")
    if rule.after is None:
        missing.append("only a person decides it")
        return None, tuple(missing)
    few = [one for one in counts if one.measured < rule.after]
    if few:
        missing += [f"{one.arm} has measured {one.measured} of {rule.after} leads" for one in few]
        return None, tuple(missing)
    chances = best([Belief(one.converted, one.measured) for one in counts])
    top = max(range(len(counts)), key=lambda at: chances[at])
    if chances[top] < rule.sure:
        missing.append(f"{counts[top].arm} is best with {chances[top]:.1%}, and {rule.sure * 100:g}% is asked for")
    return (None, tuple(missing)) if missing else (counts[top].arm, ())


def verdict(rule: Pick, counts: Sequence[Count]) -> Verdict:
    """All that the counts of an experiment tell, arm by arm in their order."""
    beliefs = [Belief(one.converted, one.measured) for one in counts]
    arms = [
        Arm(
            one,
            _rate(one),
            wilson(one.converted, one.measured),
            chance,
            None if at == 0 else _by(one, counts[0]),
            None if at == 0 else lift(beliefs[at], beliefs[0]),
        )
        for at, (one, chance) in enumerate(zip(counts, best(beliefs), strict=True))
    ]
    winner, missing = picked(rule, counts)
    return Verdict(tuple(arms), _chance(counts), winner, missing)


def _chance(counts: Sequence[Count]) -> float:
    return chance_of_shares([one.entered for one in counts], [one.weight for one in counts])


def _rate(one: Count) -> float | None:
    return one.converted / one.measured if one.measured else None


def _by(one: Count, first: Count) -> float | None:
    """By how much of itself the first arm's rate is surpassed, as counted; None when there is nothing to surpass."""
    rate, usual = _rate(one), _rate(first)
    return rate / usual - 1 if rate is not None and usual else None
