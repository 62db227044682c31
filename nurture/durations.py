"""Lengths of time, as a marketer writes them: `days(3)`, `hours(1.5)`."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000))


def _no_bare_number(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError(f"{value} has no unit: write days({value}) or the like")
    return value


Length = Annotated[timedelta, BeforeValidator(_no_bare_number)]
"""A length of time in a model; a bare number is refused, since it does not say of what."""


def seconds(n: float) -> timedelta:
    """A length of `n` seconds."""
    return _length("seconds", n)


def minutes(n: float) -> timedelta:
    """A length of `n` minutes."""
    return _length("minutes", n)


def hours(n: float) -> timedelta:
    """A length of `n` hours."""
    return _length("hours", n)


def days(n: float) -> timedelta:
    """A length of `n` times 24 hours, whatever the clocks of the lead do meanwhile."""
    return _length("days", n)


def weeks(n: float) -> timedelta:
    """A length of `n` times 7 days."""
    return _length("weeks", n)


def in_words(length: timedelta) -> str:
    """The length in full, in days and below: "1 day 4 hours", "1 minute 30 seconds", "no time", "minus 3 days"."""
    if length < timedelta(0):
        return f"minus {in_words(-length)}"
    rest = length // timedelta.resolution
    parts = []
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(_counted(str(count), name))
    if rest:
        parts.append(_counted(f"{rest / 1_000_000:.6f}".rstrip("0").rstrip("."), "second"))
    return " ".join(parts) or "no time"


def _length(unit: str, n: float) -> timedelta:
    if isinstance(n, bool) or not isinstance(n, int | float):
        raise ValueError(f"{unit}({n!r}): give a number, such as {unit}(3)")
    try:
        return timedelta(**{unit: n})
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{unit}({n!r}): there is no such length of time; give a smaller number") from error


def _counted(count: str, name: str) -> str:
    return f"{count} {name}" if count == "1" else f"{count} {name}s"
