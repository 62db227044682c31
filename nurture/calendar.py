"""The hours at which a journey may act, read off the lead's own wall clock.

Times and weekdays are always those of the lead's zone, never of UTC, and an answer is never early. Where clocks change:

- a clock time that spring skips means the first instant after the gap, once, even if that is already the next day;
- a clock time that autumn repeats means its first occurrence, and is not served again at the second;
- a window is open whenever the lead's clock reads a time inside it. So it lasts an hour less in spring and an hour more
  in autumn, opens again when the clock is put back into it, and stays shut on a day whose gap swallows all of it.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from math import floor
from typing import Annotated, Literal, TypeAlias, TypeVar, assert_never, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from nurture.durations import Length, in_words

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week in the lead's zone."""

WEEK: tuple[Weekday, ...] = get_args(Weekday)
"""All days, Monday first: `WEEK[day.weekday()]` names the weekday of a date."""

WORKING_DAYS = WEEK[:5]
"""Monday to Friday."""

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT = time(0)
_LONGEST_QUOTE = 40
_FIRST_YEAR, _LAST_YEAR = 2, 9998


def _local_time(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", value):
        hour, minute = value.split(":")
        return time(int(hour), int(minute))
    if isinstance(value, time) and value == (plain := time(value.hour, value.minute)):
        return plain
    shown = str(value) if isinstance(value, time) else value
    raise ValueError(f'{_quoted(shown)} is not a time of day: write hours:minutes, from "00:00" to "23:59"')


def _in_week_order(value: object) -> tuple[Weekday, ...]:
    names = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    if faults := [_unknown_day(name) for name in names if name not in WEEK]:
        raise ValueError("; ".join(faults))
    if not names:
        raise ValueError('no day is given: name at least one, such as "mon"')
    return tuple(day for day in WEEK if day in names)


def _unknown_day(name: object) -> str:
    near = str(name).strip().lower()[:3]
    hint = f' (did you mean "{near}"?)' if near in WEEK else ""
    return f"{_quoted(name)} is not a day{hint}: write one of {', '.join(WEEK)}"


def _quoted(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_QUOTE:
        return f'"{value}"'
    return repr(value[:_LONGEST_QUOTE] if isinstance(value, str) else value)


def _under_a_day(grace: timedelta) -> timedelta:
    if not timedelta(0) <= grace < _DAY:
        raise ValueError(f"grace of {in_words(grace)}: give nothing, or a length under 1 day, such as minutes(30)")
    return grace


def _end_text(end: time) -> str:
    return "24:00" if end == _MIDNIGHT else f"{end:%H:%M}"


LocalTime = Annotated[time, BeforeValidator(_local_time), PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str)]
Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(_in_week_order)]
Grace = Annotated[Length, AfterValidator(_under_a_day)]


class ClockTime(BaseModel):
    """A time of day on some days of the week; at most `grace` after it still counts as it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["clock"] = "clock"
    at: LocalTime
    days: Weekdays = WEEK
    grace: Grace = timedelta(0)


class Window(BaseModel):
    """A span of the day: `start` is inside, `end` is not; one that wraps midnight belongs to the day it starts on.

    An end of "24:00" is midnight (`time(0)` in Python), so "00:00" to "24:00" is the whole day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["window"] = "window"
    start: LocalTime
    end: Annotated[LocalTime, PlainSerializer(_end_text, return_type=str)]
    days: Weekdays = WEEK

    @field_validator("end", mode="before")
    @classmethod
    def _not_empty(cls, value: object, info: ValidationInfo) -> time:
        if value == "24:00":
            return _MIDNIGHT
        end = _local_time(value)
        if end == info.data.get("start"):
            raise ValueError(
                f"a window from {end:%H:%M} to {end:%H:%M} is empty or a whole day, nobody can tell: "
                'give another end, or "00:00" to "24:00" for the whole day'
            )
        return end


Opening = Annotated[ClockTime | Window, Field(discriminator="kind")]
"""When a journey may go on after a wait."""

