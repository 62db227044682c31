"""What the doctor looks for: each finding by its word, what it means and what mends it; and how a journey is judged."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

A_MOMENT = timedelta(minutes=1)  # what changed since is on its way
LATE = timedelta(minutes=10)
VERY_LATE = timedelta(hours=1)
MOST_EXAMPLES = 3


class Word(StrEnum):
    """What was found."""

    DATABASE = "database"
    TABLES = "tables"
    TEMPORAL = "temporal"
    MISSING = "missing"
    UNSTARTED = "unstarted"
    FAILING = "failing"
    OVERDUE = "overdue"
    UNWATCHED = "unwatched"
    LEFTOVER = "leftover"
    STRANGER = "stranger"
    STRANDED = "stranded"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    BURIED = "buried"
    LATE = "late"
    TRIPPED = "tripped"
    SLOWED = "slowed"
    UNTOLD = "untold"
    BLOWN = "blown"
    WARNED = "warned"
    PAUSED = "paused"
    UNAPPROVED = "unapproved"


class Ailment(NamedTuple):
    """What a finding means and what to do; one that is not `grave` is told, and all is well nevertheless."""

    meaning: str
    remedy: str
    grave: bool = True


AILMENTS: dict[Word, Ailment] = {
    Word.DATABASE: Ailment("the database cannot be used", "see that it runs, or set NURTURE_DATABASE_URL"),
    Word.TABLES: Ailment("the tables are not as this nurture needs them", "nurture db upgrade"),
    Word.TEMPORAL: Ailment("Temporal cannot be asked", "see that it runs, or set TEMPORAL_ADDRESS"),
    Word.MISSING: Ailment(
        "journeys that should run and have no workflow", "--fix runs them again from where they stand"
    ),
    Word.UNSTARTED: Ailment("journeys entered and never begun", "--fix begins them"),
    Word.FAILING: Ailment(
        "journeys whose workflow a worker cannot carry on",
        "see the worker's log; a new release of it is to be rolled back",
    ),
    Word.OVERDUE: Ailment(
        "journeys whose wait is long over", "see that a worker runs, and look at their workflows in Temporal"
    ),
    Word.UNWATCHED: Ailment("open hand-offs whose clock does not run", "--fix winds them again"),
    Word.LEFTOVER: Ailment("workflows of journeys that have ended", "--fix ends them"),
    Word.STRANGER: Ailment(
        "workflows of journeys that this database does not know",
        "see that it is the right database; if so, end them with temporal workflow terminate",
    ),
    Word.STRANDED: Ailment("bulk runs under way that have no workflow", "--fix wakes them where they stand"),
    Word.UNKNOWN: Ailment(
        "messages handed over without an answer",
        "set NURTURE_SMTP_LOOKUP_URL, or look them up and say nurture unknown settle",
    ),
    Word.ABANDONED: Ailment("messages that somebody began to send and never came back to", "see that a worker runs"),
    Word.BURIED: Ailment("dead letters", "nurture dead-letters list tells why; then retry or drop them"),
    Word.LATE: Ailment("rows of the outbox that wait to be done", "see that a worker runs and reaches Temporal"),
    Word.TRIPPED: Ailment("providers that nothing is sent through at present", "see the reason; it mends itself"),
    Word.SLOWED: Ailment(
        "receivers that asked for less mail and get it more slowly", "see the reason; it mends itself", grave=False
    ),
    Word.UNTOLD: Ailment(
        "changes of retargeting lists that no hook has taken",
        "nurture retarget list tells why; they are tried for ever",
    ),
    Word.BLOWN: Ailment(
        "campaigns and mailings that were paused, since too many of their messages came back",
        "see nurture report mailings; once the reason is gone, nurture resume or nurture bulk resume",
    ),
    Word.WARNED: Ailment(
        "campaigns and mailings of whose messages many come back", "see nurture report mailings", grave=False
    ),
    Word.PAUSED: Ailment("campaigns that a person has paused", "nurture resume lets one go on", grave=False),
    Word.UNAPPROVED: Ailment(
        "messages whose template nobody approved as it is",
        "nurture approvals tells which; nurture approve lets them go",
        grave=False,
    ),
}


@dataclass(slots=True)
class Finding:
    """How often something was found, a few examples by their ids or names, and how many of it were mended."""

    word: Word
    count: int = 0
    examples: list[str] = field(default_factory=list)
    mended: int = 0

    @property
    def ailment(self) -> Ailment:
        """What it means."""
        return AILMENTS[self.word]


class Findings:
    """All that was found, however much: counted, with a few examples."""

    def __init__(self) -> None:
        self._by_word: dict[Word, Finding] = {}

    def add(self, word: Word, example: str, count: int = 1) -> None:
        """It was found there, so often."""
        found = self._by_word.setdefault(word, Finding(word))
        found.count += count
        if example and len(found.examples) < MOST_EXAMPLES:
            found.examples.append(example)

    def mended(self, word: Word, count: int = 1) -> None:
        """So many of it were mended."""
        self._by_word[word].mended += count

    @property
    def all(self) -> list[Finding]:
        """The findings, in the order of the words."""
        return [self._by_word[word] for word in Word if word in self._by_word]

    @property
    def well(self) -> bool:
        """Whether nothing grave was found."""
        return not any(one.ailment.grave for one in self.all)


class Standing(NamedTuple):
    """A journey under way as the store has it; `awaited` while the outbox still has something to do for its lead."""

    id: str
    lead_id: str
    status: str
    until: datetime | None
    updated_at: datetime
    awaited: bool


def diagnosis(one: Standing, runs: bool, now: datetime) -> Word | None:
    """What is wrong with a journey under way whose workflow runs, or does not."""
    if not runs:
        if one.awaited or one.updated_at > now - A_MOMENT:
            return None
        return Word.UNSTARTED if one.status == "starting" else Word.MISSING
    if one.status == "active" and one.until is not None and one.until < now - LATE:
        return Word.OVERDUE
    return None


class Past(NamedTuple):
    """A journey that is not under way: how it stands, and since when."""

    status: str
    updated_at: datetime


def of_workflow(journey: Past | None, now: datetime) -> Word | None:
    """What is wrong with a workflow that runs for a journey which the store does not have under way."""
    if journey is None:
        return Word.STRANGER
    over = journey.status in ("ended", "holdout") and journey.updated_at <= now - A_MOMENT
    return Word.LEFTOVER if over else None
