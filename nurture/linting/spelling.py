"""Words that no dictionary knows, in what a template says."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple, Protocol

from nurture.errors import BadSettings
from nurture.templates.sources import bare

WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?:[\u2019'-][^\W\d_]+)*(?![^\W_])")
UNREAD = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+", re.ASCII)
UNSPOKEN = frozenset({"style", "script", "mj-style"})
OWN_WORDS = "spelling.txt"


class Dictionary(Protocol):
    """The words of a language."""

    def unknown(self, words: Collection[str]) -> set[str]:
        """Those that it has not."""

    def correction(self, word: str) -> str | None:
        """What was meant, perhaps."""


class Misspelt(NamedTuple):
    """A word that no dictionary knows, its line, and what was meant, perhaps."""

    line: int
    word: str
    meant: str


def dictionary(language: str) -> Dictionary | None:
    """The dictionary of a language, None when there is none; BadSettings says how to get them."""
    try:
        from spellchecker import SpellChecker
    except ImportError as error:
        raise BadSettings("--spelling needs dictionaries: pip install 'nurture[spelling]'") from error
    base = language.replace("_", "-").partition("-")[0].lower()
    return _read(base) if base in SpellChecker.languages() else None


@cache
def _read(language: str) -> Dictionary:
    from spellchecker import SpellChecker

    found: Dictionary = SpellChecker(language=language, distance=1)
    return found


def own_words(directory: Path) -> frozenset[str]:
    """The words that the house knows besides, a line each, of `spelling.txt` among the templates."""
    file = directory / OWN_WORDS
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return frozenset(line.strip().lower() for line in lines)


def misspelt(source: str, known: Dictionary, own: Collection[str]) -> Iterator[Misspelt]:
    """The words of a template that neither knows, each once; one with a capital may be a name and is let through."""
    reader = _Reader()
    reader.feed(bare(source))
    reader.close()
    spoken = {word: line for line, word in reversed(reader.words) if word.islower() and word not in own}
    unknown = known.unknown([part for word in spoken for part in _parts(word)])
    for word, line in sorted(spoken.items(), key=lambda one: (one[1], one[0])):
        wrong = next((part for part in _parts(word) if part in unknown and part not in own), None)
        if wrong is not None:
            meant = known.correction(wrong) or ""
            yield Misspelt(line, word, meant if meant != wrong else "")


def _parts(word: str) -> list[str]:
    return [part for part in re.split(r"[\u2019'-]", word) if len(part) > 2]


class _Reader(HTMLParser):
    """The words of the text, with their lines."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[tuple[int, str]] = []
        self._within = ""

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag

    def handle_endtag(self, _tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        first = self.getpos()[0]
        for number, line in enumerate(data.split("\n") if self._within not in UNSPOKEN else (), first):
            self.words += [(number, found[0]) for found in WORD.finditer(UNREAD.sub(" ", line))]
