import re
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nurture.calendar import (
    WEEK,
    ClockTime,
    Opening,
    QuietHours,
    Window,
    between,
    daily,
    end_of_quiet,
    is_open,
    local_date_at,
    next_opening,
    on_days,
    quiet,
    resolve_zone,
    weekdays,
    words,
)
from nurture.durations import days, hours, minutes

BERLIN = ZoneInfo("Europe/Berlin")
NUUK = ZoneInfo("America/Nuuk")
APIA = ZoneInfo("Pacific/Apia")
TOKYO = ZoneInfo("Asia/Tokyo")
AN_INSTANT = timedelta.resolution
OPENINGS: TypeAdapter[ClockTime | Window] = TypeAdapter(Opening)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def berlin(text: str) -> datetime:
    """An instant by its local time with the offset, since a local time alone may be ambiguous."""
    return datetime.fromisoformat(text).astimezone(UTC)


# Clock times


@pytest.mark.parametrize(
    ("opening", "not_before", "expected"),
    [
        pytest.param(daily("10:00"), "2026-06-06 07:59", "2026-06-06 08:00", id="later today"),
        pytest.param(daily("10:00"), "2026-06-06 08:00", "2026-06-06 08:00", id="at this very instant"),
        pytest.param(daily("10:00"), "2026-06-06 08:00:00.000001", "2026-06-07 08:00", id="just passed"),
        pytest.param(weekdays("10:00"), "2026-06-05 09:00", "2026-06-08 08:00", id="over a weekend"),
        pytest.param(on_days("wed", at="08:00"), "2026-06-10 07:00", "2026-06-17 06:00", id="a week on"),
        pytest.param(daily("10:00"), "2028-02-28 10:00", "2028-02-29 09:00", id="on a leap day"),
        pytest.param(daily("00:00"), "2026-12-31 12:00", "2026-12-31 23:00", id="into a new year"),
    ],
)
def test_a_clock_time_is_the_next_such_time_in_the_zone_of_the_lead(
    opening: ClockTime, not_before: str, expected: str
) -> None:
    assert next_opening(opening, utc(not_before), BERLIN) == utc(expected)


def test_weekdays_are_those_of_the_lead_not_of_utc() -> None:
    friday_morning_in_tokyo = utc("2023-12-21 20:00")

    assert next_opening(on_days("fri", at="05:00"), utc("2023-12-19 23:00"), TOKYO) == friday_morning_in_tokyo


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (minutes(0), "2026-06-06 08:00:00"),
        (minutes(30), "2026-06-06 08:30:00"),
        (minutes(30) + AN_INSTANT, "2026-06-07 08:00:00"),
        (-minutes(1), "2026-06-06 08:00:00"),
    ],
)
def test_a_clock_time_passed_by_no_more_than_its_grace_still_counts(late: timedelta, expected: str) -> None:
    opening = daily("10:00", grace=minutes(30))

    assert next_opening(opening, utc("2026-06-06 08:00") + late, BERLIN) == utc(expected)


def test_grace_reaches_over_midnight() -> None:
    opening = on_days("fri", at="23:50", grace=minutes(30))
    saturday_ten_past_midnight = utc("2026-06-05 22:10")

    assert next_opening(opening, saturday_ten_past_midnight, BERLIN) == saturday_ten_past_midnight


def test_a_clock_time_that_spring_skips_is_served_right_after_the_gap() -> None:
    assert next_opening(daily("02:30"), utc("2026-03-28 12:00"), BERLIN) == utc("2026-03-29 01:00")


def test_a_clock_time_that_spring_skips_is_served_once() -> None:
    assert next_opening(daily("02:30"), utc("2026-03-29 01:00") + AN_INSTANT, BERLIN) == utc("2026-03-30 00:30")


def test_a_clock_time_that_autumn_repeats_is_served_the_first_time() -> None:
    assert next_opening(daily("02:30"), utc("2026-10-24 12:00"), BERLIN) == utc("2026-10-25 00:30")


def test_a_clock_time_that_autumn_repeats_is_not_served_the_second_time() -> None:
    assert next_opening(daily("02:30"), utc("2026-10-25 00:31"), BERLIN) == utc("2026-10-26 01:30")