QuietHours: TypeAlias = Window
"""A window in which nothing is sent."""

_Model = TypeVar("_Model", bound=BaseModel)


def weekdays(at: str, *, grace: timedelta = timedelta(0)) -> ClockTime:
    """Monday to Friday at that time: `weekdays("10:00")`."""
    return _made(ClockTime, at=at, days=WORKING_DAYS, grace=grace)


def daily(at: str, *, grace: timedelta = timedelta(0)) -> ClockTime:
    """Every day at that time: `daily("10:00")`."""
    return _made(ClockTime, at=at, grace=grace)


def on_days(*days: Weekday, at: str, grace: timedelta = timedelta(0)) -> ClockTime:
    """Some days of the week at that time: `on_days("wed", "fri", at="08:00")`."""
    return _made(ClockTime, at=at, days=days, grace=grace)


def between(start: str | None = None, end: str | None = None, *, days: Iterable[Weekday] = WEEK) -> Window:
    """From `start` up to, not including, `end`: `between("09:00", "18:00")`; overnight: `between("22:00", "06:00")`."""
    if start is None or end is None:
        raise ValueError('a window needs both bounds, such as between("09:00", "18:00"); a day has "00:00" to "24:00"')
    return _made(Window, start=start, end=end, days=days)


def quiet(start: str | None = None, end: str | None = None, *, days: Iterable[Weekday] = WEEK) -> QuietHours:
    """Hours in which nothing is sent: `quiet("21:00", "08:00")`, or `quiet("00:00", "24:00", days=("sat", "sun"))`."""
    hours = between(start, end, days=days)
    if hours.start == hours.end and hours.days == WEEK:
        raise ValueError("quiet hours all day on every day leave no time to send: leave out some days or hours")
    return hours


def next_opening(opening: Opening, not_before: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) not before the given one that lies in the window or is the clock time on one of its days.

    A clock time passed by at most its `grace` gives `not_before` itself. The answer lies at most 8 days and a gap
    ahead, but for a window that a gap swallows whole: that opens on its next day, a week later at most.
    """
    since = _utc(not_before)
    match opening:
        case ClockTime():
            return _next_clock_time(opening, since, zone)
        case Window() if _holds(opening, since.astimezone(zone)):  # the usual case, at a quarter of the cost
            return since
        case Window():
            return _follow(_opens, opening, since, zone)
        case _:
            assert_never(opening)


def is_open(window: Window, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the lead's wall clock reads a time inside the window, be it the first or the second time it reads so."""
    return _holds(window, _utc(now).astimezone(zone))


def end_of_quiet(quiet: QuietHours, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant (UTC) after `now` that is not quiet, or None if `now` is not quiet."""
    return _follow(_closes, quiet, _utc(now), zone) if is_open(quiet, now, zone) else None


def local_date_at(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a local date and time: the first of two, or the first after the gap if there is none."""
    _refuse_far_off(day)
    wall = datetime.combine(day, at.replace(fold=0) if at.fold else at, zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone) == wall:  # within one zone, Python compares what the clocks read
        return instant
    # A time in a gap is read by the offset from before the gap, or with fold=1 by the one from after it.
    return _clock_change(wall.replace(fold=1).astimezone(UTC), instant, zone)


def resolve_zone(name: str | None, default: str) -> tuple[ZoneInfo, str | None]:
    """The lead's zone, or the default one: without a word if the lead has none, with a data warning if unknown."""
    if default not in _zone_names():
        raise ValueError(f'{_quoted(default)} is not a time zone: name the default as "Europe/Berlin" does')
    if not name:
        return ZoneInfo(default), None
    if name not in _zone_names():
        return ZoneInfo(default), f"{_quoted(name)} is not a time zone: {default} is used instead"
    return ZoneInfo(name), None


def words(opening: Opening) -> str:
    """The opening in a marketer's words: "on weekdays at 10:00", "between 22:00 and 06:00 on Fri and Sat"."""
    match opening:
        case ClockTime(at=at, days=days, grace=grace):
            later = f" or up to {in_words(grace)} later" if grace else ""
            return f"{_days_in_words(days)} at {at:%H:%M}{later}"
        case Window(start=start, end=end, days=days):
            hours = "at any time" if start == end else f"between {start:%H:%M} and {_end_text(end)}"
            return f"{hours} {_days_in_words(days)}"
        case _:
            assert_never(opening)


def _made(model: type[_Model], **fields: object) -> _Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = (str(fault.get("ctx", {}).get("error", fault["msg"])) for fault in error.errors())
        raise ValueError("; ".join(faults)) from error


def _utc(now: datetime) -> datetime:
    if now.utcoffset() is None:
        raise ValueError(f"{now} has no time zone: give an aware datetime")
    _refuse_far_off(now)
    return now.astimezone(UTC)


def _refuse_far_off(day: date) -> None:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"{day} is at the edge of the calendar: give a year from {_FIRST_YEAR} to {_LAST_YEAR}")


