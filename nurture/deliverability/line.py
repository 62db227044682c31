"""What an examination of our mail says of one thing: how it stands, what was seen, and what mends it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNASKED = "could not be asked"


class Line(NamedTuple):
    """One thing looked at; `record` is the very record to publish."""

    check: str
    about: str
    verdict: Verdict
    seen: str
    remedy: str = ""
    record: str = ""

    @property
    def grave(self) -> bool:
        """Whether not all is known to be well."""
        return self.verdict in (Verdict.FAULT, Verdict.UNASKED)


def ok(check: str, about: str, seen: str) -> Line:
    """It is well."""
    return Line(check, about, Verdict.OK, seen)


def warning(check: str, about: str, seen: str, remedy: str, record: str = "") -> Line:
    """It does, and had better be mended."""
    return Line(check, about, Verdict.WARNING, seen, remedy, record)


def fault(check: str, about: str, seen: str, remedy: str, record: str = "") -> Line:
    """Receivers refuse mail for it, or put it among spam."""
    return Line(check, about, Verdict.FAULT, seen, remedy, record)


def unasked(check: str, about: str, why: str) -> Line:
    """Nobody could be asked, so that nothing is known."""
    return Line(check, about, Verdict.UNASKED, why, "see that it can be reached from here, and look again")


def listed(things: Iterable[object]) -> str:
    """Things in one line."""
    return ", ".join(map(str, things))


def to_publish(name: str, text: str) -> str:
    """A TXT record as a zone has it: no string in it is longer than 255."""
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{name}. TXT {strings}"