def test_a_clock_time_swallowed_at_the_end_of_a_day_is_served_as_the_next_day_begins() -> None:
    sunday_midnight = utc("2024-03-31 01:00")

    assert next_opening(on_days("sat", at="23:30"), utc("2024-03-30 12:00"), NUUK) == sunday_midnight
    assert next_opening(on_days("sat", at="23:30"), sunday_midnight, NUUK) == sunday_midnight


def test_a_clock_time_on_a_day_that_never_was_is_served_as_the_next_day_begins() -> None:
    saturday_midnight = utc("2011-12-30 10:00")

    assert next_opening(on_days("fri", at="10:00"), utc("2011-12-29 12:00"), APIA) == saturday_midnight


def test_a_clock_time_is_not_served_again_when_the_clock_is_put_back_over_midnight() -> None:
    newfoundland = ZoneInfo("America/St_Johns")
    saturday_once_more = utc("2009-11-01 02:45")

    assert next_opening(on_days("sun", at="00:00"), saturday_once_more, newfoundland) == utc("2009-11-08 03:30")


# Windows


@pytest.mark.parametrize(
    ("opening", "not_before", "expected"),
    [
        pytest.param(between("09:00", "18:00"), "2026-06-06 06:59", "2026-06-06 07:00", id="before it"),
        pytest.param(between("09:00", "18:00"), "2026-06-06 07:00", "2026-06-06 07:00", id="start is inside"),
        pytest.param(between("09:00", "18:00"), "2026-06-06 15:59:59.5", "2026-06-06 15:59:59.5", id="within it"),
        pytest.param(between("09:00", "18:00"), "2026-06-06 16:00", "2026-06-07 07:00", id="end is outside"),
        pytest.param(
            between("09:00", "18:00", days=("mon",)), "2026-06-08 16:00", "2026-06-15 07:00", id="a week later"
        ),
        pytest.param(between("18:00", "24:00"), "2026-06-06 21:59", "2026-06-06 21:59", id="up to midnight"),
        pytest.param(between("18:00", "24:00"), "2026-06-06 22:00", "2026-06-07 16:00", id="midnight is outside"),
        pytest.param(
            between("00:00", "24:00", days=("sat", "sun")), "2026-06-05 12:00", "2026-06-05 22:00", id="all weekend"
        ),
    ],
)
def test_a_window_lets_through_or_waits_for_its_start(opening: Window, not_before: str, expected: str) -> None:
    assert next_opening(opening, utc(not_before), BERLIN) == utc(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-06-05T05:59+02:00", False),  # Friday morning is still Thursday's night
        ("2026-06-05T21:59+02:00", False),
        ("2026-06-05T22:00+02:00", True),
        ("2026-06-06T05:59+02:00", True),
        ("2026-06-06T06:00+02:00", False),
        ("2026-06-06T23:00+02:00", True),
        ("2026-06-07T05:59+02:00", True),
        ("2026-06-07T23:00+02:00", False),
    ],
)
def test_an_overnight_window_belongs_to_the_day_it_starts_on(now: str, expected: bool) -> None:
    assert is_open(between("22:00", "06:00", days=("fri", "sat")), berlin(now), BERLIN) is expected


def test_sunday_night_lasts_into_monday() -> None:
    assert is_open(between("22:00", "06:00", days=("sun",)), berlin("2026-06-08T05:00+02:00"), BERLIN)


@pytest.mark.parametrize("now", ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"])
def test_a_window_is_open_at_both_readings_of_a_repeated_time(now: str) -> None:
    assert is_open(between("02:15", "02:45"), berlin(now), BERLIN)


def test_a_window_opens_again_when_the_clock_is_put_back_into_it() -> None:
    after_the_first_half_past_two = berlin("2026-10-25T02:40+02:00")

    opening = next_opening(between("01:30", "02:30"), after_the_first_half_past_two, BERLIN)

    assert opening == berlin("2026-10-25T02:00+01:00")


def test_a_window_whose_start_is_skipped_opens_after_the_gap() -> None:
    assert next_opening(between("02:30", "04:00"), utc("2026-03-29 00:00"), BERLIN) == utc("2026-03-29 01:00")


def test_a_window_is_found_from_half_a_second_before_the_clock_changes() -> None:
    just_before = utc("2026-03-29 01:00") - timedelta(seconds=0.5)

    assert next_opening(between("03:00", "04:00"), just_before, BERLIN) == utc("2026-03-29 01:00")


def test_a_window_that_a_gap_swallows_opens_on_its_next_day() -> None:
    sunday = between("02:15", "02:45", days=("sun",))

    assert next_opening(sunday, utc("2026-03-28 12:00"), BERLIN) == utc("2026-04-05 00:15")


def test_the_repeated_reading_of_an_aware_local_time_is_told_apart_by_its_fold() -> None:
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)

    assert next_opening(between("02:00", "03:00"), second, BERLIN) == utc("2026-10-25 01:30")


