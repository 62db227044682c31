"""Entering, entering again and going one's own way, as users of other engines know them: the rows that need no store.

Where an id stands twice or more, its row has several cases, those beside the listed one among them. B-01, M-65 and P-05
differ from their sources on purpose.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nurture import (
    Campaign,
    State,
    add_points,
    advance,
    always,
    between,
    branch,
    days,
    done,
    event,
    hours,
    lead,
    leave,
    minutes,
    never,
    on,
    once_in,
    send,
    tag,
    unsubscribe,
    wait,
    wait_for,
    when,
)
from nurture.campaign import Reentry
from nurture.conditions import AnyCondition
from nurture.enrolment import Earlier, Refusal, may_enter
from nurture.permission import HouseRules
from nurture.simulate import A_MONDAY, Planned, at, simulate
from nurture.steps import Step

FREE = HouseRules(quiet=None, caps=())
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
STOPPED, RULE, PERSON = "stopped: asked on the phone", False, True
IN_IT, BEFORE, TAKEN_OUT = "already in it", "it has been in it: a lead enters once only", "a person took it out"


def run(ago: timedelta, ending: str | None = "done", *, key: str = "", status: str = "", number: int = 1) -> Earlier:
    """A journey begun so long ago; one without an ending goes on."""
    return Earlier(key, status or ("active" if ending is None else "ended"), NOW - ago, ending, number)


@pytest.mark.parametrize(
    ("reenters", "earlier", "key", "by", "refused"),
    [
        pytest.param(always, [run(days(9))], "", RULE, None, id="M-55 a second run"),
        pytest.param(always, [run(days(9)), run(days(5))], "", RULE, None, id="M-55 a third run"),
        pytest.param(always, [run(days(9), "goal reached"), run(days(5), "left: no")], "", RULE, None, id="M-55 ends"),
        pytest.param(always, [run(days(9), STOPPED)], "", PERSON, None, id="M-56"),
        pytest.param(never, [run(days(9), STOPPED)], "", PERSON, None, id="M-56 who enters once only"),
        pytest.param(once_in(days(30)), [run(days(9), STOPPED)], "", PERSON, None, id="M-56 before its time"),
        pytest.param(always, [run(days(9)), run(days(5), STOPPED)], "", PERSON, None, id="M-56 of the second run"),
        pytest.param(always, [run(days(9), None)], "", PERSON, IN_IT, id="M-56 who is in it"),
        pytest.param(always, [run(days(9), STOPPED)], "", RULE, TAKEN_OUT, id="M-58"),
        pytest.param(always, [run(days(900), STOPPED)], "", RULE, TAKEN_OUT, id="M-58 years ago"),
        pytest.param(once_in(days(1)), [run(days(9), "stopped")], "", RULE, TAKEN_OUT, id="M-58 without a reason"),
        pytest.param(always, [run(days(5), STOPPED), run(days(9))], "", RULE, TAKEN_OUT, id="M-58 told in any order"),
        pytest.param(always, [run(days(9), STOPPED), run(days(5))], "", RULE, None, id="M-58 put back, then done"),
        pytest.param(always, [run(days(9), STOPPED), run(days(9), number=2)], "", RULE, None, id="M-58 put back at once"),
        pytest.param(always, [run(days(9), STOPPED, number=2), run(days(8))], "", RULE, TAKEN_OUT, id="M-58 clocks differ"),
        pytest.param(always, [run(days(9), "left: stopped buying")], "", RULE, None, id="M-58 no person's word"),
        pytest.param(always, [run(days(9), STOPPED, key="1")], "2", RULE, None, id="M-58 of another appointment"),
        pytest.param(always, [run(days(9), None)], "", RULE, IN_IT, id="B-01 with a timer"),
        pytest.param(always, [run(days(9), None, status="held")], "", RULE, IN_IT, id="B-01 in a pause"),
        pytest.param(always, [run(days(9), None, status="starting")], "", RULE, IN_IT, id="B-01 about to start"),
        pytest.param(always, [run(days(9), None, key="1")], "2", RULE, None, id="B-01 for another appointment"),
        pytest.param(always, [run(days(9), None, status="holdout")], "", PERSON, "it is held out", id="B-01 held out"),
        pytest.param(always, [run(hours(1))], "", RULE, None, id="D-07"),
        pytest.param(never, [run(days(900))], "", RULE, BEFORE, id="D-08"),
        pytest.param(never, [run(days(900))], "", PERSON, BEFORE, id="D-08 by hand"),
        pytest.param(never, [run(days(9), key="1")], "1", RULE, BEFORE, id="D-01 after its end"),
        pytest.param(never, [run(days(9), key="1")], "2", RULE, None, id="D-02"),
        pytest.param(never, [run(days(9), None, key="1")], "1", RULE, IN_IT, id="D-01"),
        pytest.param(once_in(days(9)), [run(days(9))], "", RULE, None, id="B-16 to the second"),
        pytest.param(once_in(days(9)), [run(days(9) - minutes(1))], "", RULE, "once in 9 days", id="B-16 too early"),
    ],
)  # fmt: skip
def test_who_may_enter_is_told_by_what_was_before(
    reenters: Reentry, earlier: Sequence[Earlier], key: str, by: bool, refused: str | None
) -> None:
    campaign = Campaign("scenario", [State("first", [done])], reenters=reenters)

    answer = may_enter(campaign, earlier, key, manual=by, now=NOW)

    assert isinstance(answer, Refusal) is (refused is not None)
    assert (answer.reason if answer else "").startswith(refused or "")


# --- what is done before a lead leaves ---


def road(*steps: Step, to: Sequence[State] = ()) -> Campaign:
    return Campaign("scenario", [State("first", steps), *to], enters=[on("asked")])


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        pytest.param(leave("moved on"), "left: moved on", id="M-52"),
        pytest.param(done, "done", id="M-52 done"),
        pytest.param(branch(when(lead.score("interest") >= 1, to=leave("hot")), otherwise=done), "left: hot",
                     id="M-52 it counts"),
    ],
)  # fmt: skip
def test_what_comes_before_the_end_is_done(last: Step, ending: str) -> None:
    story = simulate(road(add_points(1, score="interest"), tag("seen"), advance("interest"), last))

    assert (story.lead["score"], story.lead["tags"], story.lead["stage"]) == ({"interest": 1}, ["seen"], "interest")
    assert story.ending == ending


# --- one of several appointments ---

GONE = State("gone", [send("gone")])


def appointments(**heard: object) -> Campaign:
    """One journey for each appointment: reminded after six days, unless it is cancelled."""
    steps = [wait_for(on("cancelled", key="id"), up_to=days(6), then="gone")] if not heard else [wait(days(6))]
    states = [State("remind", [*steps, send("reminder"), wait(days(1)), done]), GONE]
    return Campaign("appointments", states, enters=[on("booked", key="id")], **heard)  # type: ignore[arg-type]


CANCELLED = on("cancelled", key="id")


@pytest.mark.parametrize(
    "campaign",
    [
        pytest.param(appointments(), id="D-02 by a wait"),
        pytest.param(appointments(exits=[on("cancelled", key="id", to="gone")]), id="D-02 by an exit"),
        pytest.param(appointments(goal=on("cancelled", key="id", to="gone")), id="D-02 by the goal"),
        pytest.param(appointments(always=[on("cancelled", key="id", to="gone")]), id="D-02 at any time"),
    ],
)
@pytest.mark.parametrize(
    ("key", "cancelled", "sent"),
    [
        pytest.param("1", {"id": 1}, ["gone"], id="its own"),
        pytest.param("1", {"id": "1"}, ["gone"], id="its own, as a text"),
        pytest.param("2", {"id": 1}, ["reminder"], id="another one"),
        pytest.param("2", {}, ["reminder"], id="none in particular"),
        pytest.param("2", {"id": None}, ["reminder"], id="nothing"),
        pytest.param("", {"id": ""}, ["reminder"], id="none, of a journey for none"),
    ],
)
def test_only_the_journey_of_that_appointment_hears_that_it_is_cancelled(
    campaign: Campaign, key: str, cancelled: dict[str, Any], sent: list[str]
) -> None:
    story = simulate(campaign, key=key, events=[at(days=3, event="cancelled", **cancelled)], rules=FREE)

    assert story.sent == sent


def test_what_is_heard_by_no_key_is_heard_by_every_appointment() -> None:  # D-02
    campaign = appointments(exits=[on("moved_away", to="gone")])

    stories = [simulate(campaign, key=key, events=[at(days=3, event="moved_away", id=1)]) for key in ("1", "2")]
    assert [story.sent for story in stories] == [["gone"], ["gone"]]


def test_an_entry_and_what_is_heard_later_say_what_a_key_means_to_them() -> None:  # D-02
    campaign = appointments(exits=[CANCELLED])

    assert campaign.enters[0].words() == "on booked, one journey for each id"
    assert (
        simulate(campaign, key="1", events=[at(days=3, event="cancelled", id=1)]).ending
        == "left: on cancelled of the same id"
    )


# --- once, at the time that is allowed ---


@pytest.mark.parametrize("weekday", range(7), ids=lambda day: f"B-02 from day {day}")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"])
def test_a_message_for_some_days_of_the_week_is_sent_once_on_one_of_them(weekday: int, zone: str) -> None:
    sunday_to_thursday = between("00:00", "24:00", days=("sun", "mon", "tue", "wed", "thu"))
    start = A_MONDAY + days(weekday)
    story = simulate(
        road(wait(days(2), at=sunday_to_thursday), send("once")), start=start, lead={"time_zone": zone}, rules=FREE
    )

    [(sent, _)] = story.messages
    local, due = sent.astimezone(ZoneInfo(zone)), (start + days(2)).astimezone(ZoneInfo(zone))
    assert local.strftime("%a") not in ("Fri", "Sat")
    assert local == due or (local - due < days(2) and local.hour == 0)


@pytest.mark.parametrize(
    ("length", "least"), [pytest.param(hours(1), minutes(59), id="P-07"), pytest.param(days(40), days(40), id="P-07 long")]
)  # fmt: skip
def test_what_is_due_so_long_from_now_is_not_due_before(length: timedelta, least: timedelta) -> None:
    story = simulate(road(wait(until=lead.custom("then")), send("a")), lead={"custom": {"then": (A_MONDAY + length).isoformat()}},
                     rules=FREE)  # fmt: skip

    assert story.sent_at("a") - A_MONDAY >= least


CIRCLES = "left: it went round in circles at g2"


def circle(first: AnyCondition, second: AnyCondition) -> Campaign:
    gates = [
        State("g1", [branch(when(first, to="g2"), otherwise=done)]),
        State("g2", [branch(when(second, to="g1"), otherwise=done)]),
    ]
    return Campaign("scenario", gates, enters=[on("asked")])


@pytest.mark.parametrize(
    ("campaign", "ending"),
    [
        pytest.param(circle(lead.country == "DE", lead.city == "Bonn"), CIRCLES, id="P-05"),
        pytest.param(circle(lead.country == "DE", lead.city == "Kiel"), "done", id="P-05 with a way out"),
        pytest.param(circle(lead.country == "FR", lead.city == "Bonn"), "done", id="P-05 never entered"),
    ],
)  # fmt: skip
def test_two_gates_that_lead_to_each_other_hold_nobody_for_ever(campaign: Campaign, ending: str) -> None:
    assert simulate(campaign, lead={"country": "DE", "city": "Bonn"}).ending == ending


# --- no consent, on the way ---


@pytest.mark.parametrize(
    ("before", "events", "withheld"),
    [
        pytest.param([wait(days(1))], [at(hours=2, event="unsubscribed", topic="news")], "unsubscribed from news", id="B-04"),
        pytest.param([wait(days(1))], [at(hours=2, event="unsubscribed")], "unsubscribed from news", id="B-04 from all"),
        pytest.param([unsubscribe("news"), wait(days(1))], [], "unsubscribed from news", id="B-04 by the campaign"),
        pytest.param([wait(days(1))], [at(hours=2, event="visit", lead={"suppressed": "5.1.1"})],
                     "the address is suppressed: 5.1.1", id="B-04 by a bounce"),
        pytest.param([wait(days(1))], [at(hours=2, event="visit", lead={"email": None})], "no address", id="B-04 no address"),
    ],
)  # fmt: skip
def test_who_may_not_be_written_to_any_more_is_not_and_goes_on(
    before: Sequence[Step], events: Sequence[Planned], withheld: str
) -> None:
    story = simulate(road(*before, send("a"), wait(days(1)), tag("went on")), events=events, rules=FREE)

    assert (story.sent, story.withheld) == ([], [("a", withheld)])
    assert (story.lead["tags"], story.ending) == (["went on"], "done")


@pytest.mark.parametrize(
    ("events", "sent"),
    [
        pytest.param([at(hours=1, event="unsubscribed", topic="other")], ["a"], id="D-31 another topic"),
        pytest.param([at(hours=1, event="unsubscribed", topic="news"),
                      at(hours=2, event="visit", lead={"consents": {"news": True}})], ["a"], id="D-31 on again"),
        pytest.param([at(hours=1, event="visit", lead={"consents": {"news": True}}),
                      at(hours=2, event="unsubscribed", topic="news")], [], id="D-31 off again"),
        pytest.param([at(hours=1, event="unsubscribed"),
                      at(hours=2, event="visit", lead={"consents": {"news": True}})], ["a"], id="D-31 all off, one on"),
        pytest.param([at(hours=1, event="visit", lead={"consents": {"news": True}}), at(hours=2, event="unsubscribed")], [],
                     id="D-31 one on, all off"),
    ],
)  # fmt: skip
def test_the_last_answer_counts(events: Sequence[Planned], sent: list[str]) -> None:
    assert simulate(road(wait(days(1)), send("a")), events=events, rules=FREE).sent == sent


@pytest.mark.parametrize(
    ("house", "consents", "sent"),
    [
        pytest.param("required", {}, [], id="D-31 opt-in"),
        pytest.param("required", {"news": True}, ["a"], id="D-31 opt-in, in"),
        pytest.param("assumed", {}, ["a"], id="D-31 opt-out"),
        pytest.param("assumed", {"news": False}, [], id="D-31 opt-out, out"),
        pytest.param("assumed", {"other": False}, ["a"], id="D-31 opt-out of another"),
    ],
)
def test_who_has_said_nothing_is_written_to_only_where_that_is_assumed(
    house: str, consents: dict[str, bool], sent: list[str]
) -> None:
    rules = HouseRules.model_validate({"quiet": None, "caps": [], "consent": house})
    nothing_said = {"*": None} | consents

    assert simulate(road(send("a")), lead={"consents": nothing_said}, rules=rules).sent == sent


@pytest.mark.parametrize(
    ("events", "sent"),
    [
        pytest.param([at(days=1, event="order"), at(days=1, event="order")], ["two"], id="D-17 two at once"),
        pytest.param([at(days=1, event="order")], ["fewer"], id="D-17 one"),
        pytest.param([at(days=3, event="order"), at(days=4, event="order")], ["fewer"], id="D-17 too late"),
    ],
)  # fmt: skip
def test_what_has_happened_so_often_is_counted_to_the_end_of_the_wait(
    events: Sequence[Planned], sent: list[str]
) -> None:
    campaign = road(
        wait_for(when(event("order").count() >= 2), up_to=days(2), then="two", otherwise="fewer"),
        to=[State("two", [send("two"), done]), State("fewer", [send("fewer")])],
    )

    assert simulate(campaign, events=events, rules=FREE).sent == sent
