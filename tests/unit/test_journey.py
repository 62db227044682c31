"""The interpreter: every move, every answer, and what may be heard meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import (
    Campaign,
    State,
    branch,
    days,
    done,
    escalate,
    go,
    lead,
    leave,
    on,
    send,
    split,
    tag,
    wait,
    wait_for,
    when,
)
from nurture.journey import (
    MOST_MOVES_AWAKE,
    RESUME,
    STOP,
    AnyReply,
    Choose,
    Chose,
    Close,
    Closed,
    Deferred,
    Did,
    Elapsed,
    Ended,
    Heard,
    Held,
    Journey,
    Move,
    OffTheRoad,
    Park,
    Parked,
    Perform,
    Rest,
    Resting,
    answers,
    begin,
    breaks_in,
    fold,
    gait,
    heeds,
    listened_arms,
    next_move,
    proceed,
    wait_arms,
)
from nurture.steps import DateOf, Escalate, Wait
from nurture.version import Version, frozen

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def version(*states: State, **options: Any) -> Version:
    return frozen(Campaign("road", states, enters=[on("asked")], **options))


def walked(of: Version, *replies: AnyReply) -> Journey:
    return fold(of, begin(of, NOW), replies)


def heard(arm: str, event: str = "event-1") -> Heard:
    return Heard(at=LATER, arm=arm, event=event)


DID, HELD, ELAPSED, CLOSED = Did(at=NOW), Held(at=NOW), Elapsed(at=LATER), Closed(at=NOW)
PARKED = Parked(at=NOW, until=LATER)
LISTENING = version(
    State(
        "one", [send("hello"), wait_for(on("visit"), on("reply", to="two"), up_to=days(3), otherwise=leave("silence"))]
    ),
    State("two", [wait(days(1)), tag("patient")]),
    State("three", [split({"one": 50, "two": 50})]),
    exits=[on("objected")],
    goal=on("paid"),
    always=[on("called", to="two"), when(lead.country == "DE", to="three")],
)


# --- each move and its answers ---


@pytest.mark.parametrize(
    ("step", "reply", "then"),
    [
        pytest.param(send("hello"), DID, Perform, id="done"),
        pytest.param(send("hello"), Deferred(at=NOW, until=LATER), Rest, id="not now"),
        pytest.param(send("hello"), HELD, Rest, id="held"),
        pytest.param(wait(days(3)), PARKED, Rest, id="waits"),
        pytest.param(wait(days(3)), Parked(at=NOW), Perform, id="nothing to wait for"),
        pytest.param(wait(days(3)), HELD, Rest, id="a wait is held"),
        pytest.param(wait_for(on("visit"), up_to=days(3)), PARKED, Rest, id="waits for"),
        pytest.param(branch(when(lead.nps >= 9, to="end")), Chose(at=NOW, arm=None), Perform, id="the other way"),
        pytest.param(branch(when(lead.nps >= 9, to="end")), Chose(at=NOW, arm=0), Park, id="an arm"),
        pytest.param(branch(when(lead.nps >= 9, to=done)), Chose(at=NOW, arm=0), Close, id="an arm that ends it"),
        pytest.param(branch(when(lead.nps >= 9, to="end"), otherwise=leave("no")), Chose(at=NOW), Close, id="leaves"),
        pytest.param(split({"end": 1, "one": 1}), Chose(at=NOW, arm=0), Park, id="a split"),
        pytest.param(split({"end": 1, "one": 1}), HELD, Rest, id="a split is held"),
    ],
)
def test_each_answer_leads_on(step: Any, reply: AnyReply, then: type[Move]) -> None:
    road = version(State("one", [step, tag("next")]), State("end", [wait(days(1))]))

    assert isinstance(next_move(road, walked(road, reply)), then)


@pytest.mark.parametrize(
    ("before", "reply"),
    [
        pytest.param([], ELAPSED, id="nothing waited for elapses"),
        pytest.param([], Chose(at=NOW, arm=0), id="no choice was asked for"),
        pytest.param([], PARKED, id="no wait was asked for"),
        pytest.param([], CLOSED, id="not at its end"),
        pytest.param([DID], DID, id="a wait is not done"),
        pytest.param([DID], Deferred(at=NOW, until=LATER), id="a wait is not put off"),
        pytest.param([DID, PARKED], DID, id="nothing is done at rest"),
        pytest.param([DID, PARKED, ELAPSED, CLOSED], DID, id="nothing is done after the end"),
        pytest.param([DID, PARKED, ELAPSED, CLOSED], CLOSED, id="nothing ends twice"),
    ],
)
def test_an_answer_to_another_move_is_off_the_road(before: list[AnyReply], reply: AnyReply) -> None:
    with pytest.raises(OffTheRoad):
        walked(LISTENING, *before, reply)


def test_a_split_always_takes_an_arm() -> None:
    road = version(State("one", [split({"one": 1, "two": 1})]), State("two", [tag("two")]))

    with pytest.raises(OffTheRoad, match="always takes an arm, at one/0/1"):
        walked(road, Chose(at=NOW))


def test_a_step_put_off_comes_again() -> None:
    journey = walked(LISTENING, Deferred(at=NOW, until=LATER), ELAPSED)

    assert (journey.occurrence, journey.rest) == ("one/0/1", None)


def test_a_journey_rests_until_the_very_moment_it_was_told() -> None:
    assert next_move(LISTENING, walked(LISTENING, DID, PARKED)) == Rest(LATER)


def test_the_end_is_recorded_before_the_journey_has_ended() -> None:
    journey = walked(LISTENING, DID, PARKED, ELAPSED)

    assert next_move(LISTENING, journey) == Close("left: silence")
    assert next_move(LISTENING, proceed(LISTENING, journey, CLOSED)) == Ended()


def test_resting_says_why() -> None:
    assert walked(LISTENING, DID, PARKED).rest == Resting(why="wait", until=LATER)
    assert walked(LISTENING, HELD).rest == Resting(why="held")


# --- from state to state ---


def test_without_a_jump_the_next_state_follows_and_after_the_last_the_journey_is_done() -> None:
    road = version(State("one", [tag("a")]), State("two", [tag("b")]))

    assert walked(road, DID).state == "two"
    assert walked(road, DID, DID).ending == "done"


def test_a_state_without_steps_is_gone_through() -> None:
    assert begin(version(State("one"), State("two"), State("three", [tag("a")])), NOW).state == "three"


def test_each_visit_to_a_state_makes_its_steps_new_occurrences() -> None:
    road = version(State("one", [tag("a"), wait(days(1)), go("one")]))
    journey = walked(road, DID, PARKED, ELAPSED)

    assert (journey.occurrence, journey.visits, journey.since) == ("one/0/2", {"one": 2}, LATER)


def test_a_jump_enters_its_state_at_the_moment_it_is_made() -> None:
    road = version(State("one", [wait_for(on("visit"), up_to=days(9)), go("one")]))

    assert walked(road, PARKED, heard("one/0/1:0")).since == LATER


def test_what_follows_the_first_jump_of_a_state_is_not_done() -> None:
    assert walked(version(State("one", [tag("a"), done, tag("b")])), DID).ending == "done"


def test_jumps_that_lead_nowhere_else_end_with_the_reason() -> None:
    road = version(State("one", [tag("a"), go("two")]), State("two", [go("three")]), State("three", [go("two")]))

    assert str(walked(road, DID).ending).startswith("left: it went round in circles at ")


def test_a_circle_in_which_time_never_passes_ends_with_the_reason() -> None:
    road, journey = (busy := version(State("one", [tag("a"), go("one")]))), begin(busy, NOW)
    for _ in range(MOST_MOVES_AWAKE + 1):
        journey = proceed(road, journey, DID)

    assert journey.ending == "left: it went round in circles at one"


def test_a_journey_that_rests_now_and_then_goes_round_as_often_as_it_likes() -> None:
    road, journey = (calm := version(State("one", [tag("a"), wait(days(1)), go("one")]))), begin(calm, NOW)
    day: list[AnyReply] = [DID, PARKED, ELAPSED]
    for reply in day * MOST_MOVES_AWAKE:
        journey = proceed(road, journey, reply)

    assert (journey.ending, journey.visit) == (None, MOST_MOVES_AWAKE + 1)


@pytest.mark.parametrize(
    ("on_past", "occurrence", "ending"),
    [("run", "one/1/1", None), ("skip", "one/2/1", None), ("leave", "one/0/1", "left: the date had gone by")],
)
def test_a_date_that_has_gone_by_is_met_as_the_wait_says(on_past: Any, occurrence: str, ending: str | None) -> None:
    road = version(State("one", [wait(until=lead.custom("ends"), on_past=on_past), tag("a"), tag("b")]))
    journey = walked(road, Parked(at=NOW, past=True))

    assert (journey.occurrence, journey.ending) == (occurrence, ending)


def test_a_skip_over_the_last_step_of_a_state_goes_on_to_the_next_state() -> None:
    road = version(State("one", [wait(until=lead.custom("ends")), tag("a")]), State("two", [tag("b")]))

    assert walked(road, Parked(at=NOW, past=True)).state == "two"


# --- hearing ---


@pytest.mark.parametrize("before", [[], [Deferred(at=NOW, until=LATER)], [HELD], [DID], [DID, PARKED]])
@pytest.mark.parametrize(
    ("arm", "state", "ending"),
    [
        ("exit:0", "one", "left: on objected"),
        ("goal", "one", "goal reached"),
        ("always:0", "two", None),
        ("always:1", "three", None),
        (STOP, "one", "stopped"),
    ],
)
def test_what_is_always_heard_is_heard_wherever_the_journey_stands(
    before: list[AnyReply], arm: str, state: str, ending: str | None
) -> None:
    journey = walked(LISTENING, *before, heard(arm))

    assert (journey.state, journey.ending, journey.rest) == (state, ending, None)


def test_exits_come_before_the_goal_and_the_goal_before_always() -> None:
    assert list(listened_arms(LISTENING, begin(LISTENING, NOW))) == ["exit:0", "goal", "always:0", "always:1"]


def test_each_always_is_heard_once_a_journey() -> None:
    journey = walked(LISTENING, heard("always:0"))

    assert "always:0" not in listened_arms(LISTENING, journey)
    assert proceed(LISTENING, journey, heard("always:0", "event-2")).visits == journey.visits


def test_a_goal_that_is_also_always_heard_is_one_arm_that_goes_where_always_says() -> None:
    road = version(
        State("one", [wait(days(9))]), State("thanks", [tag("a")]), goal=on("paid"), always=[on("paid", to="thanks")]
    )
    journey = walked(road, heard("always:0"))

    assert (list(road.arm), journey.state, journey.goal) == (["always:0"], "thanks", LATER)


def test_a_goal_that_names_a_state_goes_there() -> None:
    road = version(State("one", [wait(days(9))]), State("thanks", [tag("a")]), goal=on("paid", to="thanks"))

    assert [walked(road, heard("goal")).state, walked(road, heard("goal")).goal] == ["thanks", LATER]


@pytest.mark.parametrize(("arm", "state"), [("one/1/1:0", "two"), ("one/1/1:1", "two")])
def test_a_wait_ends_by_what_it_waits_for(arm: str, state: str) -> None:
    journey = walked(LISTENING, DID, PARKED, heard(arm))

    assert (journey.state, journey.since) == (state, LATER)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="before the wait"),
        pytest.param([DID], id="before it is parked"),
        pytest.param([DID, HELD], id="while it is held"),
        pytest.param([DID, PARKED, heard("one/1/1:0")], id="after the wait"),
        pytest.param([DID, PARKED, heard("always:1"), Chose(at=NOW, arm=0), DID, PARKED], id="in the next visit"),
        pytest.param([DID, PARKED, ELAPSED], id="when it leaves"),
        pytest.param([DID, PARKED, ELAPSED, CLOSED], id="after the end"),
    ],
)
def test_a_signal_for_another_wait_wakes_nobody(before: list[AnyReply]) -> None:
    journey = walked(LISTENING, *before)
    after = proceed(LISTENING, journey, heard("one/1/1:0"))

    assert not heeds(LISTENING, journey, "one/1/1:0")
    assert after.model_dump(exclude={"n", "awake"}) == journey.model_dump(exclude={"n", "awake"})


def test_a_wait_listens_under_a_name_of_its_own_each_visit() -> None:
    journey = walked(LISTENING, DID, PARKED, heard("always:1"), Chose(at=NOW, arm=0), DID, PARKED)

    assert list(wait_arms(LISTENING, journey)) == ["one/1/2:0", "one/1/2:1"]


def test_a_resumed_journey_does_what_it_was_held_at() -> None:
    assert walked(LISTENING, HELD, heard(RESUME)).occurrence == "one/0/1"
    assert isinstance(next_move(LISTENING, walked(LISTENING, HELD, heard(RESUME))), Perform)


def test_only_a_held_journey_resumes() -> None:
    assert [heeds(LISTENING, walked(LISTENING, *some), RESUME) for some in ([HELD], [], [DID, PARKED])] == [
        True,
        False,
        False,
    ]


def test_nothing_is_heeded_on_the_way_out() -> None:
    leaving = walked(LISTENING, DID, PARKED, ELAPSED)

    assert [heeds(LISTENING, leaving, arm) for arm in (STOP, "exit:0", "goal", "always:0")] == [False] * 4


@pytest.mark.parametrize(
    ("arm", "breaks"),
    [("exit:0", True), ("goal", True), ("always:12", True), (STOP, True), (RESUME, False), ("one/1/1:0", False),
     ("goal-talk/1/1:0", False), ("always/1/1:0", False)],
)  # fmt: skip
def test_only_what_is_always_heard_breaks_into_work(arm: str, breaks: bool) -> None:
    assert breaks_in(arm) is breaks


def test_news_says_nothing_to_a_journey_that_is_further_on() -> None:
    resting, onward = walked(LISTENING, DID, PARKED), walked(LISTENING, DID, PARKED, heard("one/1/1:0"))

    assert [answers(LISTENING, one, ELAPSED) for one in (resting, onward)] == [True, False]
    assert [answers(LISTENING, one, heard("one/1/1:0")) for one in (resting, onward)] == [True, False]


# --- the interpreter as a whole, on any road ---

NAMES = ["a", "b", "c"]
targets = st.sampled_from([*NAMES, done, leave("enough"), None])
waits = st.builds(lambda then, other: wait_for(on("x"), up_to=days(1), then=then, otherwise=other), targets, targets)
branches = st.builds(lambda to, other: branch(when(lead.nps >= 9, to=to), otherwise=other), targets, targets)
steps: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            send("m"),
            escalate("r"),
            tag("t"),
            wait(days(1)),
            wait(until=lead.custom("ends")),
            split({"a": 1, "b": 1}),
            done,
        ]
    ),
    st.builds(go, st.sampled_from(NAMES)),
    waits,
    branches,
)
roads = st.lists(st.lists(steps, max_size=4), min_size=3, max_size=3).map(
    lambda rooms: version(
        *(State(name, room) for name, room in zip(NAMES, rooms, strict=True)),
        exits=[on("e")],
        always=[on("y", to="b")],
        goal=on("g"),
    )
)
picks = st.lists(st.integers(0, 5), min_size=1, max_size=40)


def possible(move: Move) -> Sequence[AnyReply]:
    match move:
        case Perform():
            return [DID, DID, Deferred(at=NOW, until=LATER), HELD]
        case Choose():
            return [Chose(at=NOW, arm=0), HELD, Chose(at=NOW, arm=0)]
        case Park(step=Wait(until=DateOf())):
            return [PARKED, Parked(at=NOW), Parked(at=NOW, past=True), HELD]
        case Park():
            return [PARKED, PARKED, HELD]
        case Rest(until=None):
            return [heard(RESUME)]
        case Rest():
            return [ELAPSED]
        case Close():
            return [CLOSED]
        case Ended():
            return []


def tale(road: Version, choices: Sequence[int]) -> Iterator[tuple[Journey, AnyReply]]:
    """A journey's positions, each with the reply that comes next; now and then something is heard."""
    journey = begin(road, NOW)
    for n, choice in enumerate(choices):
        ways = [*possible(next_move(road, journey)), heard(["exit:0", "always:0", "goal", "late/0/1:0"][n % 4])]
        reply = ways[choice % len(ways)]
        yield journey, reply
        journey = proceed(road, journey, reply)


