"""Branching, inactivity and jumps, as users of other engines know them: the rows that need a journey to be told.

Where an id stands twice or more, its row has several cases. A row that left the answer open says our `decision`; see
docs/decisions/0009-answers-to-open-scenarios.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from nurture import (
    Campaign,
    State,
    add_points,
    between,
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
    on_days,
    opened,
    prop,
    quiet,
    seconds,
    send,
    tag,
    wait,
    wait_for,
    weeks,
    when,
)
from nurture.calendar import resolve_zone
from nurture.campaign import always
from nurture.catalogue import Catalogue
from nurture.check import Check
from nurture.decisions import split_arm
from nurture.durations import in_words
from nurture.enrolment import Earlier, Refusal, may_enter
from nurture.experiments.rates import chance_of_shares
from nurture.experiments.verdict import LEAST_CHANCE
from nurture.permission import HouseRules
from nurture.simulate import A_MONDAY, Planned, Story, at, simulate
from nurture.steps import Split
from nurture.triggers import On

FREE = HouseRules(quiet=None, caps=())
SUNDAY_8, NEW_YORK = datetime(2018, 10, 21, 8, tzinfo=UTC), "America/New_York"
NOTHING = timedelta(0)


class Row(NamedTuple):
    """What is given, and what is sent, how long after the start, and how it ends."""

    id: str
    campaign: Campaign
    sent: Sequence[tuple[str, timedelta]]
    events: Sequence[Planned] = ()
    ending: str | None = "done"
    lead: Mapping[str, Any] = {}
    start: datetime = A_MONDAY
    rules: HouseRules = FREE
    time_zone: str = "UTC"
    decision: str = ""

    def story(self) -> Story:
        return simulate(
            self.campaign,
            lead=self.lead,
            events=self.events,
            start=self.start,
            rules=self.rules,
            time_zone=self.time_zone,
        )


def road(*rooms: State | Any, **options: Any) -> Campaign:
    steps = [one for one in rooms if not isinstance(one, State)]
    states = [*([State("first", steps)] if steps else []), *(one for one in rooms if isinstance(one, State))]
    return Campaign("scenario", states, enters=[on("asked")], **options)


def no_answer(*rooms: State | Any) -> Campaign:
    """A mail, and what becomes of leads that open it and of those that do not."""
    return road(
        send("mail"),
        wait_for(opened("mail"), up_to=seconds(6), then="opened", otherwise="silent"),
        State("opened", [send("next"), done]),
        State("silent", [send("reminder"), done]),
        *rooms,
    )


def form(sent: On) -> Campaign:
    """Waits a day for a form, sent like that."""
    return road(wait_for(sent, up_to=days(1), otherwise=leave("no")), send("a"))


ENDS = lead.custom("ends")
PAST, AHEAD = A_MONDAY - days(2), A_MONDAY + hours(5)
BOTH = [wait(until=ENDS), send("countdown"), send("after")]
ROWS = [
    # --- timing that needs a road ---
    Row("M-01", road(wait(until=datetime(2026, 1, 5, 10, 0, 45, tzinfo=UTC)), send("a")), [("a", seconds(15))],
        start=A_MONDAY + seconds(30), decision="a wait ends at its second, never early; minutes are no grain of ours"),
    Row("M-02", road(wait(seconds(75)), send("a")), [("a", seconds(75))]),
    Row("M-04", road(wait(at=daily("09:00")), send("a")), [("a", hours(23))],
        decision="a journey keeps the version it entered with: a changed hour holds for those that enter later"),
    Row("M-07 no answer", road(wait_for(clicked("m"), up_to=days(1)), send("now"), wait(days(2)), send("later")),
        [("now", days(1)), ("later", days(3))]),
    Row("M-08 due now", road(wait(days(1)), send("a")), [("a", days(1))]),
    Row("M-08 with a window", road(wait(days(1), at=between("23:00", "23:30")), send("a")), [("a", days(1) + hours(13))]),
    Row("M-08 due in 2 days", road(wait(days(2)), send("a")), [("a", days(2))]),
    Row("M-14", road(wait(at=on_days("wed", "fri", at="08:00")), send("a")), [("a", days(3))], start=SUNDAY_8),
    Row("M-19", road(send("a"), quiet=quiet("18:00", "09:00")), [("a", NOTHING)], lead={"time_zone": "UTC2"},
        start=datetime(2018, 10, 18, 13, tzinfo=UTC), time_zone=NEW_YORK),
    Row("M-23 in its own hours", road(wait(days(1), at=daily("06:00")), send("a")), [("a", days(1) + hours(12))],
        lead={"time_zone": NEW_YORK}, start=A_MONDAY - hours(11)),
    Row("M-23 for all at once", road(wait(seconds(9)), send("a")), [("a", seconds(9))], lead={"time_zone": NEW_YORK}),
    Row("M-28", road(wait(until=AHEAD), send("a")), [("a", hours(5))]),
    Row("M-29 skip", road(wait(until=PAST), send("a"), send("b")), [("b", NOTHING)],
        decision="a date gone by skips the next step; `on_past` may say run or leave"),
    Row("M-29 run", road(wait(until=PAST, on_past="run"), send("a")), [("a", NOTHING)]),
    Row("M-29 leave", road(wait(until=PAST, on_past="leave"), send("a")), [], ending="left: the date had gone by"),
    Row("D-22 ISO", road(*BOTH), [("countdown", hours(5)), ("after", hours(5))],
        lead={"custom": {"ends": AHEAD.isoformat()}}),
    Row("D-22 seconds", road(*BOTH), [("countdown", hours(5)), ("after", hours(5))],
        lead={"custom": {"ends": int(AHEAD.timestamp())}}),
    Row("D-22 milliseconds", road(*BOTH), [("countdown", hours(5)), ("after", hours(5))],
        lead={"custom": {"ends": int(AHEAD.timestamp() * 1000)}}),
    Row("D-22 before", road(wait(until=ENDS, offset=-hours(2)), send("a")), [("a", hours(3))],
        lead={"custom": {"ends": AHEAD.isoformat()}}),
    Row("D-22 after", road(wait(until=ENDS, offset=hours(2)), send("a")), [("a", hours(7))],
        lead={"custom": {"ends": AHEAD.isoformat()}}),
    Row("D-22 past", road(*BOTH), [("after", NOTHING)], lead={"custom": {"ends": PAST.isoformat()}},
        decision="a past date does not wait: it skips, runs or leaves as `on_past` says"),
    Row("D-22 missing", road(*BOTH), [("countdown", NOTHING), ("after", NOTHING)],
        decision="a missing date, and one that cannot be read, is no wait; the story shows it as missing"),
    Row("L-01", road(wait_for(on("never"), up_to=hours(12)), send("a", expires_after=hours(1)), send("b")),
        [("b", hours(22))], rules=HouseRules(quiet=quiet("21:00", "08:00"), caps=())),
    # --- branching and inactivity ---
    Row("M-31", no_answer(), [("mail", NOTHING), ("reminder", seconds(6))]),
    Row("M-32", no_answer(), [("mail", NOTHING), ("next", seconds(3))], [at(minutes=0.05, event=opened("mail"))]),
    Row("M-34", no_answer(), [("mail", NOTHING), ("next", seconds(3))],
        [at(minutes=0.05, event=opened("mail")), at(days=1, event=opened("mail"))]),
    Row("M-35", no_answer(), [("mail", NOTHING), ("reminder", seconds(6))], [at(days=1, event=opened("mail"))]),
    Row("M-37", road(State("a", [branch(when(lead.country == "DE", to="c"), otherwise="b")]), State("b", [done]),
                     State("c", [wait_for(on("visit"), up_to=days(1), otherwise=leave("no")), send("c")])),
        [], [at(hours=1, event="visit")]),
    Row("M-38 no such wait", no_answer(), [("mail", NOTHING), ("reminder", seconds(6))], [at(minutes=0.05, event="other")]),
    Row("M-38 another message", no_answer(), [("mail", NOTHING), ("reminder", seconds(6))],
        [at(minutes=0.05, event=opened("another"))]),
    Row("M-38 nothing follows", road(send("mail"), wait_for(opened("mail"), up_to=days(1))), [("mail", NOTHING)],
        [at(hours=1, event=opened("mail"))]),
    Row("M-40", road(State("a", [tag("seen"), send("a"), go("b")]), State("b", [send("b")])), [("a", NOTHING), ("b", NOTHING)]),
    Row("M-43 30 minutes", road(State("a", [send("a"), wait(minutes(30)), branch(when(event("message_sent").count() >= 3,
        to=done), otherwise="a")])), [("a", NOTHING), ("a", minutes(30)), ("a", minutes(60))]),
    Row("M-46 is met", road(branch(when(lead.score("interest") >= 1, to="give"), otherwise=done),
        State("give", [add_points(1, score="interest"), send("given")])), [("given", NOTHING)], lead={"score": {"interest": 1}}),
    Row("M-46 is not met", road(branch(when(lead.score("interest") >= 1, to="give"), otherwise=done),
        State("give", [add_points(1, score="interest"), send("given")])), []),
    Row("M-49 equals", form(on("form_sent", answer="a\"b' <c> & ü%")),
        [("a", hours(1))], [at(hours=1, event="form_sent", answer="a\"b' <c> & ü%")]),
    Row("M-49 is another", form(on("form_sent", answer="a\"b' <c> & ü%")),
        [], [at(hours=1, event="form_sent", answer="a\"b' <c> & ü")], ending="left: no"),
    Row("M-49 contains", form(on("form_sent", prop("answer").contains("<C>"))),
        [("a", hours(1))], [at(hours=1, event="form_sent", answer="a <c> d")]),
    Row("M-49 at least", form(on("form_sent", prop("amount") >= 10)),
        [], [at(hours=1, event="form_sent", amount=9)], ending="left: no"),
    # --- the same, from other engines ---
    Row("D-10", road(wait(days(1)), wait_for(on("visit"), up_to=days(3), otherwise=leave("no")), send("a")),
        [("a", days(1))], [at(hours=1, event="visit")]),
    Row("D-11 limit first", road(wait_for(on("visit"), up_to=days(3), otherwise=leave("no")), send("a")), [],
        [at(days=4, event="visit")], ending="left: no"),
    Row("D-11 in time", road(wait_for(on("visit"), up_to=days(3), otherwise=leave("no")), send("a")), [("a", days(2))],
        [at(days=2, event="visit")]),
    Row("P-01", road(send("e"), wait(hours(1)), send("f"), wait(hours(1)), send("g")),
        [("e", NOTHING), ("f", hours(1)), ("g", hours(2))]),
    Row("P-02", road(State("e", [branch(when(lead.country == "DE", to="g1"), otherwise=leave("not here"))]),
                     State("g1", [branch(when(event("order").where(plan="pro").count() >= 1, to=done), otherwise="no")]),
                     State("no", [send("no")])), [("no", NOTHING)], lead={"country": "DE"}),
    Row("M-73", road(*[send(name) for name in "abcd"]), [("a", NOTHING), ("b", NOTHING), ("c", NOTHING), ("d", weeks(1))],
        rules=HouseRules.model_validate({"quiet": None, "caps": [{"messages": 3, "period": days(7)}]})),
    Row("M-70 no address", road(send("a"), tag("went on")), [], lead={"email": None}),
    Row("M-70 unsubscribed", road(send("a"), tag("went on")), [], lead={"consents": {"news": False}}),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_lead_goes_the_way_that_is_expected(row: Row) -> None:
    story = row.story()

    assert [(template, when_ - row.start) for when_, template in story.messages] == list(row.sent)
    assert story.ending == row.ending


def test_an_unknown_zone_is_reported() -> None:  # M-19
    assert resolve_zone("UTC2", NEW_YORK)[1] == f'"UTC2" is not a time zone: {NEW_YORK} is used instead'


def test_what_quiet_hours_made_expire_is_recorded_with_its_reason() -> None:  # L-01
    [row] = [row for row in ROWS if row.id == "L-01"]

    assert row.story().withheld == [("a", "not sent within 1 hour")]


def test_a_named_score_is_counted_apart_from_all_others() -> None:  # M-47
    meets = road(
        branch(when(lead.score("fit") >= 1, to="give"), otherwise=done), State("give", [add_points(1, score="fit")])
    )

    scores = [simulate(meets, lead={"score": known}).lead["score"] for known in ({"fit": 1, "main": 5}, {"main": 5})]
    assert scores == [{"fit": 2, "main": 5}, {"main": 5}]


def test_only_leads_that_came_by_that_way_are_decided_upon() -> None:  # M-37
    [row] = [row for row in ROWS if row.id == "M-37"]

    assert [line.occurrence for line in row.story().lines if line.reply.kind == "heard"] == []


# --- what is refused before a lead ever meets it ---


@pytest.mark.parametrize(
    ("campaign", "fault"),
    [
        pytest.param(road(wait("3 fortnights"), send("a")), "wait(...): duration: ", id="M-22"),  # type: ignore[arg-type]
        pytest.param(road(send("a"), go("nowhere")), 'there is no state "nowhere"', id="M-41"),
        pytest.param(road(State("a", [send("a"), go("a")])), "goes round without a wait", id="M-43 at once"),
        pytest.param(road(State("a", [send("a"), wait(minutes(29)), go("a")])), "goes round without", id="M-43 29 minutes"),
    ],
)  # fmt: skip
def test_a_road_that_could_not_be_walked_is_refused(campaign: Campaign, fault: str) -> None:
    faults = [str(one) for one in Check(campaign, Catalogue(), "scenario.py", None).faults() if one.level == "error"]

    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize("length", [pytest.param(minutes(30), id="M-43")])
def test_a_road_that_takes_long_enough_to_go_round_is_allowed(length: timedelta) -> None:
    campaign = road(State("a", [send("a"), wait(length), go("a")]))

    assert Check(campaign, Catalogue(), "scenario.py", None).faults() == [], in_words(length)


def test_whom_a_person_took_out_is_not_put_back_by_a_rule() -> None:  # M-44
    campaign = road(send("a"), reenters=always)
    taken_out = [Earlier("", "ended", A_MONDAY, "stopped: by hand")]

    assert isinstance(may_enter(campaign, taken_out, "", manual=False, now=A_MONDAY), Refusal)
    assert may_enter(campaign, taken_out, "", manual=True, now=A_MONDAY) is None


def test_arms_get_the_same_shares_whether_leads_come_at_once_or_one_by_one() -> None:
    """M-74."""
    step = Split(key="subject", arms=(("short", 45), ("long", 45), ("none", 10)))
    leads = [f"lead-{n}" for n in range(4000)]

    at_once = {lead_id: split_arm(step, lead_id) for lead_id in leads}
    one_by_one = {lead_id: split_arm(step, lead_id) for lead_id in reversed(leads)}

    assert at_once == one_by_one
    shares = Counter(at_once.values())
    assert chance_of_shares([shares[arm] for arm in range(3)], [weight for _, weight in step.arms]) > LEAST_CHANCE
