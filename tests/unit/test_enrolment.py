from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nurture.campaign import Campaign, DateEntry, Reentry, State, always, never, once_in
from nurture.enrolment import (
    Earlier,
    Refusal,
    digest,
    entry_key,
    last_due,
    may_enter,
    pace_of,
)
from nurture.experiments.hold_outs import held_out
from nurture.lead import lead
from nurture.triggers import on
from nurture.values import as_key

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
AUCKLAND = ZoneInfo("Pacific/Auckland")


def campaign(reenters: Reentry = never, *, holdout: float = 0) -> Campaign:
    return Campaign("welcome", [State("first", [])], reenters=reenters, holdout=holdout)


def earlier(status: str = "ended", *, key: str = "", ago: timedelta = DAY, ending: str | None = "done") -> Earlier:
    return Earlier(key, status, NOW - ago, ending if status == "ended" else None)


def answer(*before: Earlier, reenters: Reentry = never, key: str = "", manual: bool = False, pace: float = 1) -> str:
    refusal = may_enter(campaign(reenters), before, key, manual, NOW, pace)
    return "enters" if refusal is None else refusal.reason


def test_a_lead_that_was_never_in_it_enters() -> None:
    assert answer() == "enters"


@pytest.mark.parametrize("status", ["starting", "active", "held"])
def test_a_lead_that_is_in_it_does_not_enter_again(status: str) -> None:
    assert answer(earlier(), earlier(status), reenters=always, manual=True) == "already in it"


def test_a_lead_that_is_held_out_stays_out() -> None:
    assert answer(earlier("holdout"), reenters=always) == "it is held out of this campaign"


def test_each_key_is_judged_on_its_own() -> None:
    assert answer(earlier("active", key="1"), key="2") == "enters"
    assert answer(earlier("active", key="1"), key="1") == "already in it"


def test_never_means_once_for_all() -> None:
    assert answer(earlier(ago=1000 * DAY)) == "it has been in it: a lead enters once only"


def test_always_means_as_soon_as_the_last_one_ended() -> None:
    assert answer(earlier(ago=timedelta(seconds=1)), reenters=always) == "enters"


@pytest.mark.parametrize(("days", "expected"), [(179, "once in 180 days: it entered on 2026-05-28"), (180, "enters")])
def test_once_in_a_period_counts_from_the_last_entry(days: int, expected: str) -> None:
    before = [earlier(ago=900 * DAY), earlier(ago=days * DAY)]

    assert answer(*before, reenters=once_in(180 * DAY)) == expected


def test_a_period_is_as_short_as_the_journey_is_fast() -> None:
    before = earlier(ago=timedelta(seconds=180))

    assert answer(before, reenters=once_in(180 * DAY), pace=86400) == "enters"
    assert answer(before, reenters=once_in(180 * DAY)) != "enters"


def test_whom_a_person_took_out_only_a_person_puts_back() -> None:
    stopped = earlier(ending="stopped: asked on the phone")

    assert answer(stopped, reenters=always) == "a person took it out: only a person may put it back"
    assert answer(stopped, reenters=never, manual=True) == "enters"


def test_a_person_does_not_set_aside_the_rule_of_re_entry() -> None:
    assert answer(earlier(), manual=True) == "it has been in it: a lead enters once only"


def test_a_stop_counts_until_a_person_put_the_lead_back() -> None:
    stopped, again = earlier(ago=2 * DAY, ending="stopped"), earlier(ago=DAY)

    assert answer(again, stopped, reenters=always) == "enters"


def test_the_hold_out_is_as_large_as_asked_and_always_the_same() -> None:
    tenth = campaign(holdout=10)
    drawn = Counter(held_out(tenth, f"lead-{n}") for n in range(10_000))

    assert 900 < drawn[True] < 1100
    assert [held_out(tenth, "ann") for _ in range(3)] == [held_out(tenth, "ann")] * 3


def test_without_a_hold_out_nobody_is_held_out_and_with_all_of_it_everybody() -> None:
    assert not any(held_out(campaign(), f"lead-{n}") for n in range(1000))
    assert all(held_out(campaign(holdout=100), f"lead-{n}") for n in range(1000))


