"""Rates and shares, held against published examples (Newcombe, Statistics in Medicine 17, 1998) and tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.experiments.rates import chance_of_shares, difference, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_of_a_rate_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("changed", "usual", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((0, 0), (3, 10), -1.0, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    changed: tuple[int, int], usual: tuple[int, int], low: float, high: float
) -> None:
    assert difference(changed, usual) == pytest.approx((low, high), abs=6e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_an_interval_holds_the_rate_and_stays_within_what_a_rate_may_be(counts: tuple[int, int]) -> None:
    low, high = wilson(*counts)

    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


@pytest.mark.parametrize(
    ("counts", "weights", "chance"),
    [
        ((60, 40), (1, 1), 0.0455003),
        ((10, 20, 30), (1, 1, 1), 0.0067379),
        ((100, 120, 90, 110, 80), (1, 1, 1, 1, 1), 0.0404277),
        ((500, 500), (50, 50), 1.0),
        ((450, 450, 100), (45, 45, 10), 1.0),
        ((0, 0), (50, 50), 1.0),
        ((7,), (50,), 1.0),
        ((5000, 5400), (50, 50), 0.0000876),
        ((500_000, 501_000), (50, 50), 0.3175524),
    ],
)
def test_shares_are_as_likely_as_the_tables_say(
    counts: tuple[int, ...], weights: tuple[float, ...], chance: float
) -> None:
    assert chance_of_shares(counts, weights) == pytest.approx(chance, abs=1e-7)


def test_a_lead_in_an_arm_that_takes_none_is_no_chance() -> None:
    assert chance_of_shares((10, 1), (1, 0)) == 0
