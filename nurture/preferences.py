"""What a lead may choose on its preference page, and what it says by what it changed there."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nurture.texts import in_language
from nurture.topics import ALL, RESERVED, TRACKING, Topic

MOST_WORDS = 2000


class Choice(NamedTuple):
    """One box of the page: its words, and whether it is ticked."""

    key: str
    title: str
    about: str
    ticked: bool

    @property
    def words(self) -> str:
        """What a lead says yes or no to by it."""
        return (f"{self.title}: {self.about}" if self.about else self.title)[:MOST_WORDS]


class Said(NamedTuple):
    """An answer to a topic, with the words it was given to."""

    topic: str
    granted: bool
    words: str


def choices(
    topics: Mapping[str, Topic], answers: Mapping[str, bool], language: str, *, assumed: bool = False
) -> list[Choice]:
    """A box for each declared topic, and for each other one that the lead has answered, by how its `answers` hold.

    With `assumed` nobody has to say yes first.
    """
    found = [
        Choice(
            key,
            in_language(one.title, language),
            in_language(one.about, language),
            answers.get(key, answers.get(ALL, assumed or one.opt_out)),
        )
        for key, one in topics.items()
    ]
    others = sorted(answers.keys() - topics.keys() - RESERVED)
    return found + [Choice(key, key, "", answers[key]) for key in others]


def following(answers: Mapping[str, bool], words: str) -> Choice:
    """The box by which a lead lets itself be followed through its messages."""
    return Choice(TRACKING, words, "", answers.get(TRACKING, True))


def said(boxes: Iterable[Choice], shown: Iterable[str], ticked: Iterable[str]) -> list[Said]:
    """What a lead said: only boxes that it changed, from how they were `shown` to it, count."""
    before, after = frozenset(shown), frozenset(ticked)
    return [Said(one.key, one.key in after, one.words) for one in boxes if one.key in before ^ after]


def languages(topics: Iterable[Topic]) -> tuple[str, ...]:
    """The languages between which a lead may choose: those that all its boxes are written in, where they are several."""
    spoken = [set(one.languages) for one in topics if one.languages]
    return tuple(sorted(set.intersection(*spoken))) if spoken else ()