def test_the_answer_is_in_utc() -> None:
    noon = datetime(2026, 6, 6, 12, tzinfo=BERLIN)

    assert next_opening(between("00:00", "24:00"), noon, BERLIN).tzinfo is UTC


# Quiet hours


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-06-06 18:59", None),
        ("2026-06-06 19:00", "2026-06-07 06:00"),
        ("2026-06-07 05:59:59.999999", "2026-06-07 06:00"),
        ("2026-06-07 06:00", None),
    ],
)
def test_quiet_hours_end_at_their_end(now: str, expected: str | None) -> None:
    end = end_of_quiet(quiet("21:00", "08:00"), utc(now), BERLIN)

    assert end == (utc(expected) if expected else None)


def test_a_quiet_weekend_ends_on_monday() -> None:
    weekend = quiet("00:00", "24:00", days=("sat", "sun"))

    assert end_of_quiet(weekend, utc("2026-06-06 12:00"), BERLIN) == utc("2026-06-07 22:00")


def test_quiet_hours_whose_end_is_skipped_last_until_the_gap() -> None:
    assert end_of_quiet(quiet("21:00", "02:30"), utc("2026-03-28 22:00"), BERLIN) == utc("2026-03-29 01:00")


def test_quiet_hours_are_as_long_as_the_night_in_which_the_clock_is_put_back() -> None:
    half_past_two_once_more = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)

    end = end_of_quiet(quiet("21:00", "08:00"), half_past_two_once_more, BERLIN)

    assert end == utc("2026-10-25 07:00")
    assert end.tzinfo is UTC


def test_quiet_hours_ask_the_same_whatever_the_zone_of_the_question() -> None:
    evening = datetime(2026, 10, 24, 22, tzinfo=BERLIN)

    assert end_of_quiet(quiet("21:00", "08:00"), evening, BERLIN) == utc("2026-10-25 07:00")


def test_quiet_hours_that_never_end_are_refused() -> None:
    for_ever = between("00:00", "24:00")

    with pytest.raises(ValueError, match="never ends"):
        end_of_quiet(for_ever, utc("2026-06-06 12:00"), BERLIN)


# Dates of the lead


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        pytest.param(date(2026, 6, 6), time(9), BERLIN, "2026-06-06 07:00", id="an ordinary day"),
        pytest.param(date(2026, 6, 6), time(9, 0, 30), BERLIN, "2026-06-06 07:00:30", id="to the second"),
        pytest.param(date(2026, 3, 29), time(2, 30), BERLIN, "2026-03-29 01:00", id="a time that is skipped"),
        pytest.param(date(2026, 10, 25), time(2, 30), BERLIN, "2026-10-25 00:30", id="a time that is repeated"),
        pytest.param(date(2026, 10, 25), time(2, 30, fold=1), BERLIN, "2026-10-25 00:30", id="whatever its fold"),
        pytest.param(date(2011, 12, 30), time(10), APIA, "2011-12-30 10:00", id="a day that never was"),
    ],
)
def test_a_local_date_and_time_is_an_instant(day: date, at: time, zone: ZoneInfo, expected: str) -> None:
    assert local_date_at(day, at, zone) == utc(expected)


# Time zones


@pytest.mark.parametrize("name", [None, ""])
def test_a_lead_without_time_zone_gets_the_default_one(name: str | None) -> None:
    assert resolve_zone(name, "Europe/Berlin") == (BERLIN, None)


def test_a_lead_keeps_its_own_time_zone() -> None:
    assert resolve_zone("Asia/Tokyo", "Europe/Berlin") == (TOKYO, None)


