"""What two leads become as one: values, refusals, journeys, and what is not sent again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.campaign import Reentry, always, never, once_in
from nurture.merging import (
    Joined,
    Known,
    Travelled,
    numbered,
    profiles,
    refused,
    sent_by_another,
    superseded,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def day(n: float) -> datetime:
    return NOON + timedelta(days=n)


# --- values ---


@pytest.mark.parametrize(
    ("kept", "gone", "both"),
    [
        (Known({"city": "Bonn"}, {"city": 1}), Known({"city": "Kiel"}, {"city": 2}), {"city": "Kiel"}),
        (Known({"city": "Bonn"}, {"city": 3}), Known({"city": "Kiel"}, {"city": 2}), {"city": "Bonn"}),
        (Known({"city": "Bonn"}, {"city": 1}), Known({}, {"city": 2}), {"city": "Bonn"}),
        (Known({"city": "Bonn"}, {"city": 1}), Known({"city": "Kiel"}, {"city": 1}), {"city": "Kiel"}),
        (Known({"city": "Bonn"}), Known({"city": "Kiel"}, {"city": 1}), {"city": "Kiel"}),
        (Known({"tags": ["a", "b"]}), Known({"tags": ["b", "c"]}), {"tags": ["a", "b", "c"]}),
        (Known({"company": {"name": "A", "size": 5}}, {"company.name": 2, "company.size": 1}),
         Known({"company": {"name": "B", "size": 9, "city": "Ulm"}}, {"company.name": 1, "company.size": 2}),
         {"company": {"name": "A", "size": 9, "city": "Ulm"}}),
    ],
)  # fmt: skip
def test_the_newest_value_wins_but_never_an_empty_one(kept: Known, gone: Known, both: dict[str, Any]) -> None:
    assert profiles(kept, gone).profile == both


def test_a_value_that_comes_late_finds_the_time_of_the_one_that_won() -> None:
    both = profiles(Known({"city": "Bonn"}, {"city": 1}), Known({"city": "Kiel"}, {"city": 5, "phone": 3}))

    assert both.written == {"city": 5, "phone": 3}


VALUES = st.dictionaries(
    st.sampled_from(["city", "job_title", "nps"]),
    st.tuples(st.sampled_from(["a", "b", 3]), st.integers(1, 3)),
    max_size=3,
)


@given(one=VALUES, other=VALUES, third=VALUES)
def test_whoever_is_kept_and_whoever_comes_first_the_values_are_the_same(one: Any, other: Any, third: Any) -> None:
    a, b, c = (
        Known({name: value for name, (value, _) in some.items()}, {name: float(at) for name, (_, at) in some.items()})
        for some in (one, other, third)
    )

    assert profiles(a, b) == profiles(b, a)
    assert profiles(profiles(a, b), c) == profiles(a, profiles(b, c))


def test_the_no_of_either_holds_and_is_news_where_it_was_not_said() -> None:
    assert refused({"news": True, "ads": False, "tips": True}, {"news": False, "ads": False, "*": False}) == (
        "*",
        "news",
    )
    assert refused({"news": False}, {"news": True}) == ()


# --- journeys ---


def test_of_two_journeys_under_one_key_the_one_entered_first_goes_on() -> None:
    journeys = [
        Travelled("old", "road", "", 1, day(0), running=False),
        Travelled("second", "road", "", 1, day(3), running=True),
        Travelled("first", "road", "", 2, day(2), running=True),
        Travelled("keyed", "road", "visit-2", 1, day(1), running=True),
        Travelled("elsewhere", "street", "", 1, day(1), running=True),
    ]

    assert superseded(journeys) == ["second"]
    assert numbered(journeys) == {"old": 1, "first": 2, "second": 3, "keyed": 1, "elsewhere": 1}


MERGE = [Joined(day(10), ["theirs"])]


@pytest.mark.parametrize(
    ("mine", "theirs", "rule", "sent"),
    [
        pytest.param((5, ""), (1, None, ""), never, True, id="both were in it"),
        pytest.param((1, ""), (5, None, ""), never, True, id="mine came first"),
        pytest.param((5, ""), (1, 2, ""), never, True, id="one lead enters once only"),
        pytest.param((5, ""), (1, 2, ""), once_in(timedelta(days=3)), False, id="one lead would be in it again"),
        pytest.param((5, ""), (3, 4, ""), once_in(timedelta(days=3)), True, id="one lead would not yet be in it again"),
        pytest.param((5, ""), (1, 2, ""), always, False, id="each time anew"),
        pytest.param((5, ""), (1, 6, ""), always, True, id="each time anew, but not both at once"),
        pytest.param((5, "visit-1"), (1, None, "visit-2"), never, False, id="another appointment"),
        pytest.param((11, ""), (1, None, ""), never, False, id="entered after the merge"),
    ],
)  # fmt: skip
def test_a_message_of_the_other_lead_is_not_sent_again_unless_the_campaign_repeats_it(
    mine: tuple[float, str], theirs: tuple[float, float | None, str], rule: Reentry, sent: bool
) -> None:
    me = Travelled("mine", "road", mine[1], 1, day(mine[0]), running=True)
    entered, ended, key = theirs
    other = Travelled("theirs", "road", key, 1, day(entered), ended_at=None if ended is None else day(ended))

    assert sent_by_another(me, [other], MERGE, rule) is sent


def test_journeys_that_came_by_the_same_merge_know_of_each_other_already() -> None:
    both = [Joined(day(10), ["mine", "theirs"])]

    assert not sent_by_another(
        Travelled("mine", "road", "", 2, day(5)), [Travelled("theirs", "road", "", 1, day(1))], both, never
    )
