"""Timing, as users of other engines know it: the rows of the conformance table that the calendar answers alone.

Where an id stands twice or more, its row has several cases. M-13, M-17 and D-20 differ from the source on purpose.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from nurture.calendar import (
    ClockTime,
    Window,
    between,
    daily,
    end_of_quiet,
    local_date_at,
    next_opening,
    on_days,
    quiet,
    resolve_zone,
)
from nurture.durations import hours, minutes

NEW_YORK = "America/New_York"
LOS_ANGELES = "America/Los_Angeles"
NORTH_DAKOTA = "America/North_Dakota/Center"
ANY_TIME = between("00:00", "24:00")


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("opening", "zone", "due", "expected"),
    [
        pytest.param(ANY_TIME, NEW_YORK, "2018-08-31 09:20:45", "2018-08-31 09:20:45", id="M-01"),
        pytest.param(ANY_TIME, NEW_YORK, "2018-08-31 09:21:45", "2018-08-31 09:21:45", id="M-02"),
        pytest.param(daily("09:00"), NEW_YORK, "2018-08-31 12:00", "2018-09-01 09:00", id="M-04 as first set"),
        pytest.param(daily("11:00"), NEW_YORK, "2018-08-31 12:00", "2018-09-01 11:00", id="M-04 hour changed"),
        pytest.param(
            between("10:00", "20:00", days=("fri",)),
            NEW_YORK,
            "2018-08-31 13:00:15",
            "2018-08-31 13:00:15",
            id="M-05",
        ),
        pytest.param(ANY_TIME, NEW_YORK, "2018-08-31 12:00", "2018-08-31 12:00", id="M-08 no restriction"),
        pytest.param(
            between("23:00", "23:30"), NEW_YORK, "2018-08-31 12:00", "2018-08-31 23:00", id="M-08 window later today"
        ),
        pytest.param(between("08:00", "10:00"), "UTC", "2018-10-18 10:00", "2018-10-19 08:00", id="M-10"),
        pytest.param(between("10:00", "11:00"), "UTC", "2018-10-18 10:00", "2018-10-18 10:00", id="M-11"),
        pytest.param(
            on_days("wed", "fri", at="08:00"), "UTC", "2018-10-21 08:00", "2018-10-24 08:00", id="M-14 time of day kept"
        ),
        pytest.param(
            between("08:00", "10:00", days=("fri", "sat")), "UTC", "2018-10-20 12:00", "2018-10-26 08:00", id="M-16"
        ),
        pytest.param(between("22:00", "06:00"), "UTC", "2018-10-18 23:00", "2018-10-18 23:00", id="M-17 in the night"),
        pytest.param(between("22:00", "06:00"), "UTC", "2018-10-18 12:00", "2018-10-18 22:00", id="M-17 by day"),
        pytest.param(between("10:00", "08:00"), "UTC", "2018-10-18 09:00", "2018-10-18 10:00", id="M-17 10 to 08"),
        pytest.param(daily("12:00"), "UTC", "2018-10-18 13:00", "2018-10-19 12:00", id="M-25 23 h later"),
        pytest.param(between("11:00", "12:00"), "UTC", "2018-10-18 13:00", "2018-10-19 11:00", id="M-26 22 h later"),
        pytest.param(ANY_TIME, "UTC", "2018-10-18 18:00", "2018-10-18 18:00", id="M-28"),
        pytest.param(
            daily("10:00", grace=minutes(30)), "UTC", "2018-10-18 10:30", "2018-10-18 10:30", id="P-08 within 30 min"
        ),
        pytest.param(
            daily("10:00", grace=minutes(30)), "UTC", "2018-10-18 10:31", "2018-10-19 10:00", id="P-08 over 30 min"
        ),
        pytest.param(daily("10:00"), "UTC", "2018-10-18 10:01", "2018-10-19 10:00", id="P-08 no grace unless given"),
    ],
)
def test_what_is_due_goes_out_at_the_first_allowed_instant(
    opening: ClockTime | Window, zone: str, due: str, expected: str
) -> None:
    assert next_opening(opening, local(due, zone), ZoneInfo(zone)) == local(expected, zone)


@pytest.mark.parametrize(
    "bounds",
    [pytest.param({"start": "08:00"}, id="M-13 start only"), pytest.param({"end": "10:00"}, id="M-13 end only")],
)
@pytest.mark.parametrize("constructor", [between, quiet])
def test_a_window_with_one_bound_is_refused_when_it_is_written(
    constructor: Callable[..., Window], bounds: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="needs both bounds"):
        constructor(**bounds)


@pytest.mark.parametrize("name", [pytest.param("UTC2", id="M-19")])
def test_an_unknown_zone_counts_as_the_default_one_and_is_reported(name: str) -> None:
    zone, warning = resolve_zone(name, default=NEW_YORK)
    due = datetime(2018, 10, 18, 13, tzinfo=UTC)

    assert next_opening(between("09:00", "10:00"), due, zone) == due
    assert warning == f'"UTC2" is not a time zone: {NEW_YORK} is used instead'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(LOS_ANGELES, local("2018-10-18 06:00", LOS_ANGELES), id="M-20 Los Angeles"),
        pytest.param(NORTH_DAKOTA, local("2018-10-19 06:00", NORTH_DAKOTA), id="M-20 North Dakota"),
        pytest.param(None, local("2018-10-19 06:00", NEW_YORK), id="M-20 no zone"),
        pytest.param("Bad/Zone", local("2018-10-19 06:00", NEW_YORK), id="M-20 bad zone"),
    ],
)
def test_the_same_hour_comes_to_each_lead_in_its_own_zone(name: str | None, expected: datetime) -> None:
    zone, _ = resolve_zone(name, default=NEW_YORK)
    due = local("2018-10-18 06:00", LOS_ANGELES)

    assert next_opening(daily("06:00"), due, zone) == expected


@pytest.mark.parametrize("name", [pytest.param(None, id="D-04")])
def test_a_lead_without_zone_waits_for_the_hour_of_the_default_one(name: str | None) -> None:
    zone, warning = resolve_zone(name, default=NEW_YORK)
    now = datetime(2023, 12, 19, 23, 0, 12, tzinfo=UTC)

    assert next_opening(daily("09:00"), now, zone) == local("2023-12-20 09:00", NEW_YORK)
    assert warning is None


@pytest.mark.parametrize(
    ("opening", "name", "hours_ahead"),
    [
        pytest.param(daily("20:00"), LOS_ANGELES, 4, id="D-19 20:00 Los Angeles"),
        pytest.param(daily("05:00"), "Asia/Tokyo", 20, id="D-19 05:00 Tokyo"),
        pytest.param(daily("08:00"), None, 13, id="D-19 08:00 default"),
        pytest.param(daily("08:00"), "Asia/Tokyo", 23, id="D-19 08:00 Tokyo"),
        pytest.param(daily("08:00"), "UTC", 8, id="D-19 08:00 UTC"),
        pytest.param(daily("10:30"), "UTC", 11, id="D-19 10:30 UTC"),
        pytest.param(daily("10:30"), "Asia/Tokyo", 2, id="D-19 10:30 Tokyo"),
        pytest.param(on_days("thu", at="05:00"), "Asia/Tokyo", 20, id="D-20"),
    ],
)
def test_the_next_hour_of_the_lead_is_so_many_whole_hours_ahead(
    opening: ClockTime, name: str | None, hours_ahead: int
) -> None:
    zone, _ = resolve_zone(name, default=NEW_YORK)
    now = datetime(2023, 12, 19, 23, 0, 12, tzinfo=UTC)

    assert (next_opening(opening, now, zone) - now) // hours(1) == hours_ahead


@pytest.mark.parametrize("day", [pytest.param(date(2023, 12, 21), id="D-20")])
def test_thursday_in_tokyo_is_thursday_in_tokyo(day: date) -> None:
    now = datetime(2023, 12, 19, 23, 0, 12, tzinfo=UTC)
    tokyo = ZoneInfo("Asia/Tokyo")

    assert next_opening(on_days("thu", at="05:00"), now, tokyo) == local_date_at(day, time(5), tokyo)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("2023-12-19 22:00", "2023-12-20 08:00", id="L-01"),
        pytest.param("2023-12-19 12:00", None, id="L-02"),
    ],
)
def test_only_a_lead_in_its_quiet_hours_is_held(now: str, expected: str | None) -> None:
    end = end_of_quiet(quiet("21:00", "08:00"), local(now, NEW_YORK), ZoneInfo(NEW_YORK))

    assert end == (local(expected, NEW_YORK) if expected else None)