@pytest.mark.parametrize(
    "name",
    [
        "UTC2",
        "Mars/Olympus",
        "europe/berlin",
        "Europe",
        "../../etc/passwd",
        "/etc/passwd",
        "/usr/share/zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Europe/Berlin\0",
        "\ud800",
        "tzdata.zi",
        "posixrules",
        "localtime",
        "Factory",
        "x" * 1_000_000,
    ],
)
def test_an_unknown_time_zone_gives_the_default_one_with_a_warning(name: str) -> None:
    zone, warning = resolve_zone(name, "Europe/Berlin")

    assert zone is BERLIN
    assert warning is not None
    assert re.fullmatch(r"""["'].{1,240}["'] is not a time zone: Europe/Berlin is used instead""", warning)
    assert warning.isprintable()


def test_an_unknown_default_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match='"UTC2" is not a time zone'):
        resolve_zone("Europe/Berlin", "UTC2")


# Words


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        (weekdays("10:00"), "on weekdays at 10:00"),
        (daily("9:05"), "every day at 09:05"),
        (on_days("fri", "wed", at="08:00"), "on Wed and Fri at 08:00"),
        (on_days("mon", "wed", "fri", at="08:00"), "on Mon, Wed and Fri at 08:00"),
        (on_days("sun", at="08:00", grace=minutes(30)), "on Sun at 08:00 or up to 30 minutes later"),
        (between("22:00", "06:00", days=("fri", "sat")), "between 22:00 and 06:00 on Fri and Sat"),
        (quiet("21:00", "08:00"), "between 21:00 and 08:00 every day"),
        (between("18:00", "24:00", days=("mon",)), "between 18:00 and 24:00 on Mon"),
        (between("00:00", "24:00", days=("sat", "sun")), "at any time on Sat and Sun"),
    ],
)
def test_an_opening_reads_as_a_marketer_would_say_it(opening: ClockTime | Window, expected: str) -> None:
    assert words(opening) == expected


# What is refused: the callables get what no type checker would let through


