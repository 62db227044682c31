from datetime import timedelta
from typing import Any

import pytest

from nurture.definition_report import Outcome, failures

FOUR_WEEKS = timedelta(days=28)


def outcome(handed_over: int, **given: Any) -> Outcome:
    return Outcome("director", "v1", handed_over, **given)


def test_precision_is_the_share_of_yes_among_the_answers() -> None:
    assert outcome(10, accepted=3, rejected=1).precision == 0.75
    assert outcome(10).precision is None


def test_a_good_definition_shows_no_failure() -> None:
    assert failures([outcome(20, accepted=15, rejected=4, recycled=1, before=18)], FOUR_WEEKS, want=4) == []


def test_too_few_come_in_by_what_is_wanted_or_by_what_came_before() -> None:
    few = outcome(6, accepted=6, before=20)

    assert failures([few], FOUR_WEEKS, want=4) == ["too few come in: 1.5 a week, and 4 are wanted"]
    assert failures([few], FOUR_WEEKS) == ["too few come in: 6, and 20 in the period before"]
    assert failures([few], FOUR_WEEKS, want=1) == []


def test_enough_come_in_and_are_wasted() -> None:
    wasted = outcome(40, accepted=20, rejected=2, recycled=10, overdue=8, before=40)

    assert failures([wasted], FOUR_WEEKS, want=10) == [
        "they come in and are wasted: sales has left 18 of 40 without an answer in time"
    ]
    assert wasted.wasted == pytest.approx(0.45)


def test_what_sales_does_not_want_is_a_failure_of_its_own() -> None:
    assert failures([outcome(20, accepted=4, rejected=14)], FOUR_WEEKS) == [
        "they are not what sales wants: it took 4 of the 18 it has answered"
    ]


def test_a_definition_is_judged_over_all_of_its_versions() -> None:
    versions = [outcome(3, recycled=2), outcome(3, recycled=2, accepted=1)]

    assert failures(versions, FOUR_WEEKS) == [
        "they come in and are wasted: sales has left 4 of 6 without an answer in time"
    ]


def test_of_a_handful_nothing_is_concluded() -> None:
    assert failures([outcome(4, recycled=4, before=4)], FOUR_WEEKS) == []