@pytest.mark.parametrize("value", [1, 1.0, "1", " 1 "])
def test_one_is_one_key_however_it_is_written(value: object) -> None:
    assert as_key(value) == "1"


@pytest.mark.parametrize("value", [None, "", "  ", [], {}, float("nan"), float("inf"), "x" * 201])
def test_some_values_can_be_no_key(value: object) -> None:
    assert as_key(value) is None


@pytest.mark.parametrize(("value", "key"), [(True, "true"), (2.5, "2.5"), (10**30, "1" + "0" * 30), ("Ä/1", "Ä/1")])
def test_other_values_are_keys_as_they_read(value: object, key: str) -> None:
    assert as_key(value) == key


def test_a_key_may_lie_deep_in_the_event() -> None:
    entry = on("order_paid", key="order.id")

    assert entry_key(entry, {"order": {"id": 7}}) == "7"
    assert entry_key(entry, {"order": "none"}) == Refusal(
        "the event has no usable order.id, which is this campaign's key"
    )
    assert entry_key(on("order_paid"), {}) == ""


def test_only_a_test_lead_may_hurry_outside_development() -> None:
    assert pace_of(86400, 1, development=False, test_lead=True) == 86400
    assert pace_of(86400, 1, development=True, test_lead=False) == 86400
    assert pace_of(None, 60, development=True, test_lead=False) == 60
    assert isinstance(pace_of(86400, 1, development=False, test_lead=False), Refusal)


def test_another_condition_is_remembered_under_another_name() -> None:
    assert digest(lead.country == "DE") == digest(lead.country == "DE") != digest(lead.country == "FR")


# --- dates ---


def due(
    value: object, *, offset: timedelta = timedelta(0), yearly: bool = False, zone: ZoneInfo = BERLIN
) -> str | None:
    entry = DateEntry(field=("custom", "day"), offset=offset, yearly=yearly)
    found = last_due(entry, {"custom": {"day": value}}, zone, NOW)
    return found.isoformat() if found else None


def test_a_date_is_due_at_its_midnight_in_the_lead_s_zone() -> None:
    assert due("2026-11-23") == "2026-11-22T23:00:00+00:00"
    assert due("2026-11-24", zone=AUCKLAND) is None
    assert due("2026-11-23", zone=AUCKLAND) == "2026-11-22T11:00:00+00:00"


def test_a_date_is_due_so_long_before_or_after() -> None:
    assert due("2026-11-26", offset=-3 * DAY) == "2026-11-22T23:00:00+00:00"
    assert due("2026-11-23", offset=timedelta(hours=9)) == "2026-11-23T08:00:00+00:00"
    assert due("2026-11-23", offset=timedelta(hours=12)) is None


def test_a_moment_is_due_at_that_moment() -> None:
    assert due("2026-11-23T09:59:00+00:00") == "2026-11-23T09:59:00+00:00"
    assert due("2026-11-23T10:01:00+00:00") is None


@pytest.mark.parametrize("value", [None, "soon", [], True])
def test_what_is_no_date_is_never_due(value: object) -> None:
    assert due(value) is None


def test_a_yearly_date_is_due_every_year_from_its_own_on() -> None:
    assert due("1990-11-23", yearly=True) == "2026-11-22T23:00:00+00:00"
    assert due("1990-12-31", yearly=True) == "2025-12-30T23:00:00+00:00"
    assert due("2027-03-01", yearly=True) is None


def test_who_was_born_on_a_leap_day_has_a_day_every_year() -> None:
    assert due("2000-02-29", yearly=True, zone=ZoneInfo("UTC")) == "2026-02-28T00:00:00+00:00"


def test_a_yearly_date_early_in_the_year_may_be_due_in_the_year_before() -> None:
    assert due("1990-01-05", offset=-60 * DAY, yearly=True, zone=ZoneInfo("UTC")) == "2026-11-06T00:00:00+00:00"