def refused(constructor: Callable[..., object], *args: object, **kwargs: object) -> str:
    """The text of the plain ValueError that the call must raise."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is what the tests look at
        constructor(*args, **kwargs)
    assert type(caught.value) is ValueError
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["25:00", "24:00", "10", "abc", "", "10:60", "10:00:00", " 10:00", "-1:00", "1\u0662:00", None, 10, time(10, 0, 1)],
)
def test_a_bad_time_of_day_is_refused_by_name(text: object) -> None:
    message = refused(daily, text)

    assert str(text) in message
    assert 'write hours:minutes, from "00:00" to "23:59"' in message


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("monday", '"monday" is not a day (did you mean "mon"?): write one of mon, tue, wed, thu, fri, sat, sun'),
        ("Fri", '"Fri" is not a day (did you mean "fri"?): write one of mon, tue, wed, thu, fri, sat, sun'),
        ("someday", '"someday" is not a day: write one of mon, tue, wed, thu, fri, sat, sun'),
        (5, "5 is not a day: write one of mon, tue, wed, thu, fri, sat, sun"),
    ],
)
def test_a_bad_day_is_refused_by_name(day: object, expected: str) -> None:
    assert refused(on_days, day, at="10:00") == expected
    assert refused(between, "09:00", "18:00", days=(day,)) == expected


def test_all_faults_of_an_opening_are_told_at_once() -> None:
    message = refused(between, "25:00", "26:00", days=("monday", "tuesday"))

    assert all(culprit in message for culprit in ("25:00", "26:00", "monday", "tuesday"))


def test_an_opening_without_any_day_is_refused() -> None:
    assert refused(on_days, at="10:00") == 'no day is given: name at least one, such as "mon"'


@pytest.mark.parametrize(("start", "end"), [("09:00", "09:00"), ("9:00", "09:00"), ("00:00", "00:00")])
def test_a_window_that_ends_as_it_starts_is_refused_with_the_remedy(start: str, end: str) -> None:
    message = refused(between, start, end)

    assert "empty or a whole day" in message
    assert '"00:00" to "24:00" for the whole day' in message


@pytest.mark.parametrize("bounds", [{"start": "09:00"}, {"end": "18:00"}, {}])
@pytest.mark.parametrize("constructor", [between, quiet])
def test_a_window_with_only_one_bound_is_refused(constructor: Callable[..., Window], bounds: dict[str, str]) -> None:
    assert "both bounds" in refused(constructor, **bounds)


@pytest.mark.parametrize("model", [ClockTime, Window])
def test_a_stored_opening_without_its_times_is_refused(model: type[ClockTime | Window]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({"days": ["mon"]})


@pytest.mark.parametrize(
    ("grace", "expected"),
    [(30, "30 has no unit"), (days(1), "1 day"), (-minutes(1), "minus 1 minute")],
)
def test_a_bad_grace_is_refused(grace: object, expected: str) -> None:
    assert expected in refused(weekdays, "10:00", grace=grace)


def test_quiet_hours_without_end_are_refused() -> None:
    assert "leave no time to send" in refused(quiet, "00:00", "24:00")


@pytest.mark.parametrize("function", [next_opening, is_open, end_of_quiet])
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 6), "has no time zone"),  # noqa: DTZ001 - the fault under test
        (datetime.max.replace(tzinfo=UTC), "edge of the calendar"),
        (datetime.min.replace(tzinfo=UTC), "edge of the calendar"),
    ],
)
def test_a_time_that_cannot_be_reckoned_with_is_refused(
    function: Callable[..., object], now: datetime, expected: str
) -> None:
    assert expected in refused(function, between("09:00", "18:00"), now, BERLIN)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_date_at_the_edge_of_the_calendar_is_refused(day: date) -> None:
    assert "edge of the calendar" in refused(local_date_at, day, time(9), TOKYO)


# As data


def test_an_opening_is_small_plain_data() -> None:
    assert weekdays("10:00", grace=minutes(30)).model_dump(mode="json") == {
        "kind": "clock",
        "at": "10:00",
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "grace": "PT30M",
    }
    assert between("18:00", "24:00", days=("sat",)).model_dump(mode="json") == {
        "kind": "window",
        "start": "18:00",
        "end": "24:00",
        "days": ["sat"],
    }


def test_days_are_kept_once_and_in_the_order_of_the_week() -> None:
    assert on_days("fri", "wed", "fri", at="08:00").days == ("wed", "fri")


def test_openings_that_mean_the_same_are_equal() -> None:
    assert between("18:00", "00:00") == between("18:00", "24:00")
    assert hash(daily("9:00")) == hash(daily("09:00"))


def test_an_opening_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        daily("10:00").at = time(11)  # type: ignore[misc]


# Properties. The clock changes below are the hard ones: an hour, two, half of one, a whole day; at night, across and
# at midnight. Clocks are read minute by minute around them, which is the oracle.

CLOCK_CHANGES = [
    ("Europe/Berlin", utc("2026-03-29 01:00")),
    ("Europe/Berlin", utc("2026-10-25 01:00")),
    ("America/New_York", utc("2026-03-08 07:00")),
    ("America/New_York", utc("2026-11-01 06:00")),
    ("America/Sao_Paulo", utc("2018-11-04 03:00")),
    ("America/Sao_Paulo", utc("2018-02-18 02:00")),
    ("America/Nuuk", utc("2024-03-31 01:00")),
    ("America/Nuuk", utc("2024-10-27 01:00")),
    ("America/St_Johns", utc("2009-03-08 03:31")),
    ("America/St_Johns", utc("2009-11-01 02:31")),
    ("Antarctica/Troll", utc("2026-03-29 01:00")),
    ("Antarctica/Troll", utc("2026-10-25 01:00")),
    ("Australia/Lord_Howe", utc("2026-04-04 15:00")),
    ("Australia/Lord_Howe", utc("2026-10-03 15:30")),
    ("Pacific/Apia", utc("2011-12-30 10:00")),
]
MINUTE = minutes(1)
DAY_OF_MINUTES = 24 * 60
BEFORE, AFTER = 4 * DAY_OF_MINUTES, 19 * DAY_OF_MINUTES

Change = tuple[str, datetime]
changes = st.sampled_from(CLOCK_CHANGES)
# Bounds close to midnight and to the small hours, where the clocks change, are the ones worth trying.
minutes_of_day = st.one_of(st.integers(0, 5 * 60), st.integers(22 * 60, 24 * 60 - 1), st.integers(0, 24 * 60 - 1))
times = minutes_of_day.map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
some_days = st.sets(st.sampled_from(WEEK), min_size=1).map(tuple)
all_or_some_days = st.one_of(st.just(WEEK), some_days)
windows = st.builds(
    lambda bounds, days: between(*bounds, days=days),
    st.one_of(st.tuples(times, times).filter(lambda bounds: bounds[0] != bounds[1]), st.just(("00:00", "24:00"))),
    all_or_some_days,
)
graces = st.one_of(st.just(timedelta(0)), st.integers(0, DAY_OF_MINUTES - 1).map(minutes))
clock_times = st.builds(lambda at, days, grace: on_days(*days, at=at, grace=grace), times, all_or_some_days, graces)
openings = st.one_of(clock_times, windows)
offsets = st.one_of(
    st.just(timedelta(0)),
    st.timedeltas(min_value=-hours(3), max_value=hours(3)),
    st.integers(-2 * DAY_OF_MINUTES, 2 * DAY_OF_MINUTES).map(minutes),
    st.timedeltas(min_value=-days(2), max_value=days(2)),
)


@cache
def readings(change: Change) -> list[datetime]:
    """What the clock on the wall reads, minute by minute around its change."""
    name, at = change
    first = at - BEFORE * MINUTE
    zone = ZoneInfo(name)
    return [(first + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(BEFORE + AFTER)]


@cache
def minutes_of_week(change: Change) -> list[int]:
    return [wall.weekday() * DAY_OF_MINUTES + wall.hour * 60 + wall.minute for wall in readings(change)]


@cache
def reached(change: Change) -> list[datetime]:
    """The latest time that the clock has read so far: unlike its readings, never going back."""
    return list(accumulate(readings(change), max))


def minute_number(change: Change, instant: datetime) -> int:
    """The number of the first whole minute not before the instant."""
    return -((change[1] - BEFORE * MINUTE - instant) // MINUTE)


def minute_at(change: Change, number: int) -> datetime:
    return change[1] + (number - BEFORE) * MINUTE


def minutes_inside(window: Window) -> set[int]:
    """The minutes of the week in the window, each day's walked from start to end."""
    start = window.start.hour * 60 + window.start.minute
    length = (window.end.hour * 60 + window.end.minute - start) % DAY_OF_MINUTES or DAY_OF_MINUTES
    starts = [WEEK.index(day) * DAY_OF_MINUTES + start for day in window.days]
    return {(start + n) % (7 * DAY_OF_MINUTES) for start in starts for n in range(length)}