def _next_clock_time(clock: ClockTime, since: datetime, zone: ZoneInfo) -> datetime:
    earliest = since - clock.grace
    # The date just before: right after a gap, a time that was swallowed at the end of the day before (Nuuk) is due.
    first = (earliest - timedelta.resolution).astimezone(zone).toordinal()
    for day in range(first, first + 9):
        if WEEK[day % 7 - 1] in clock.days:
            instant = local_date_at(date.fromordinal(day), clock.at, zone)
            if instant >= earliest:
                return max(instant, since)
    raise ValueError(f"{clock!r} names no day: it never comes")


def _follow(step: Callable[[Window, datetime], datetime], window: Window, since: datetime, zone: ZoneInfo) -> datetime:
    """Where a step along the wall clock leads to; if the clock is changed on the way, it is read again there."""
    while True:
        local = since.astimezone(zone)
        wall = local.replace(tzinfo=None)
        found = since + (step(window, wall) - wall)
        if found.astimezone(zone).utcoffset() == local.utcoffset():
            return found
        since = _clock_change(since, found, zone)


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `before` with another offset, if the offset changes once up to `after`."""

    def offset(second: int) -> timedelta | None:
        return (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()

    span = range(floor(before.timestamp()), floor(after.timestamp()))
    old = offset(span.start)
    return _EPOCH + timedelta(seconds=span.start + bisect_left(span, True, key=lambda second: offset(second) != old))


def _holds(window: Window, wall: datetime) -> bool:
    at, today = wall.time(), wall.weekday()
    if window.start < window.end:
        return window.start <= at < window.end and WEEK[today] in window.days
    if at >= window.start:
        return WEEK[today] in window.days
    return at < window.end and WEEK[today - 1] in window.days


def _opens(window: Window, wall: datetime) -> datetime:
    if _holds(window, wall):
        return wall
    starts = _coming(window.start, wall)
    return next(start for start in starts if WEEK[start.weekday()] in window.days)


def _closes(window: Window, wall: datetime) -> datetime:
    if not _holds(window, wall):
        return wall
    for end in _coming(window.end, wall):
        if not _holds(window, end):
            return end
    raise ValueError(f"quiet {words(window)}: this never ends; leave out some days or hours")


def _coming(at: time, wall: datetime) -> Iterator[datetime]:
    today = datetime.combine(wall.date(), at)
    return (today + n * _DAY for n in range(0 if today > wall else 1, 8))


@cache
def _zone_names() -> frozenset[str]:
    # A lead's zone is looked up here and never as a path. "localtime" is the machine's own, "Factory" is a placeholder.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _days_in_words(days: tuple[Weekday, ...]) -> str:
    if days == WEEK:
        return "every day"
    if days == WORKING_DAYS:
        return "on weekdays"
    *others, last = (day.capitalize() for day in days)
    return f"on {', '.join(others)} and {last}" if others else f"on {last}"
