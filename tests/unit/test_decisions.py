"""Decisions: which arm, until when, and what has been heard already."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import Campaign, State, branch, daily, days, done, event, lead, on, split, wait, wait_for, when
from nurture.decisions import FIRST, LAST, arm_heard, as_moment, choose, events_needed, heard_already, park, seen
from nurture.facts import Facts, Happening
from nurture.journey import Chose, Heard, Journey, Parked, begin, proceed
from nurture.pace import Pace
from nurture.steps import Branch, Split, Wait, WaitFor
from nurture.triggers import On
from nurture.version import Version, frozen

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
NINE_ON_A_CLOCK = datetime(2026, 1, 6, 9)  # noqa: DTZ001  # whose, the lead's zone says
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
PACE = Pace(origin=NOW)


def facts(now: datetime = NOW, happened: dict[str, list[Happening]] | None = None, **tree: Any) -> Facts:
    return Facts(now, tree, happened or {})


def a_split(**weights: float) -> Split:
    made = split(weights, key="case")
    assert isinstance(made, Split)
    return made


def a_wait(*args: Any, **options: Any) -> Wait:
    made = wait(*args, **options)
    assert isinstance(made, Wait)
    return made


def arm(step: Branch | Split, lead_id: str = "ann", seen_: Facts | None = None) -> int | None:
    reply = choose(step, lead_id, seen_ or facts()).reply
    assert isinstance(reply, Chose)
    return reply.arm


def parked(step: Wait | WaitFor, zone: ZoneInfo = BERLIN, pace: Pace = PACE, **tree: Any) -> Parked:
    reply = park(step, facts(**tree), zone, pace).reply
    assert isinstance(reply, Parked)
    return reply


# --- splits and branches ---


def test_a_split_parts_leads_in_proportion_to_its_weights() -> None:
    parted = Counter(arm(a_split(a=45, b=45, c=10), f"lead-{n}") for n in range(4000))

    assert [round(parted[taken] / 40) for taken in (0, 1, 2)] == pytest.approx([45, 45, 10], abs=3)


def test_a_lead_always_gets_the_same_arm_whatever_else_is_true_of_it() -> None:
    one = a_split(a=50, b=50)
    drawn = [arm(one, seen_=facts(country=country)) for country in ("DE", "FR", "JP")]

    assert len(set(drawn)) == 1


def test_splits_with_different_keys_part_leads_differently() -> None:
    one, other = a_split(a=1, b=1), a_split(a=1, b=1).model_copy(update={"key": "other"})
    alike = sum(arm(one, f"lead-{n}") == arm(other, f"lead-{n}") for n in range(1000))

    assert 400 < alike < 600


def test_an_arm_without_weight_is_never_taken() -> None:
    assert {arm(a_split(a=0, b=1, c=0), f"lead-{n}") for n in range(200)} == {1}


def test_a_branch_takes_the_first_true_arm_and_tells_what_it_saw() -> None:
    made = branch(
        when(lead.nps >= 9, to="a"), when(event("visit").count() >= 2, to="b"), when(lead.country == "DE", to="c")
    )
    assert isinstance(made, Branch)
    visits = [Happening("visit", NOW), Happening("visit", NOW)]

    decision = choose(made, "ann", facts(happened={"visit": visits}, nps=3, country="DE"))
    assert decision == (Chose(at=NOW, arm=1), {"nps": 3, "visit": 2})


def test_a_branch_where_nothing_is_true_goes_the_other_way_and_tells_all_it_saw() -> None:
    made = branch(when(lead.company.turnover >= 10, to="a"), when(lead.score("interest") >= 70, to="b"))
    assert isinstance(made, Branch)

    decision = choose(made, "ann", facts(score={"interest": 5}))
    assert decision == (Chose(at=NOW, arm=None), {"company.turnover": None, "score.interest": 5})


def test_what_a_condition_saw_counts_only_what_it_asks_for() -> None:
    asked = event("visit").where(page="price").within(days(7)).count() >= 2
    visits = [
        Happening("visit", NOW - days(ago), {"page": page}) for ago, page in ((1, "price"), (2, "home"), (9, "price"))
    ]

    assert list(seen(asked, facts(happened={"visit": visits})).values()) == [1]


# --- waits ---


@pytest.mark.parametrize(
    ("step", "until"),
    [
        pytest.param(a_wait(days(3)), NOW + days(3), id="a duration"),
        pytest.param(a_wait(days(730)), NOW + days(730), id="two years"),
        pytest.param(a_wait(at=daily("12:00")), NOW + timedelta(hours=1), id="a clock time of the lead"),
        pytest.param(a_wait(at=daily("11:00")), None, id="a clock time that is now"),
        pytest.param(a_wait(days(1), at=daily("10:30")), NOW + days(1) + timedelta(hours=23.5), id="after a duration"),
        pytest.param(a_wait(until=NOW + timedelta(hours=5)), NOW + timedelta(hours=5), id="M-28"),
        pytest.param(a_wait(until=NINE_ON_A_CLOCK), datetime(2026, 1, 6, 8, tzinfo=UTC), id="no zone is the lead's"),
        pytest.param(
            a_wait(until=date(2026, 1, 6)), datetime(2026, 1, 5, 23, tzinfo=UTC), id="a day begins at midnight"
        ),
        pytest.param(wait_for(on("x"), up_to=days(3)), NOW + days(3), id="a limit"),
    ],
)
def test_a_wait_lasts_until(step: Wait | WaitFor, until: datetime | None) -> None:
    assert parked(step) == Parked(at=NOW, until=until)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("2026-01-10T12:00:00+01:00", id="D-22 ISO"),
        pytest.param(int(datetime(2026, 1, 10, 11, tzinfo=UTC).timestamp()), id="D-22 seconds"),
        pytest.param(int(datetime(2026, 1, 10, 11, tzinfo=UTC).timestamp() * 1000), id="D-22 milliseconds"),
        pytest.param("2026-01-10 12:00", id="D-22 without a zone"),
    ],
)
@pytest.mark.parametrize("offset", [days(0), -days(3), days(2)])
def test_a_wait_until_a_date_of_the_lead_takes_it_however_it_is_written(value: Any, offset: timedelta) -> None:
    step = a_wait(until=lead.custom("ends"), offset=offset)

    assert parked(step, custom={"ends": value}).until == datetime(2026, 1, 10, 11, tzinfo=UTC) + offset


@pytest.mark.parametrize("value", [None, "", "soon", True, [], {}, float("nan"), "2026-13-45"])
def test_a_date_that_is_missing_or_no_date_is_no_wait_and_is_shown(value: Any) -> None:
    decision = park(a_wait(until=lead.custom("ends")), facts(custom={"ends": value}), BERLIN, PACE)

    assert decision == (Parked(at=NOW), {"ends": None})


@pytest.mark.parametrize("step", [a_wait(until=lead.custom("ends")), a_wait(until=NOW - days(1))])
def test_a_date_that_has_gone_by_is_told_as_past(step: Wait) -> None:
    assert parked(step, custom={"ends": "2026-01-01"}) == Parked(at=NOW, past=True)


def test_a_duration_after_a_date_may_still_lie_ahead() -> None:
    step = a_wait(days(10), until=lead.custom("ends"))

    assert parked(step, TOKYO, custom={"ends": "2026-01-01"}).until == datetime(2026, 1, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("step", "until"),
    [
        pytest.param(a_wait(until=lead.custom("ends")), LAST, id="never"),
        pytest.param(
            a_wait(until=lead.custom("ends"), at=daily("10:00")), LAST + timedelta(hours=9), id="never, at ten"
        ),
        pytest.param(a_wait(until=lead.custom("ends"), offset=days(99)), LAST, id="after never"),
        pytest.param(a_wait(days(999_999_999)), LAST, id="longer than calendars go"),
        pytest.param(wait_for(on("x"), up_to=days(999_999_999)), LAST, id="a limit longer than calendars go"),
    ],
)
def test_a_year_9999_stands_for_never(step: Wait | WaitFor, until: datetime) -> None:
    assert parked(step, custom={"ends": "9999-12-31"}).until == until


def test_a_date_before_all_calendars_has_gone_by() -> None:
    step = a_wait(until=lead.custom("born"), offset=-days(900), at=daily("10:00"))

    assert parked(step, custom={"born": "0003-01-01"}).past


def test_a_hurried_journey_waits_on_its_own_calendar() -> None:
    hurried = Pace(origin=NOW, factor=86_400)

    assert parked(a_wait(days(3)), pace=hurried).until == NOW + timedelta(seconds=3)
    assert parked(a_wait(at=daily("23:00")), pace=hurried).until == NOW + timedelta(seconds=0.5)


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.datetimes(), st.dates(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(-timedelta(hours=23)), timezone(timedelta(hours=23))])),
    st.sampled_from([10**400, -(10**12), "9999-12-31T23:59:59-12:00", "0001-01-01"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(value=junk, offset=st.timedeltas())
def test_no_value_of_a_lead_breaks_a_wait(value: Any, offset: timedelta) -> None:
    moment = as_moment(value, TOKYO)
    until = parked(a_wait(until=lead.custom("x"), offset=offset, at=daily("10:00")), TOKYO, custom={"x": value}).until

    assert moment is None or moment.tzinfo is not None
    assert until is None or NOW < until <= LAST + days(2)


def test_the_first_and_last_moment_leave_room_for_every_zone() -> None:
    assert FIRST.astimezone(TOKYO).year >= 2
    assert LAST.astimezone(TOKYO).year <= 9998


# --- hearing ---


@pytest.mark.parametrize(("received", "heard"), [(NOW, False), (NOW + timedelta(microseconds=1), True)])
def test_an_event_counts_if_it_was_received_after(received: datetime, heard: bool) -> None:
    visit = Happening("visit", NOW - days(1), {}, "visit-1", received)
    found = arm_heard("one/0/1:0", On(event=event("visit")), NOW, facts(happened={"visit": [visit]}))

    assert found == (Heard(at=received, arm="one/0/1:0", event="visit-1") if heard else None)


def test_of_several_events_the_first_after_is_heard() -> None:
    visits = [Happening("visit", NOW, {}, f"visit-{n}", NOW + days(n)) for n in (-1, 1, 2)]
    found = arm_heard("goal", On(event=event("visit")), NOW, facts(happened={"visit": visits}))

    assert found is not None
    assert found.event == "visit-1"


def resting(exits: list[Any] | None = None) -> tuple[Version, Journey]:
    road = frozen(Campaign("road", enters=[on("asked")], exits=exits or [], always=[when(lead.country == "DE", to="two")],
                           states=[State("one", [wait_for(on("visit"), up_to=days(3))]), State("two", [done])]))  # fmt: skip
    return road, proceed(road, begin(road, NOW), Parked(at=NOW, until=NOW + days(3)))


def test_coming_to_rest_the_journey_hears_first_what_takes_precedence() -> None:
    road, journey = resting(exits=[on("objected")])
    later = NOW + days(1)
    happened = {name: [Happening(name, later, {}, name, later)] for name in ("visit", "objected")}

    heard = [heard_already(road, journey, facts(later, some, country=country)) for some, country in
             [(happened, "DE"), ({"visit": happened["visit"]}, "DE"), (happened, "FR"), ({}, "FR")]]  # fmt: skip
    assert [one and one.arm for one in heard] == ["exit:0", "always:0", "exit:0", None]


def test_only_the_events_asked_for_are_loaded() -> None:
    asked = events_needed(
        lead.country == "DE", (event("visit").count() >= 2) | ~event("order").absent(days(3)), on("reply")
    )

    assert asked == {"visit", "order", "reply"}
