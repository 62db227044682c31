from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.calendar import WORKING_DAYS, between
from nurture.durations import days, hours, minutes
from nurture.working_hours import WorkingHours

BERLIN = WorkingHours(window=between("09:00", "18:00", days=WORKING_DAYS), zone="Europe/Berlin")
ALWAYS = WorkingHours()
NIGHT = WorkingHours(window=between("22:00", "06:00", days=WORKING_DAYS), zone="Europe/Berlin")


def berlin(text: str) -> datetime:
    """A moment of November 2026, whose first is a Sunday: `23 09:30`."""
    return datetime.strptime(f"2026-11-{text} +0100", "%Y-%m-%d %H:%M %z")


def test_without_a_window_people_always_work() -> None:
    start = berlin("21 23:50")

    assert ALWAYS.after(start, minutes(30)) == start + minutes(30)
    assert ALWAYS.between(start, start + days(3)) == days(3)


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        pytest.param("23 10:00", minutes(30), "23 10:30", id="inside"),
        pytest.param("23 17:45", minutes(30), "24 09:15", id="over the night"),
        pytest.param("27 17:45", minutes(30), "30 09:15", id="over the weekend"),
        pytest.param("21 12:00", minutes(30), "23 09:30", id="from a Saturday"),
        pytest.param("23 07:00", hours(9), "23 18:00", id="a whole day"),
        pytest.param("23 07:00", hours(9) + minutes(1), "24 09:01", id="a day and a minute"),
        pytest.param("23 18:00", minutes(1), "24 09:01", id="from the end of a day"),
    ],
)
def test_time_is_counted_at_working_hours_only(start: str, length: timedelta, end: str) -> None:
    assert BERLIN.after(berlin(start), length) == berlin(end)
    assert BERLIN.between(berlin(start), berlin(end)) == length


def test_a_closed_day_does_not_count() -> None:
    closed = BERLIN.model_copy(update={"closed": (date(2026, 11, 24),)})

    assert closed.after(berlin("23 17:45"), minutes(30)) == berlin("25 09:15")
    assert closed.between(berlin("24 09:00"), berlin("24 18:00")) == timedelta(0)


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    assert NIGHT.after(berlin("27 23:00"), hours(8)) == berlin("30 23:00")


def test_a_day_on_which_clocks_change_is_as_long_as_it_is() -> None:
    before = datetime(2026, 10, 24, 20, tzinfo=UTC)  # clocks go back in the night to the 25th
    nights = WorkingHours(window=between("22:00", "06:00"), zone="Europe/Berlin")

    assert nights.between(before, before + hours(12)) == hours(9)


@given(
    start=st.integers(0, 2 * 365 * 86_400).map(
        lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    ),
    length=st.timedeltas(timedelta(seconds=1), days(3)),
)
def test_the_moment_after_which_so_long_was_worked_is_where_so_long_was_worked(
    start: datetime, length: timedelta
) -> None:
    for times in (BERLIN, NIGHT, ALWAYS):
        assert times.between(start, times.after(start, length)) == length


def test_who_never_works_again_is_named() -> None:
    long_closed = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(6000))
    with pytest.raises(ValueError, match="nobody works for so long"):
        BERLIN.model_copy(update={"closed": long_closed}).after(berlin("23 10:00"), hours(1))
