"""What is wrong with messages that would go out all the same, each with its place and the remedy."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nurture.catalogue import Catalogue
from nurture.content import tag_faults
from nurture.errors import BadInput
from nurture.faults import Level
from nurture.linting.markup import markup_findings
from nurture.linting.senders import sender_findings
from nurture.message_variables import EVERY, provided, usual
from nurture.settings import Settings
from nurture.steps import Message
from nurture.templates import Rendered, Templates
from nurture.templates.samples import READERS, sample_context

CLIPPED = 102_000  # bytes of HTML, above which Gmail shows the beginning only
PLACED = re.compile(r"(?P<place>[^:\s]+\.j2(?::\d+)?): (?P<message>.*)", re.DOTALL)


class Finding(NamedTuple):
    """One line of `nurture lint`; an error makes it fail, a warning does not."""

    level: Level
    rule: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.rule}]"


class Letters(NamedTuple):
    """How a message is sent: the names that it is given, whether it needs a way to unsubscribe, and by whom; who of them asks
    for approval."""

    provided: frozenset[str]
    marketing: bool
    senders: frozenset[str] = frozenset()
    approval_for: frozenset[str] = frozenset()


class Linter:
    """Looks at messages as they are written, and as they are for readers made up."""

    def __init__(self, settings: Settings, templates: Templates, catalogue: Catalogue) -> None:
        self._settings, self._templates, self._catalogue = settings, templates, catalogue
        self._letters = letters_of(catalogue)
        self._seen: set[str] = set()

    def of_settings(self) -> Iterator[Finding]:
        """What is wrong with whom mail is from, by the settings and by campaigns."""
        senders = {"NURTURE_SENDER": self._settings.sender}
        for key, version in self._catalogue.campaigns.items():
            if version.campaign.sender:
                senders[f"campaign {key}, sender"] = version.campaign.sender
        for place, sender in senders.items():
            for level, message in sender_findings(sender, self._settings):
                yield Finding(level, "sender", place, message)
        if self._settings.environment == "production" and not self._settings.postal_address:
            message = "marketing has to name a postal address in many a country: set it"
            yield Finding("warning", "sender", "NURTURE_POSTAL_ADDRESS", message)

    def of_message(self, key: str) -> Iterator[Finding]:
        """What is wrong with one message, in all its languages."""
        letters = self._letters.get(key) or Letters(usual(key), marketing=usual(key) is EVERY)
        broken = [_placed("error", "variables", one) for one in self._templates.faults(key, letters.provided)]
        yield from broken
        files = self._templates.files(key)
        if not files:
            return
        if self._settings.language not in files:
            fallback = f"write {key}.{self._settings.language}.j2, or other readers get one that they may not read"
            yield Finding(
                "warning",
                "language",
                self._place(next(iter(files.values()))),
                f"is not in the house's language; {fallback}",
            )
        for name in self._templates.sources.closure(files.values()):
            if name not in self._seen:
                self._seen.add(name)
                yield from self._of_file(name)
        if not broken:
            for language, file in sorted(files.items()):
                yield from self._of_language(key, language, file, letters)

    def _place(self, file: str) -> str:
        return str(self._templates.sources.path(file) or file)

    def _of_file(self, name: str) -> Iterator[Finding]:
        sources, place = self._templates.sources, self._place(name)
        for line, message in tag_faults(sources.assigned(name)):
            yield Finding("error", "tags", f"{place}:{line}", message)
        for level, rule, line, message in markup_findings(sources.text(name)):
            yield Finding(level, rule, f"{place}:{line}", message)

    def _of_language(self, key: str, language: str, file: str, letters: Letters) -> Iterator[Finding]:
        place = self._place(file)
        for reader, profile in READERS.items():
            context = sample_context(key, profile, "need", self._settings)
            try:
                rendered = self._templates.render(key, language, context)
            except BadInput as error:
                who = "of whom all is known" if reader == "known" else "of whom nothing is known"
                told = _placed("error", "rendering", str(error))
                yield told._replace(message=f"{told.message} (for a reader {who})")
                continue
            if reader == "known":
                yield from _of_rendered(rendered, place, context["links"]["unsubscribe"] if letters.marketing else None)


def _of_rendered(rendered: Rendered, place: str, unsubscribe: str | None) -> Iterator[Finding]:
    size = len(rendered.html.encode())
    if size > CLIPPED:
        message = f"the HTML takes {size:,} bytes, and Gmail cuts it off after {CLIPPED:,}: shorten it"
        yield Finding("error", "size", place, message)
    for part, text in (("HTML", rendered.html), ("text", rendered.text)):
        if unsubscribe is not None and unsubscribe not in text:
            remedy = "write {{ links.unsubscribe }}, or take a layout that does"
            yield Finding("error", "unsubscribe", place, f"the {part} part shows no way to unsubscribe: {remedy}")


def letters_of(catalogue: Catalogue) -> Mapping[str, Letters]:
    """How each message is sent by campaigns and mailings: it is given what all of them give."""
    found: dict[str, Letters] = {}
    campaigns = [version.campaign for version in catalogue.campaigns.values()]
    campaigns += [mailing.campaign for mailing in catalogue.mailings.values()]
    for campaign in campaigns:
        for step in (step for state in campaign.states for step in state.steps):
            if isinstance(step, Message):
                marketing = campaign.purpose == "marketing" and not step.legal_basis
                before = found.get(step.template, Letters(provided(step), marketing=False))
                asking = before.approval_for | ({campaign.key} if campaign.approval else set())
                given = before.provided & provided(step)
                senders = before.senders | {campaign.key}
                found[step.template] = Letters(given, before.marketing or marketing, senders, asking)
    return found


def _placed(level: Level, rule: str, text: str) -> Finding:
    """A fault that says its place first."""
    found = PLACED.fullmatch(text)
    return Finding(level, rule, found["place"], found["message"]) if found else Finding(level, rule, "templates", text)
