"""Messages rendered from files: subject, HTML and text, per language.

A message `price-list/greet` is one file a language, `price-list/greet.en.j2`, which extends a layout and fills the
blocks `subject`, `html` and, where the text shall differ from that of the HTML, `text`. In `price-list/greet.en.mjml.j2`
the HTML is written as MJML.
"""

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from traceback import walk_tb

from css_inline import CSSInliner
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError

from nurture.content import Tags, tags_of
from nurture.errors import NotFound
from nurture.templates.check import Check
from nurture.templates.filters import TemplateFault
from nurture.templates.mjml import html_of
from nurture.templates.plain_text import plain_text
from nurture.templates.sandbox import LONGEST, Rounds, Sandbox, check_links
from nurture.templates.sources import A_TICK, Sources

__all__ = ["Rendered", "TemplateFault", "Templates", "plain_text"]

LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")
KEY = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
MJML = ".mjml.j2"
FILE = re.compile(rf"(?P<name>[A-Za-z0-9_-]+)\.(?P<language>{LANGUAGE.pattern})(\.mjml)?\.j2")


@dataclass(frozen=True)
class Rendered:
    """A message in its final words; `language` is that of the file it came from."""

    subject: str = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)
    language: str


class Templates:
    """The messages found in some directories, the first of them winning; a changed file is picked up."""

    def __init__(self, directories: Sequence[Path], default_language: str = "en") -> None:
        self._directories = tuple(directories)
        self._default_language = default_language
        self._html = Sandbox(directories, autoescape=True)
        self._plain = Sandbox(directories, autoescape=False)
        self.sources = Sources(self._directories, self._html)
        self._listed: dict[Path, tuple[int, frozenset[str]]] = {}
        self._files: dict[str, tuple[tuple[frozenset[str], ...], dict[str, str]]] = {}
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def render(self, key: str, language: str | None, context: Mapping[str, object]) -> Rendered:
        """The message in that language or the nearest there is; TemplateFault names file and line, never a value."""
        chosen, file = self._nearest(key, language or self._default_language)
        given = {**context, "language": chosen}
        subject = self._part(self._plain, file, "subject", given).strip()
        if not subject or len(subject.splitlines()) > 1:
            raise TemplateFault(f"{file}: the subject must be one line of text")
        html = self._part(self._html, file, "html", given | {"subject": subject})
        if file.endswith(MJML):
            html = html_of(html, file)
        _check_links(html, file)
        if "text" in self._plain.get_template(file).blocks:
            text = _tidy(self._part(self._plain, file, "text", given | {"subject": subject}))
        else:
            text = plain_text(html)
        return Rendered(subject, self._inliner.inline(html), text, chosen)

    def exists(self, key: str) -> bool:
        """Whether there is a message of that name, in any language."""
        return bool(self.languages(key))

    def languages(self, key: str) -> list[str]:
        """The languages a message is written in."""
        return sorted(self.files(key))

    def files(self, key: str) -> dict[str, str]:
        """The files of a message by language, each within its directory."""
        if not KEY.fullmatch(key):
            return {}
        folder, _, name = key.rpartition("/")
        there = tuple(self._names(place / folder) for place in self._directories)
        known, files = self._files.get(key, ((), {}))
        if len(known) != len(there) or any(one is not other for one, other in zip(known, there, strict=True)):
            ours = [found for one in there for file in sorted(one) if (found := FILE.fullmatch(file))]
            files = {}
            for found in ours:
                if found["name"] == name:
                    files.setdefault(found["language"], f"{folder}/{found[0]}" if folder else found[0])
            self._files[key] = there, files
        return files

    def fingerprint(self, key: str) -> str:
        """SHA-256 of all that a message is made of, in every language; another one when any of it is changed."""
        return self.sources.fingerprint(self.files(key).values())

    def tags(self, key: str) -> Tags:
        """What a message is for, by the heads of its files."""
        return tags_of(chain.from_iterable(map(self.sources.assigned, self.files(key).values())))

    def _names(self, folder: Path) -> frozenset[str]:
        """The files of a folder, read again when one has come or gone."""
        try:
            changed = folder.stat().st_mtime_ns
        except OSError:
            return frozenset()
        known, names = self._listed.get(folder, (0, frozenset[str]()))
        if known != changed:
            names = frozenset(file.name for file in folder.iterdir())
            if time.time_ns() - changed > A_TICK:
                self._listed[folder] = changed, names
        return names

    def variables(self, key: str) -> set[str]:
        """The names a message takes from its context (`lead.first_name`), in all languages and through its layouts."""
        return {use.name for check in self._checks(key) for use in check.uses}

    def faults(self, key: str, provided: Collection[str]) -> list[str]:
        """Everything wrong with a message, with file and line; `provided` are the dotted names its context will hold."""
        if not self.exists(key):
            close = get_close_matches(key, self.keys(), n=1)
            hint = f"did you mean {close[0]}?" if close else f"write {key}.{self._default_language}.j2"
            return [f"message {key} has no file in {', '.join(map(str, self._directories))}; {hint}"]
        checks = list(self._checks(key))
        found = chain.from_iterable((*check.faults, *check.missing(provided)) for check in checks)
        return list(dict.fromkeys(found))

    def keys(self) -> list[str]:
        """All messages: every file that is named for a language, outside `layouts`."""
        files = (file.relative_to(place) for place in self._directories for file in place.rglob("*.j2"))
        named = (file for file in files if file.parts[0] != "layouts" and FILE.fullmatch(file.name))
        return sorted({file.with_name(file.name.partition(".")[0]).as_posix() for file in named})

    def _checks(self, key: str) -> Iterator[Check]:
        return (Check(self._html, file) for _, file in sorted(self.files(key).items()))

    def language_for(self, key: str, language: str | None) -> str:
        """The language that a reader of that one gets."""
        return self._nearest(key, language or self._default_language)[0]

    def _nearest(self, key: str, language: str) -> tuple[str, str]:
        """The language of the reader, else without its region, else the default, else any; and its file."""
        files = self.files(key)
        if not files:
            raise NotFound(f"message {key} has no file in {', '.join(map(str, self._directories))}")
        written = {name.replace("_", "-").lower(): name for name in sorted(files)}
        wanted = language.replace("_", "-").lower()
        candidates = (wanted, wanted.partition("-")[0], self._default_language.lower())
        chosen = next((written[one] for one in candidates if one in written), next(iter(written.values())))
        return chosen, files[chosen]

    def _part(self, environment: Sandbox, file: str, part: str, given: Mapping[str, object]) -> str:
        """One part of the message; the layout is told which by `part`."""
        pieces, length = [], 0
        try:
            for piece in environment.get_template(file).generate(**given, part=part, range=Rounds()):
                length += len(piece)
                if length > LONGEST:
                    raise TemplateFault(f"the {part} is longer than {LONGEST} characters")
                pieces.append(piece)
        except Exception as error:  # noqa: BLE001  # a template may raise anything
            raise _fault(file, error) from None  # the error may tell what the lead's data are
        return "".join(pieces)


def _check_links(html: str, file: str) -> None:
    try:
        check_links(html)
    except TemplateFault as fault:
        raise TemplateFault(f"{file}: {fault}") from None


def _fault(file: str, error: Exception) -> TemplateFault:
    """What went wrong, where: the kind of error and the line of the template, which hold no data."""
    match error:
        case TemplateSyntaxError():
            return TemplateFault(f"{error.filename or file}:{error.lineno}: {error.message}")
        case TemplateFault():
            reason = str(error)
        case SecurityError():
            reason = "what no template may do"
        case TemplateNotFound():
            reason = "a file that does not exist"
        case UndefinedError():
            reason = "a name that nobody provides"
        case _:
            reason = type(error).__name__
    path, line = _line(error) or (file, 0)
    if not line:
        return TemplateFault(f"{path}: {reason}")
    source = Path(path).read_text("utf-8").splitlines()[line - 1].strip()
    return TemplateFault(f"{path}:{line}: {reason} in `{source}`")


def _line(error: Exception) -> tuple[str, int] | None:
    """The innermost line of a template that the error passed through."""
    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    return next((place for place in reversed(places) if place[0].endswith(".j2")), None)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
