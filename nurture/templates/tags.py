"""Content tags: what a message is for, as its file says at its head.

`{% set stage = "interest" %}` says at which stages a lead gains by it, `{% set objection = "price" %}` what it answers,
`{% set trust = ["case", "numbers"] %}` what in it makes for trust; each takes one word or several.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nurture.faults import did_you_mean
from nurture.stages import STAGES

NAMES = ("stage", "objection", "trust")


class Tags(NamedTuple):
    """What a message is for."""

    stage: tuple[str, ...] = ()
    objection: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is said of it."""
        return bool(self.stage or self.objection or self.trust)


def tags_of(assigned: Iterable[tuple[str, object, int]]) -> Tags:
    """The tags among what a file sets; what is no word is left out."""
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    for name, value, _ in assigned:
        if name in found:
            found[name] += [one for one in words(value) if one not in found[name]]
    return Tags(*(tuple(found[name]) for name in NAMES))


def tag_faults(assigned: Iterable[tuple[str, object, int]]) -> Iterator[tuple[int, str]]:
    """What is wrong with the tags that a file sets, with their lines."""
    for name, value, line in assigned:
        if name in NAMES and not words(value):
            yield line, f"{name} says nothing: give a word, or several in [ ]"
        for word in words(value) if name == "stage" else ():
            if word not in STAGES:
                yield line, f'there is no stage "{word}": {did_you_mean(word, STAGES)}'


def words(value: object) -> list[str]:
    """The words of a tag."""
    given = value if isinstance(value, list | tuple) else [value]
    return [one.strip() for one in given if isinstance(one, str) and one.strip()]
