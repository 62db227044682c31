"""Beliefs about rates, held against exact sums, the closed form of one, and simple laws."""

from math import exp, lgamma, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.experiments.beliefs import Belief, best, lift

COUNTS = st.integers(0, 60).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def exactly_better(one: tuple[int, int], other: tuple[int, int]) -> float:
    """How likely the first rate is above the second: the finite sum for whole counts."""
    (a, b), (c, d) = ((1 + won, 1 + tried - won) for won, tried in (one, other))
    return sum(exp(_log_beta(c + n, b + d) - log(b + n) - _log_beta(1 + n, b) - _log_beta(c, d)) for n in range(a))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


@settings(max_examples=12, deadline=None)
@given(COUNTS, COUNTS)
def test_of_two_arms_the_better_is_as_likely_as_the_exact_sum_says(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    assert best([Belief(*one), Belief(*other)])[0] == pytest.approx(exactly_better(one, other), abs=1e-6)


@settings(max_examples=4, deadline=None)
@given(st.lists(COUNTS, min_size=2, max_size=4))
def test_some_arm_is_best_whatever_order_they_are_told_in(arms: list[tuple[int, int]]) -> None:
    chances = best([Belief(*arm) for arm in arms])

    assert sum(chances) == pytest.approx(1)
    assert best([Belief(*arm) for arm in reversed(arms)]) == pytest.approx(chances[::-1], abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [
        ((0, 0), (0, 0), 0.5),
        ((150, 1000), (120, 1000), 0.975067837),
        ((10_200, 1_000_000), (10_000, 1_000_000), 0.921367011),
        ((1, 1_000_000), (0, 1_000_000), 0.750000100),
        ((500_000, 1_000_000), (1, 3), 0.687499616),
        ((10, 10), (999_990, 1_000_000), 0.000120992),
    ],
)
def test_a_million_leads_are_judged_as_exactly_as_ten(
    one: tuple[int, int], other: tuple[int, int], chance: float
) -> None:
    assert best([Belief(*one), Belief(*other)])[0] == pytest.approx(chance, abs=2e-7)


class Counting(Belief):
    """A belief that remembers how often it was asked."""

    asked = 0

    def density(self, odds: float) -> float:
        self.asked += 1
        return super().density(odds)


def test_a_million_leads_take_no_more_steps_than_ten() -> None:
    few, many = ([Counting(won, trials) for won in (1, 2, 3)] for trials in (10, 1_000_000))

    best(few)
    best(many)

    assert max(one.asked for one in many) < 1.1 * max(one.asked for one in few)


def test_one_arm_alone_is_the_best() -> None:
    assert best([Belief(3, 10)]) == [1.0]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 0, 0.025, 0.975),
        (0, 10, 0.002298978, 0.284914152),
        (10, 10, 0.715085848, 0.997701022),
        (120, 1000, 0.101323423, 0.141627004),
    ],
)
def test_an_interval_holds_the_middle_of_what_the_rate_may_be(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert Belief(successes, trials).interval() == pytest.approx((low, high), abs=2e-7)


def test_a_rate_near_nothing_keeps_its_interval_above_nothing() -> None:
    interval = Belief(0, 1_000_000).interval()

    assert 0 < interval.low < interval.high < 5e-6


def test_the_lift_of_a_rate_that_is_known_over_one_that_is_not_follows_the_latter() -> None:
    interval = lift(Belief(500_000, 1_000_000), Belief(1, 3))

    assert interval == pytest.approx((-0.37956, 6.39798), rel=1e-4)


def test_without_any_leads_the_lift_may_be_nearly_anything() -> None:
    assert lift(Belief(0, 0), Belief(0, 0)) == pytest.approx((-0.95, 19), rel=1e-3)


def test_a_lift_is_above_nothing_when_the_arm_is_better_for_sure() -> None:
    above, unclear = lift(Belief(150, 1000), Belief(120, 1000)), lift(Belief(140, 1000), Belief(120, 1000))

    assert above.low > 0
    assert unclear.low < 0 < unclear.high


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        Belief(3, 2)