@settings(max_examples=60, deadline=None)
@given(road=roads, choices=picks)
def test_the_replies_in_order_are_the_whole_story(road: Version, choices: list[int]) -> None:
    story = list(tale(road, choices))
    stored = [Journey.model_validate_json(journey.model_dump_json()) for journey, _ in story]
    replies = [reply for _, reply in story]

    assert [fold(road, begin(road, NOW), replies[:n]) for n in range(len(story))] == stored
    assert all(fold(road, stored[n], replies[n:]) == fold(road, begin(road, NOW), replies) for n in range(len(story)))


@settings(max_examples=60, deadline=None)
@given(road=roads, choices=picks)
def test_a_touch_is_made_in_the_way_that_its_kind_asks_for(road: Version, choices: list[int]) -> None:
    foreseen: set[str] = set()
    for journey, reply in tale(road, choices):
        move = next_move(road, journey)
        way = gait(road, journey)
        touches = isinstance(move, Perform) and move.step.touches
        if isinstance(move, Perform) and touches:
            assert way == ("urgent" if isinstance(move.step, Escalate) else "usual")
            assert foreseen <= {way, "local"}
        afresh = touches or isinstance(move, Rest | Ended) or isinstance(reply, Heard)
        foreseen = set() if afresh else {*foreseen, way}


def test_where_a_hand_off_is_as_possible_as_a_message_the_way_there_is_made_by_itself() -> None:
    torn = version(State("one", [branch(when(lead.nps >= 9, to="two"), otherwise="three")]),
                   State("two", [escalate("ready"), done]), State("three", [send("m")]))  # fmt: skip

    assert [gait(torn, walked(torn, *replies)) for replies in ([], [Chose(at=NOW, arm=0)], [Chose(at=NOW, arm=None)])] == [
        "local", "urgent", "usual",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(road=roads, choices=picks)
def test_a_journey_stands_at_a_step_or_rests_or_ends(road: Version, choices: list[int]) -> None:
    for journey, _ in tale(road, choices):
        assert journey.ending is not None or journey.step < len(road.state(journey.state).steps)
        assert not journey.ended or journey.ending is not None
        assert journey.visits[journey.state] == journey.visit
