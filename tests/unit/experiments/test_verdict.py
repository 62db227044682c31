"""Verdicts: what the declared rule picks, and what it says is missing."""

import pytest

from nurture import clicked, days, on, pick, when
from nurture.experiments.verdict import Count, picked, verdict
from nurture.lead import lead

RULE = pick(on("order_paid"), within=days(14), after=500)


def arms(*converted: int, entered: int = 1000, measured: int = 1000) -> list[Count]:
    return [Count("abc"[at], 1, entered, measured, number) for at, number in enumerate(converted)]


def test_the_surely_better_arm_is_picked() -> None:
    assert picked(RULE, arms(100, 140)) == ("b", ())


def test_the_first_arm_wins_as_any_other() -> None:
    assert picked(RULE, arms(140, 100, 100)) == ("a", ())


def test_no_arm_is_picked_before_each_has_measured_enough_leads() -> None:
    counts = [Count("a", 1, 900, 600, 60), Count("b", 1, 900, 499, 200)]

    assert picked(RULE, counts) == (None, ("b has measured 499 of 500 leads",))


def test_no_arm_is_picked_while_none_is_surely_best() -> None:
    assert picked(RULE, arms(100, 105)) == (None, ("b is best with 64.3%, and 95% is asked for",))


def test_nothing_is_picked_when_leads_did_not_come_in_their_shares() -> None:
    counts = [Count("a", 1, 1000, 1000, 100), Count("b", 1, 1200, 1200, 240)]

    winner, missing = picked(RULE, counts)

    assert winner is None
    assert missing == ("leads did not come into the arms in their shares: find out why, and begin a new experiment",)


def test_without_a_number_only_a_person_decides() -> None:
    rule = pick(on("order_paid"), within=days(14))

    assert picked(rule, arms(100, 900)) == (None, ("only a person decides it",))


def test_the_rule_holds_for_counts_without_any_success() -> None:
    assert picked(RULE, arms(0, 0)) == (None, ("a is best with 50.0%, and 95% is asked for",))


def test_a_verdict_tells_rates_with_their_intervals_and_lifts_over_the_first_arm() -> None:
    told = verdict(RULE, arms(100, 120))

    first, second = told.arms
    assert (first.rate, second.rate) == (0.1, 0.12)
    assert second.between.low < 0.12 < second.between.high
    assert (first.by, first.lift) == (None, None)
    assert second.by == pytest.approx(0.2)
    assert second.lift is not None
    assert second.lift.low < 0
    assert second.lift.high > 0.2


def test_a_verdict_before_anything_was_measured_claims_nothing() -> None:
    told = verdict(RULE, arms(0, 0, entered=3, measured=0))

    assert [one.rate for one in told.arms] == [None, None]
    assert [one.best for one in told.arms] == pytest.approx([0.5, 0.5])
    assert [tuple(one.between) for one in told.arms] == [(0, 1), (0, 1)]
    assert told.winner is None


def test_a_rate_of_nothing_in_the_first_arm_gives_a_lift_that_may_be_anything_and_no_number() -> None:
    second = verdict(RULE, arms(0, 10)).arms[1]

    assert second.by is None
    assert second.lift is not None
    assert second.lift.high > 10


def test_what_is_measured_is_an_event() -> None:
    assert pick(clicked("guide/deliver"), within=days(3)).goal.heard() == "a click in guide/deliver"
    with pytest.raises(TypeError, match="give an event"):
        pick(when(lead.country == "DE"), within=days(3))  # type: ignore[arg-type]


def test_a_rule_says_itself_in_words() -> None:
    assert RULE.words() == "the winner by order paid within 14 days, once 95% sure of 500 leads an arm"
