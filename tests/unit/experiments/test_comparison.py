"""Comparisons of who took part with who was held out: what they say, and when they say nothing."""

import pytest

from nurture.experiments.comparison import Comparison, Group


def compared(took_part: Group, held_out: Group, expected: float | None = None) -> Comparison:
    return Comparison(took_part, held_out, held_out.leads if expected is None else expected)


@pytest.mark.parametrize(
    ("took_part", "held_out", "says"),
    [
        (
            Group(900, 900, 180),
            Group(100, 0, 0),
            "nothing can be said yet: there is no lead held out whose time to reach",
        ),
        (Group(), Group(100, 100, 1), "nothing can be said yet: there is no lead that took part"),
        (Group(9000, 9000, 1800), Group(1000, 1000, 100), "it helps"),
        (Group(9000, 9000, 900), Group(1000, 1000, 200), "it does harm"),
        (Group(90, 90, 10), Group(10, 10, 1), "whether it helps cannot be told yet"),
        (Group(900, 900, 0), Group(100, 100, 0), "whether it helps cannot be told yet"),
    ],
)
def test_a_comparison_says_no_more_than_the_numbers_do(took_part: Group, held_out: Group, says: str) -> None:
    assert compared(took_part, held_out).words().startswith(says)


def test_a_comparison_is_not_trusted_when_too_few_were_held_out() -> None:
    found = compared(Group(9900, 9900, 1980), Group(100, 100, 10), expected=1000)

    assert not found.shares_hold
    assert found.words().startswith("the numbers cannot be trusted")


def test_leads_won_are_counted_with_their_interval() -> None:
    low, high = compared(Group(1000, 1000, 200), Group(1000, 1000, 150)).more

    assert 0 < low < 50 < high < 100
