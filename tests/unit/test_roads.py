"""Roads: which step may follow which, how soon, and where one would go round without end."""

from datetime import timedelta
from typing import Any

import pytest

from nurture import (
    Campaign,
    State,
    branch,
    clicked,
    daily,
    days,
    done,
    event,
    go,
    hours,
    lead,
    leave,
    minutes,
    on,
    send,
    split,
    tag,
    wait,
    wait_for,
    when,
)
from nurture.roads import Place, Roads, ways
from nurture.triggers import Leave, ToState

LEAST = minutes(30)
THREE = [
    State("one", [send("a"), wait_for(on("visit"), up_to=days(3), then="three", otherwise=leave("no"))]),
    State("two", [wait(days(1)), go("three")]),
    State("three", [tag("seen")]),
]


def roads(*states: State, **options: Any) -> Roads:
    return Roads(Campaign("road", states or THREE, enters=[on("asked")], **options))


def circles(*steps: Any) -> list[tuple[str, ...]]:
    """The circles of a campaign with one state of these steps, and an end to go to."""
    return roads(State("one", steps), State("end", [done])).circles(LEAST)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (send("a"), [("", None, hours(0))]),
        (go("two"), [("", "two", hours(0))]),
        (wait(days(1)), [("", None, days(1))]),
        (wait(-days(1)), [("", None, hours(0))]),
        (wait(at=daily("10:00")), [("", None, hours(0))]),
        (wait(until=lead.custom("ends")), [("", None, hours(0)), ("once past", None, hours(0))]),
        (wait_for(on("visit"), when(lead.nps > 8, to="two"), up_to=days(1), otherwise=leave("no")),
         [("visit", None, None), ("NPS is above 8", "two", hours(0)), ("after 1 day", "no", days(1))]),
        (wait_for(on("message_sent"), up_to=days(1)),
         [("the sending of any message", None, hours(0)), ("after 1 day", None, days(1))]),
        (branch(when(lead.nps > 8, to="two")), [("NPS is above 8", "two", hours(0)), ("otherwise", None, hours(0))]),
        (split({"two": 1, "one": 3}), [("25 %", "two", hours(0)), ("75 %", "one", hours(0))]),
    ],
)  # fmt: skip
def test_a_step_has_these_ways_on_and_each_takes_so_long(step: Any, expected: list[Any]) -> None:
    names = [
        target.name if isinstance(target, ToState) else target.reason if isinstance(target, Leave) else None
        for target in (way.target for way in ways(step))
    ]

    assert [(way.label, name, way.least) for way, name in zip(ways(step), names, strict=True)] == expected


def test_without_a_jump_the_next_step_follows_and_then_the_next_state_that_has_one() -> None:
    road = roads(State("one", [tag("a"), tag("b")]), State("empty", []), State("two", [tag("c")]))

    assert [(one.start, one.end) for one in road.all] == [
        (("one", 0), ("one", 1)), (("one", 1), ("two", 0)), (("two", 0), None)
    ]  # fmt: skip


def test_a_target_that_does_not_exist_leads_nowhere() -> None:
    assert [one.end for one in roads(State("one", [go("nowhere")])).all] == []


def test_only_what_is_gone_to_is_reached() -> None:
    assert {state for state, _ in roads().reached(roads().starts())} == {"one", "three"}


def test_what_is_heard_at_any_time_is_a_place_to_start_from() -> None:
    heard = roads(always=[on("paid", to="two")], goal=on("bought", to="three"), exits=[on("objected")])

    assert heard.starts() == [("one", 0), ("two", 0), ("three", 0)]


def test_the_steps_before_a_step_are_all_from_which_it_can_be_come_to() -> None:
    assert roads().before(("three", 0)) == {("one", 0), ("one", 1), ("two", 0), ("two", 1)}
    assert roads().before(("one", 0)) == set()


def test_a_step_is_before_itself_when_one_can_come_round_to_it() -> None:
    round_ = roads(State("one", [wait(days(1))]), State("two", [go("one")]))

    assert round_.before(("one", 0)) == {("one", 0), ("two", 0)}


@pytest.mark.parametrize(("place", "after"), [(("one", 0), hours(0)), (("two", 1), days(1)), (("three", 0), days(1))])
def test_the_soonest_a_step_can_be_come_to_is_the_least_of_all_waits_on_the_way(place: Place, after: timedelta) -> None:
    assert roads().soonest([("one", 0), ("two", 0)])[place][0] == after


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([go("one")], id="at once"),
        pytest.param([send("a"), tag("b"), go("one")], id="sending takes no time"),
        pytest.param([wait(minutes(29)), go("one")], id="too short a wait"),
        pytest.param([wait(at=daily("10:00")), go("one")], id="a clock time may be now"),
        pytest.param([wait(until=lead.custom("ends"), on_past="run"), go("one")], id="a date may be past"),
        pytest.param([wait_for(when(lead.nps > 8), up_to=days(1)), go("one")], id="a condition may be true again"),
        pytest.param([send("a"), wait_for(on("message_sent"), up_to=days(1)), go("one")], id="brought about by itself"),
        pytest.param([wait_for(on("visit"), up_to=minutes(5)), go("one")], id="too short a limit"),
        pytest.param([branch(when(lead.nps > 8, to="end"), otherwise="one")], id="by a branch"),
        pytest.param([split({"end": 1, "one": 1})], id="by a split"),
        pytest.param([branch(when(event("visit").count() > 3, to=done)), go("one")], id="whatever was counted"),
    ],
)
def test_going_round_sooner_than_that_is_a_circle(steps: list[Any]) -> None:
    assert circles(*steps) == [("one",)]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([wait(minutes(30)), go("one")], id="a wait"),
        pytest.param([wait(minutes(15)), send("a"), wait(minutes(15)), go("one")], id="waits together"),
        pytest.param([wait_for(on("visit"), up_to=days(1), then="one")], id="something new each time"),
        pytest.param([send("a"), wait_for(clicked("a"), up_to=hours(1)), go("one")], id="heard, or the limit"),
        pytest.param([branch(when(lead.nps > 8, to="end"))], id="no way back"),
    ],
)
def test_going_round_that_takes_its_time_is_none(steps: list[Any]) -> None:
    assert circles(*steps) == []


def test_a_circle_is_told_once_by_the_states_it_goes_through() -> None:
    road = roads(
        State("one", [tag("a")]), State("two", [branch(when(lead.nps > 8, to="four"))]), State("three", [go("two")]),
        State("four", [wait(days(1)), go("one")]),
    )  # fmt: skip

    assert road.circles(LEAST) == [("two", "three")]
