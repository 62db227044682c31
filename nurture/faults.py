"""A fault: what is wrong with something a team wrote, where, and what to do about it."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, NamedTuple, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Level: TypeAlias = Literal["error", "warning"]


class Fault(NamedTuple):
    """One line of `nurture check`; an error keeps a campaign from being published, a warning does not."""

    level: Level
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known one that is meant, or which there are."""
    names = sorted(known)
    by_case = {one.casefold(): one for one in names}
    if close := get_close_matches(name.casefold(), by_case, n=1):
        return f'did you mean "{by_case[close[0]]}"?'
    return f"there {'is only' if len(names) == 1 else 'are'} {', '.join(names)}" if names else "there is none"


def faults_of(error: ValidationError) -> list[str]:
    """What a model refused, one line each: the field and why."""
    return [
        f"{'.'.join(str(part) for part in one['loc'])}: {_why(one)}"
        for one in error.errors(include_url=False, include_context=False)
    ]


def _why(refused: ErrorDetails) -> str:
    if refused["type"].startswith("time_delta"):
        return f"{refused['input']!r} is no length of time: write days(3) or the like"
    if refused["type"] == "extra_forbidden":
        return "nothing goes by that name: take it away"
    return refused["msg"].removeprefix("Value error, ")