def first_minute_in(change: Change, since: int, inside: Callable[[int], bool]) -> datetime:
    numbers = range(since, BEFORE + AFTER)
    return minute_at(change, next(number for number in numbers if inside(minutes_of_week(change)[number])))


@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=lambda change: f"{change[0]} {change[1]:%Y-%m}")
def test_the_clocks_of_the_properties_do_change(change: Change) -> None:
    name, at = change

    assert at.astimezone(ZoneInfo(name)).utcoffset() != (at - AN_INSTANT).astimezone(ZoneInfo(name)).utcoffset()


@settings(max_examples=200, deadline=None)
@given(change=changes, offset=offsets, window=windows)
def test_a_window_is_open_exactly_when_the_wall_clock_reads_a_time_inside(
    change: Change, offset: timedelta, window: Window
) -> None:
    now = change[1] + offset
    minute_begun = minute_number(change, now + AN_INSTANT) - 1

    assert is_open(window, now, ZoneInfo(change[0])) == (
        minutes_of_week(change)[minute_begun] in minutes_inside(window)
    )


@settings(max_examples=200, deadline=None)
@given(change=changes, offset=offsets, window=windows)
def test_the_next_opening_of_a_window_is_the_first_instant_inside(
    change: Change, offset: timedelta, window: Window
) -> None:
    not_before = change[1] + offset
    zone = ZoneInfo(change[0])
    inside = minutes_inside(window)

    expected = (
        not_before
        if is_open(window, not_before, zone)
        else first_minute_in(change, minute_number(change, not_before), inside.__contains__)
    )

    assert next_opening(window, not_before, zone) == expected


