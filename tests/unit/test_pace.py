"""The pace: a journey's own calendar beside the real one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.errors import BadInput
from nurture.pace import Pace, speed

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
DAY_A_SECOND = Pace(origin=NOW, factor=86_400)


def test_at_its_origin_a_hurried_calendar_shows_the_real_time() -> None:
    assert DAY_A_SECOND.calendar(NOW) == DAY_A_SECOND.real(NOW) == NOW


def test_a_day_passes_in_a_second() -> None:
    assert DAY_A_SECOND.calendar(NOW + timedelta(seconds=3)) == NOW + timedelta(days=3)
    assert DAY_A_SECOND.after(NOW, timedelta(days=3)) == NOW + timedelta(seconds=3)


def test_without_hurry_nothing_is_reckoned_at_all() -> None:
    later = NOW + timedelta(days=3650, microseconds=1)

    assert [Pace(origin=NOW).calendar(later), Pace(origin=NOW).real(later)] == [later, later]


@settings(max_examples=100, deadline=None)
@given(factor=st.floats(0.5, 1e6), ahead=st.timedeltas(timedelta(0), timedelta(days=3650)))
def test_a_real_moment_is_the_first_at_which_the_calendar_shows_its_time(factor: float, ahead: timedelta) -> None:
    pace, moment = Pace(origin=NOW, factor=factor), NOW + ahead

    assert pace.calendar(pace.real(moment)) >= moment
    assert pace.calendar(pace.real(moment) - timedelta(microseconds=2)) < moment


@pytest.mark.parametrize(
    ("text", "factor"),
    [("1d=1s", 86_400), ("1h = 1s", 3600), ("d=s", 86_400), ("1w=7d", 1), ("1.5h=1m", 90), ("1d=0.5s", 172_800)],
)
def test_a_speed_is_read_as_it_is_said(text: str, factor: float) -> None:
    assert speed(text) == factor


NOT_SPEEDS = [
    "",
    "fast",
    "1d",
    "1d=",
    "=1s",
    "1d=0s",
    "1x=1s",
    "1d=1s=1s",
    "-1d=1s",
    "nand=1s",
    "infd=1s",
    "1d=1e-320s",
    "1s=1d",
]


@pytest.mark.parametrize("text", NOT_SPEEDS)
def test_a_speed_that_cannot_be_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="write for example 1d=1s"):
        speed(text)
