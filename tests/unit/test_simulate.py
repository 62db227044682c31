"""Simulate: a lead's whole road on a virtual clock, read as a story."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nurture import (
    Campaign,
    Salesperson,
    Score,
    State,
    Team,
    Threshold,
    add_points,
    advance,
    at_most,
    between,
    branch,
    by_territory,
    clicked,
    days,
    done,
    escalate,
    event,
    gives,
    hours,
    lead,
    leave,
    minutes,
    on,
    pick,
    prefer,
    quiet,
    send,
    set_field,
    split,
    tag,
    thank,
    unsubscribe,
    wait,
    wait_for,
    weekdays,
    when,
)
from nurture.errors import BadInput
from nurture.permission import HouseRules
from nurture.simulate import A_MONDAY, at, simulate

BASIS = "the lead asked for it"

ROAD = Campaign(
    "road",
    enters=[on("price_list_downloaded")],
    goal=on("order_paid"),
    always=[on("order_paid", to="thanks"), when(lead.score("interest") >= 70, to="handover")],
    states=[
        State("greet", [
            send("road/greet"),
            wait_for(clicked("road/greet"), up_to=days(3), then="compare", otherwise="remind"),
        ]),
        State("remind", [send("road/remind"), wait(days(4), at=weekdays("10:00")), leave("no interest")]),
        State("compare", [send("road/compare"), wait(days(7)), leave("compared")]),
        State("handover", [escalate("director"), wait_for(on("sales_rejected"), up_to=days(14), otherwise=leave("no answer"))]),
        State("thanks", [advance("buy"), thank("road/thanks")]),
    ],
)  # fmt: skip
INTEREST = Score(
    key="interest",
    rules=(gives(40, on("visit")), gives(10, when(lead.country == "DE"))),
    thresholds=(Threshold(key="hot", at=80),),
)


def short(*steps: Any, **options: Any) -> Campaign:
    return Campaign("short", enters=[on("asked")], states=[State("one", list(steps))], **options)


# --- how a story reads ---


def test_a_lead_who_buys_is_thanked_not_nudged() -> None:
    story = simulate(ROAD, events=[at(days=3, event="order_paid")])

    assert story.sent == ["road/greet", "road/thanks"]


def test_a_story_tells_when_each_message_was_sent() -> None:
    story = simulate(ROAD)

    assert story.sent_at("road/greet") == A_MONDAY
    assert story.sent_at("road/remind") == A_MONDAY + days(3)


def test_a_story_tells_through_which_states_it_went_and_how_it_ended() -> None:
    story = simulate(ROAD, events=[at(days=2, event=clicked("road/greet"))])

    assert (story.states, story.state, story.ending) == (["greet", "compare"], "compare", "left: compared")


def test_a_story_tells_what_was_withheld_and_why() -> None:
    story = simulate(ROAD, lead={"consents": {"*": False}})

    assert story.withheld == [("road/greet", "unsubscribed from news"), ("road/remind", "unsubscribed from news")]


@pytest.mark.parametrize(
    ("known", "reason"),
    [({"email": None}, "no address"), ({"suppressed": "5.1.1"}, "the address is suppressed: 5.1.1")],
)
def test_a_lead_that_cannot_be_reached_walks_on_without_messages(known: dict[str, Any], reason: str) -> None:
    story = simulate(ROAD, lead=known)

    assert (story.sent, story.withheld[0][1], story.ending) == ([], reason, "left: no interest")


def test_a_story_tells_of_every_move_and_the_values_it_saw() -> None:
    story = simulate(short(branch(when(lead.nps >= 9, to=done), otherwise=leave("unhappy"))), lead={"nps": 3})

    assert story.trace == [("one/0/1", "chose"), ("one/0/1", "closed")]
    assert [line.values for line in story.lines] == [{"nps": 3}, {}]


def test_a_goal_reached_is_told() -> None:
    assert simulate(ROAD, events=[at(days=1, event="order_paid")]).goal_reached
    assert not simulate(ROAD).goal_reached


def test_a_story_stops_where_its_time_is_up() -> None:
    story = simulate(ROAD, up_to=days(1))

    assert (story.ending, story.state, story.now) == (None, "greet", A_MONDAY + days(1))


def test_what_was_done_to_the_lead_is_in_its_profile_at_the_end() -> None:
    story = simulate(short(tag("vip"), set_field(lead.company.size, 9), advance("buy"), add_points(5, score="love")))

    assert (story.lead["tags"], story.lead["company"]["size"], story.lead["stage"]) == (["vip"], 9, "buy")
    assert story.lead["score"] == {"love": 5}


def test_the_same_story_is_told_twice_alike() -> None:
    road = short(split({"two": 50, "three": 50}))
    road = Campaign("split", [*road.states, State("two", [tag("two"), done]), State("three", [tag("three"), done])])
    stories = [[simulate(road, lead_id=f"lead-{n}").trace for n in range(20)] for _ in range(2)]

    assert stories[0] == stories[1]


def test_the_profile_given_is_left_as_it_is() -> None:
    known = {"consents": {"news": True}, "score": {"interest": 5}, "company": {"size": 1}}
    simulate(short(set_field(lead.company.size, 2)), lead=known, scores=[INTEREST])

    assert known == {"consents": {"news": True}, "score": {"interest": 5}, "company": {"size": 1}}


# --- what happens on the way ---


@pytest.mark.parametrize(
    ("when_", "expected"),
    [(0, "road/compare"), (2.999, "road/compare"), (3, "road/compare"), (3.001, "road/remind")],
)
def test_an_event_up_to_the_very_limit_is_heard(when_: float, expected: str) -> None:
    assert simulate(ROAD, events=[at(days=when_, event=clicked("road/greet"))], up_to=days(5)).sent[1] == expected


def test_an_event_before_the_wait_counts_from_the_entry_into_its_state() -> None:
    steps = [wait(days(1)), wait_for(on("visit"), up_to=days(3), otherwise=leave("never came")), send("a")]

    assert simulate(short(*steps), events=[at(hours=1, event="visit")]).sent == ["a"]


def test_an_event_that_ended_one_wait_does_not_end_the_next_visit_to_it() -> None:
    road = Campaign("loop", enters=[on("asked")], states=[
        State("one", [wait_for(on("visit"), up_to=days(3), otherwise=leave("enough")), add_points(1, score="visits"),
                      tag("came")]),
        State("two", [branch(when(lead.tags.has("never"), to=done), otherwise="one")]),
    ])  # fmt: skip
    story = simulate(road, events=[at(days=1, event="visit"), at(days=2, event="visit")])

    assert (story.lead["score"], story.ending) == ({"visits": 2}, "left: enough")


def test_the_event_that_entered_the_lead_is_not_heard_again() -> None:
    road = short(wait_for(on("asked"), up_to=days(3), otherwise=leave("asked once")))

    assert simulate(road).ending == "left: asked once"


def test_two_events_at_the_same_instant_are_heard_one_after_the_other() -> None:
    steps = [wait_for(on("visit"), up_to=days(3)), wait_for(on("reply"), up_to=days(3), otherwise=leave("silent"))]
    both = [at(days=1, event="visit"), at(days=1, event="reply")]

    assert simulate(short(*steps), events=both).ending == "done"


def test_a_condition_that_only_time_makes_true_is_heard_at_its_moment() -> None:
    road = short(wait_for(when(event("asked").absent(days(10))), up_to=days(30)), send("a"))

    assert simulate(road).sent_at("a") == A_MONDAY + days(10)


def test_a_condition_that_time_keeps_from_coming_true_is_not_heard() -> None:
    road = short(wait_for(when(event("visit").absent(days(10)) & (lead.country == "DE")), up_to=days(15)), send("a"))
    visit, moved = at(days=8, event="visit"), at(days=1, event="moved", lead={"country": "DE"})

    assert [simulate(road, events=some).sent_at("a") for some in ([moved], [moved, visit])] == [
        A_MONDAY + days(1), A_MONDAY + days(1),
    ]  # fmt: skip
    assert simulate(road, events=[visit]).sent_at("a") == A_MONDAY + days(15)


def test_what_is_always_heard_is_heard_while_a_message_is_put_off() -> None:
    road = Campaign("night", enters=[on("asked")], always=[when(lead.tags.has("hot"), to="sales")], states=[
        State("one", [send("a"), wait(days(1))]), State("sales", [escalate("ready")]),
    ])  # fmt: skip
    story = simulate(road, lead={"tags": ["hot"]}, start=A_MONDAY + hours(13))

    assert (story.sent, story.hand_offs, story.now) == ([], ["ready"], A_MONDAY + hours(13))


def test_quiet_hours_and_caps_put_a_message_off_as_they_do_live() -> None:
    road = short(send("a"), send("b"), quiet=quiet("09:00", "12:00"), cap=at_most(1, within=days(2)))
    story = simulate(road)

    assert [story.sent_at("a"), story.sent_at("b")] == [A_MONDAY + hours(2), A_MONDAY + days(2) + hours(2)]


def test_a_lead_that_moves_lives_by_the_clock_of_where_it_is() -> None:
    road = short(wait(days(1)), send("a"), quiet=quiet("00:00", "12:00"))
    story = simulate(road, events=[at(hours=1, event="moved", lead={"time_zone": "America/New_York"})])

    assert story.sent_at("a") == datetime(2026, 1, 6, 17, tzinfo=UTC)


def test_who_unsubscribes_on_the_way_gets_no_more() -> None:
    story = simulate(ROAD, events=[at(days=1, event="unsubscribed")])

    assert (story.sent, story.withheld) == (["road/greet"], [("road/remind", "unsubscribed from news")])


def test_a_road_may_unsubscribe_and_still_send_what_the_lead_asked_for() -> None:
    story = simulate(short(unsubscribe("news"), send("a"), send("b", legal_basis=BASIS)))

    assert (story.sent, story.withheld) == (["b"], [("a", "unsubscribed from news")])


# --- scores ---


def test_points_come_by_events_and_by_what_is_known() -> None:
    story = simulate(ROAD, lead={"country": "DE"}, events=[at(days=1, event="visit")], scores=[INTEREST], up_to=days(2))

    assert story.lead["score"] == {"interest": 50}


def test_a_score_that_is_reached_on_the_way_is_acted_on_at_once() -> None:
    visits = [at(days=day, event="visit") for day in (1, 2)]
    story = simulate(ROAD, events=visits, scores=[INTEREST])

    assert (story.hand_offs, story.states) == (["director"], ["greet", "handover"])


def test_a_threshold_crossed_is_an_event_to_listen_for() -> None:
    road = short(wait_for(on("score_reached", threshold="hot"), up_to=days(9), otherwise=leave("cold")), send("a"))
    visits = [at(days=day, event="visit") for day in (1, 2)]

    assert [simulate(road, events=some, scores=[INTEREST]).sent for some in (visits, visits[:1])] == [["a"], []]


def test_bookkeeping_moves_the_points_that_depend_on_it() -> None:
    story = simulate(short(set_field(lead.country, "DE"), tag("x")), scores=[INTEREST])

    assert story.lead["score"] == {"interest": 10}


# --- the default house rules ---


def test_the_house_rules_hold_unless_others_are_given() -> None:
    road = short(send("a"), send("b"))
    free = HouseRules(quiet=None, caps=())

    assert simulate(road).sent_at("b") == A_MONDAY + days(1)
    assert simulate(road, rules=free).sent_at("b") == A_MONDAY


def test_a_year_of_waiting_takes_no_time_to_simulate() -> None:
    road = short(*[wait(days(365)), tag("older")] * 9)

    assert simulate(road).now - A_MONDAY == timedelta(days=9 * 365)


# --- the clocks of hand-offs ---

TEAM = Team(
    key="sales", lead="boss@example.com",
    people=(
        Salesperson(key="ann", name="Ann", email="ann@example.com", territory=("DE",)),
        Salesperson(key="bob", name="Bob", email="bob@example.com"),
    ),
    assign=by_territory(lead.country), hours=between("09:00", "18:00"),
    remind_after=minutes(15), answer_within=minutes(30), reassign_after=hours(2), recycle_after=hours(9),
)  # fmt: skip
SOLD = Campaign(
    "sold",
    enters=[on("asked")],
    states=[
        State("sales", [
            escalate("director"),
            wait_for(on("sales_accepted", to="won"), on("hand_off_recycled", to="again"), up_to=days(30)),
            leave("nobody knows"),
        ]),
        State("won", [leave("won")]),
        State("again", [wait(days(30)), leave("back in nurture")]),
    ],
)  # fmt: skip


def test_a_hand_off_that_nobody_answers_goes_through_the_whole_clock_and_back_into_nurture() -> None:
    story = simulate(SOLD, lead={"country": "DE"}, teams=[TEAM])

    assert [(f"{one.at:%a %H:%M}", one.deed, one.person) for one in story.sales] == [
        ("Mon 10:00", "assigned", "ann"),
        ("Mon 10:15", "reminded", "ann"),
        ("Mon 10:30", "escalated", ""),
        ("Mon 12:00", "reassigned", "bob"),
        ("Mon 12:15", "reminded", "bob"),
        ("Mon 12:30", "escalated", ""),
        ("Mon 14:00", "reassigned", ""),
        ("Mon 14:15", "reminded", ""),
        ("Tue 10:00", "recycled", ""),
    ]
    assert (story.states, story.ending) == (["sales", "again"], "left: back in nurture")


def test_an_answer_of_sales_stops_the_clock() -> None:
    story = simulate(SOLD, teams=[TEAM], events=[at(minutes=20, event="sales_accepted")])

    assert [one.deed for one in story.sales] == ["assigned", "reminded"]
    assert story.ending == "left: won"


def test_without_a_team_nobody_is_pressed() -> None:
    assert simulate(SOLD).sales == []


def test_the_winner_of_an_experiment_is_taken_as_it_is_told() -> None:
    rule = pick(on("order_paid"), within=days(14), after=500)
    road = Campaign(
        "road",
        [
            State("parting", [split({"short": 1, "long": 1}, key="length", winner=rule)]),
            State("short", [done]),
            State("long", [done]),
        ],
    )

    by_lot = {simulate(road, lead_id=f"lead-{n}").state for n in range(20)}
    decided = {simulate(road, lead_id=f"lead-{n}", winners={"length": "long"}).state for n in range(20)}

    assert (by_lot, decided) == ({"short", "long"}, {"long"})
    with pytest.raises(BadInput, match="experiment length has no arm 'lang': did you mean \"long\""):
        simulate(road, winners={"length": "lang"})


# --- channels ---

ASKED = send("road/hello", channel=prefer("telegram", "sms", "email"))


@pytest.mark.parametrize(
    ("known", "channel"),
    [
        ({}, "telegram"),
        ({"preferred_channel": "sms"}, "sms"),
        ({"preferred_channel": "pigeon"}, "telegram"),
        ({"messengers": {"telegram": None}}, "sms"),
        ({"messengers": {"telegram": None}, "phone": None}, "email"),
        ({"suppressed": {"telegram": "blocked"}}, "sms"),
        ({"consents": {"channel:telegram": False}}, "sms"),
        ({"preferred_channel": "email", "email": None}, "telegram"),
    ],
)
def test_a_message_goes_by_the_first_channel_that_reaches_the_lead(known: dict[str, Any], channel: str) -> None:
    assert simulate(short(ASKED), lead=known).sent_by == [("road/hello", channel)]


def test_a_lead_that_no_channel_reaches_is_told_of_with_every_reason() -> None:
    nowhere = {"messengers": {"telegram": None}, "consents": {"channel:sms": False}, "email": None}

    story = simulate(short(ASKED), lead=nowhere)

    assert story.withheld == [("road/hello", "telegram: no address; sms: stopped sms; email: no address")]


def test_a_channel_that_is_stopped_on_the_way_stops_alone() -> None:
    steps = send("road/one", channel="sms"), wait(days(7)), send("road/two", channel="sms"), send("road/three")

    story = simulate(short(*steps), events=[at(days=1, event="channel_stopped", channel="sms")])

    assert story.sent_by == [("road/one", "sms"), ("road/three", "email")]
    assert story.withheld == [("road/two", "stopped sms")]


def test_a_road_says_which_channels_a_message_goes_by() -> None:
    assert [send("x").words(), ASKED.words(), thank("x", channel="sms").words()] == [
        "send x", "send road/hello by telegram, else sms, else email", "thank with x by sms",
    ]  # fmt: skip
