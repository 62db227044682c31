"""Golden traces of the clock: what sales is told, and when, until somebody answers or the lead goes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nurture import Team, between, days, hours, minutes
from nurture.calendar import WORKING_DAYS
from nurture.hand_off_clock import Clock, Due, Standing, clock_of, followed, next_due
from nurture.pace import Pace

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
PLACE: dict[str, Any] = {"hours": between("09:00", "18:00", days=WORKING_DAYS)}
WHOLE: dict[str, Any] = {
    "remind_after": minutes(15), "answer_within": minutes(30), "reassign_after": hours(2), "recycle_after": hours(12)
}  # fmt: skip


def clock(pace: float = 1, **given: Any) -> Clock:
    return clock_of(Team(key="sales", lead="lead@example.com", **given), "UTC", Pace(origin=MONDAY, factor=pace))


def told(at: datetime = MONDAY, **how: Any) -> Standing:
    return Standing(at, at, **how)


def course(of: Clock, standing: Standing, passes: int = 1, *, late: timedelta = timedelta(0)) -> list[tuple[str, str]]:
    """All deeds of a hand-off that nobody answers; so many people there are to pass it on to before the lead."""
    found: list[tuple[str, str]] = []
    now = standing.told or MONDAY
    while due := next_due(of, standing, now):
        now = max(now, due.at) + late
        found.append((due.deed, f"{now:%a %H:%M}"))
        if due.deed == "recycled":
            break
        passes -= due.deed == "reassigned"
        standing = followed(standing, Due(due.deed, now), to_lead=passes < 1)
    return found


def test_an_unanswered_hand_off_is_reminded_of_escalated_passed_on_and_taken_back() -> None:
    assert course(clock(**WHOLE, **PLACE), told(), passes=2) == [
        ("reminded", "Mon 10:15"),
        ("escalated", "Mon 10:30"),
        ("reassigned", "Mon 12:00"),
        ("reminded", "Mon 12:15"),
        ("escalated", "Mon 12:30"),
        ("reassigned", "Mon 14:00"),
        ("reminded", "Mon 14:15"),
        ("recycled", "Tue 13:00"),
    ]


def test_the_clock_stands_still_outside_of_working_hours() -> None:
    friday = datetime(2026, 11, 27, 17, 50, tzinfo=UTC)

    assert course(clock(**WHOLE, **PLACE), told(friday))[:3] == [
        ("reminded", "Mon 09:05"),
        ("escalated", "Mon 09:20"),
        ("reassigned", "Mon 10:50"),
    ]


def test_who_has_it_last_is_the_lead_who_is_only_reminded() -> None:
    assert course(clock(**WHOLE), told(with_lead=True)) == [("reminded", "Mon 10:15"), ("recycled", "Mon 22:00")]


def test_until_somebody_was_told_nothing_is_due() -> None:
    assert next_due(clock(**WHOLE), Standing(None, None), MONDAY + days(9)) is None
    assert next_due(clock(**WHOLE), Standing(None, MONDAY), MONDAY + days(9)) is None


def test_a_team_without_a_clock_is_never_pressed() -> None:
    assert next_due(clock(), told(), MONDAY + days(99)) is None


def test_what_a_long_outage_made_late_is_done_in_one_step_and_not_in_three() -> None:
    assert next_due(clock(**WHOLE), told(), MONDAY + hours(5)) == ("reassigned", MONDAY + hours(2))
    assert next_due(clock(**WHOLE), told(), MONDAY + minutes(40)) == ("escalated", MONDAY + minutes(30))
    assert next_due(clock(**WHOLE), told(), MONDAY + days(3)) == ("recycled", MONDAY + hours(12))


def test_a_late_look_shortens_nobodys_time() -> None:
    of = clock(remind_after=minutes(15), reassign_after=hours(1))

    assert course(of, told(), late=minutes(5))[:3] == [
        ("reminded", "Mon 10:20"),
        ("reassigned", "Mon 11:05"),
        ("reminded", "Mon 11:25"),
    ]


@pytest.mark.parametrize("left_out", WHOLE)
def test_what_a_team_leaves_out_does_not_happen(left_out: str) -> None:
    deed = {"remind_after": "reminded", "answer_within": "escalated", "reassign_after": "reassigned"}
    given = {name: length for name, length in WHOLE.items() if name != left_out}

    assert deed.get(left_out, "recycled") not in dict(course(clock(**given), told()))


def test_at_a_days_speed_a_day_of_working_hours_takes_a_second() -> None:
    of = clock(86_400, **PLACE, recycle_after=hours(9))

    assert next_due(of, told(), MONDAY) == ("recycled", MONDAY + timedelta(seconds=1))
    assert of.worked(MONDAY, MONDAY + timedelta(seconds=1)) == hours(9)
    assert of.passed(MONDAY, MONDAY + timedelta(seconds=1)) == days(1)


def test_an_answer_is_asked_for_by_a_moment_at_which_somebody_works() -> None:
    assert clock(**WHOLE, **PLACE).answer_by(datetime(2026, 11, 27, 17, 50, tzinfo=UTC)) == datetime(
        2026, 11, 30, 9, 20, tzinfo=UTC
    )
    assert clock().answer_by(MONDAY) is None
