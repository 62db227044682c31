"""Content: what each message is for, by the tags at its head, over the stages of the life cycle.

`{% set stage = "interest" %}` says at which stages a lead gains by it, `{% set objection = "price" %}` what it answers,
`{% set trust = ["product", "company"] %}` in what it makes for trust; each takes one word or several.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from nurture.faults import did_you_mean
from nurture.stages import STAGES

TRUSTS = ("product", "company")
NAMES = ("stage", "objection", "trust")


class Tags(NamedTuple):
    """What a message is for."""

    stage: tuple[str, ...] = ()
    objection: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()


class Piece(NamedTuple):
    """A message with its tags, and the campaigns and mailings that send it."""

    template: str
    tags: Tags
    campaigns: tuple[str, ...]


class Coverage(NamedTuple):
    """What there is for one stage: its messages, and those of them that answer an objection or make for trust, by its name."""

    stage: str
    messages: tuple[str, ...]
    objections: dict[str, tuple[str, ...]]
    trust: dict[str, tuple[str, ...]]
    campaigns: tuple[str, ...]


def coverage(pieces: Sequence[Piece]) -> list[Coverage]:
    """What there is for every stage, in the order of the life cycle; an objection of any message is asked of every stage."""
    objections = sorted({one for piece in pieces for one in piece.tags.objection})
    return [_of_stage(stage, [one for one in pieces if stage in one.tags.stage], objections) for stage in STAGES]


def _of_stage(stage: str, pieces: Sequence[Piece], objections: Sequence[str]) -> Coverage:
    return Coverage(
        stage,
        tuple(one.template for one in pieces),
        {name: tuple(one.template for one in pieces if name in one.tags.objection) for name in objections},
        {name: tuple(one.template for one in pieces if name in one.tags.trust) for name in TRUSTS},
        tuple(sorted({campaign for one in pieces for campaign in one.campaigns})),
    )


def tags_of(assigned: Iterable[tuple[str, object, int]]) -> Tags:
    """The tags among what a file sets; what is no word is left out."""
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    for name, value, _ in assigned:
        if name in found:
            found[name] += [one for one in words(value) if one not in found[name]]
    return Tags(*(tuple(found[name]) for name in NAMES))


def tag_faults(assigned: Iterable[tuple[str, object, int]]) -> Iterator[tuple[int, str]]:
    """What is wrong with the tags that a file sets, with their lines."""
    known = {"stage": STAGES, "trust": TRUSTS}
    for name, value, line in assigned:
        if name in NAMES and not words(value):
            yield line, f"{name} says nothing: give a word, or several in [ ]"
        for word in words(value) if name in known else ():
            if word not in known[name]:
                yield line, f'there is no {name} "{word}": {did_you_mean(word, known[name])}'


def words(value: object) -> list[str]:
    """The words of a tag."""
    given = value if isinstance(value, list | tuple) else [value]
    return [one.strip() for one in given if isinstance(one, str) and one.strip()]