@settings(max_examples=200, deadline=None)
@given(change=changes, offset=offsets, window=windows)
def test_quiet_hours_end_at_the_first_instant_outside(change: Change, offset: timedelta, window: QuietHours) -> None:
    now = change[1] + offset
    zone = ZoneInfo(change[0])
    inside = minutes_inside(window)
    if len(inside) == 7 * DAY_OF_MINUTES:
        return

    expected = (
        first_minute_in(change, minute_number(change, now), lambda minute: minute not in inside)
        if is_open(window, now, zone)
        else None
    )

    assert end_of_quiet(window, now, zone) == expected


@settings(max_examples=200, deadline=None)
@given(change=changes, offset=offsets, clock=clock_times)
def test_the_next_clock_time_is_when_the_wall_clock_first_reaches_it(
    change: Change, offset: timedelta, clock: ClockTime
) -> None:
    not_before = change[1] + offset
    first_day = readings(change)[0].date() + timedelta(days=1)
    calendar = [first_day + timedelta(days=n) for n in range(16)]
    due = [
        minute_at(change, bisect_left(reached(change), datetime.combine(day, clock.at)))
        for day in calendar
        if WEEK[day.weekday()] in clock.days
    ]

    expected = max(not_before, min(instant for instant in due if instant >= not_before - clock.grace))

    assert next_opening(clock, not_before, ZoneInfo(change[0])) == expected


@settings(max_examples=100, deadline=None)
@given(change=changes, at=times)
def test_a_daily_time_is_served_on_every_day_of_a_month_with_a_clock_change(change: Change, at: str) -> None:
    zone = ZoneInfo(change[0])
    before, after = (change[1] + timedelta(days=n) for n in (-15, 15))
    served = []
    since = before
    while (opening := next_opening(daily(at), since, zone)) < after:
        served.append(opening)
        since = opening + AN_INSTANT

    first, last = (instant.astimezone(zone).date() for instant in (before, after))
    due = {local_date_at(first + timedelta(days=n), daily(at).at, zone) for n in range((last - first).days + 1)}

    assert served == sorted(instant for instant in due if before <= instant < after)


any_zone = st.timezone_keys(allow_prefix=False).filter(lambda key: resolve_zone(key, "UTC")[1] is None).map(ZoneInfo)
any_time = st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=200, deadline=None)
@given(zone=any_zone, not_before=any_time, opening=openings)
def test_an_opening_is_never_early_and_its_own_next_opening(
    zone: ZoneInfo, not_before: datetime, opening: ClockTime | Window
) -> None:
    found = next_opening(opening, not_before, zone)

    assert found >= not_before
    assert next_opening(opening, found, zone) == found


@settings(max_examples=200, deadline=None)
@given(zone=any_zone, not_before=any_time, opening=openings)
def test_an_opening_is_at_most_a_week_away_or_two_where_a_gap_swallows_a_window(
    zone: ZoneInfo, not_before: datetime, opening: ClockTime | Window
) -> None:
    limit = days(8) if isinstance(opening, ClockTime) else days(15)

    assert next_opening(opening, not_before, zone) - not_before <= limit + days(1)


@given(zone=any_zone, not_before=any_time, opening=openings)
def test_the_zone_in_which_the_question_is_asked_does_not_matter(
    zone: ZoneInfo, not_before: datetime, opening: ClockTime | Window
) -> None:
    assert next_opening(opening, not_before.astimezone(zone), zone) == next_opening(opening, not_before, zone)


@given(openings)
def test_an_opening_survives_being_stored(opening: ClockTime | Window) -> None:
    assert OPENINGS.validate_json(OPENINGS.dump_json(opening)) == opening
    assert OPENINGS.validate_python(opening.model_dump()) == opening


@given(value=st.one_of(st.text(), st.none(), st.integers(), st.times()), days=st.one_of(st.none(), st.lists(st.text())))
def test_whatever_is_written_gives_an_opening_or_a_plain_fault(value: Any, days: Any) -> None:
    faults = [
        fault_of(lambda: daily(value)),
        fault_of(lambda: on_days(*days or (), at="10:00")),
        fault_of(lambda: between(value, "12:00")),
        fault_of(lambda: quiet("12:00", value, days=days)),
    ]

    assert {type(fault) for fault in faults} <= {type(None), ValueError}


def fault_of(constructor: Callable[[], object]) -> Exception | None:
    try:
        constructor()
    except Exception as fault:  # noqa: BLE001 - its type is what the test looks at
        return fault
    return None
