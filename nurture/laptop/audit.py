"""The audit: what the mail server took, held against what the store says. Neither knows of the other."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Mail(NamedTuple):
    """One mail of the catcher's log: the ledger's key as its header says, None when it has none."""

    key: str | None
    message_id: str


class Entry(NamedTuple):
    """One row of the ledger."""

    key: str
    message_id: str
    status: str


class Books(NamedTuple):
    """What the store says: the ledger, the events it holds, and what is left lying."""

    ledger: tuple[Entry, ...] = ()
    events: frozenset[str] = frozenset()
    starting: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    dead_letters: tuple[str, ...] = ()


class Check(NamedTuple):
    """One thing that was looked for, what it means, and what was found; `fails` when it may not be."""

    name: str
    meaning: str
    found: tuple[str, ...]
    fails: bool = True


class Audit(NamedTuple):
    """What was found, as keys of messages, ids of journeys and ids of events."""

    arrived: int
    accepted: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    unknown: tuple[str, ...]
    unaccounted: tuple[str, ...]
    unfinished: tuple[str, ...]
    unheard: tuple[str, ...]
    stuck: tuple[str, ...]
    dead_letters: tuple[str, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of it, in the order of weight."""
        return (
            Check("lost", "accepted in the ledger, but never arrived", self.lost),
            Check("twice", "arrived more than once", self.twice),
            Check("unaccounted", "arrived, but the ledger does not say so", self.unaccounted),
            Check("unfinished", "left between planned and sent", self.unfinished),
            Check("unknown", "handed over without an answer, and held", self.unknown, fails=False),
            Check("unheard", "events answered with 2xx, but not stored", self.unheard),
            Check("stuck", "journeys that nobody started, or whose wait is long over", self.stuck),
            Check("dead letters", "what could never be delivered to a journey", self.dead_letters),
        )

    @property
    def holds(self) -> bool:
        """Whether nothing was found that may not be."""
        return not any(check.found for check in self.checks if check.fails)

    def verdict(self) -> str:
        """One line."""
        more = [f"{check.name} {len(check.found)}" for check in self.checks[2:] if check.found]
        said = "The audit holds" if self.holds else "THE AUDIT DOES NOT HOLD"
        return f"{said}: {', '.join([f'lost {len(self.lost)}', f'twice {len(self.twice)}', *more])}"


def audit(log: Iterable[Mail], books: Books, acknowledged: Iterable[str] = ()) -> Audit:
    """Hold the log, and the event ids that a client was told are safe, against the books."""
    mails = list(log)
    keys: Mapping[str, int] = Counter(_name(mail) for mail in mails)
    ids: Mapping[str, int] = Counter(mail.message_id for mail in mails)
    rows = {entry.key: entry for entry in books.ledger}
    return Audit(
        arrived=len(mails),
        accepted=sum(entry.status == "accepted" for entry in books.ledger),
        lost=_sorted(one.key for one in books.ledger if one.status == "accepted" and one.key not in keys),
        twice=_sorted(_name(mail) for mail in mails if keys[_name(mail)] > 1 or ids[mail.message_id] > 1),
        unknown=_sorted(one.key for one in books.ledger if one.status == "unknown"),
        unaccounted=_sorted(_name(mail) for mail in mails if not _accounted(mail, rows)),
        unfinished=_sorted(one.key for one in books.ledger if one.status in ("planned", "claimed", "committing")),
        unheard=_sorted(set(acknowledged) - books.events),
        stuck=_sorted((*books.starting, *books.overdue)),
        dead_letters=_sorted(books.dead_letters),
    )


def of_that_moment(mails: Sequence[Mail], before: int, books: Books) -> list[Mail]:
    """What books can know of, of a log that grew while they were read: all that came before, and what they speak of."""
    accepted = {entry.key for entry in books.ledger if entry.status == "accepted"}
    return [*mails[:before], *(mail for mail in mails[before:] if mail.key in accepted)]


def _name(mail: Mail) -> str:
    return mail.key or mail.message_id


def _accounted(mail: Mail, rows: Mapping[str, Entry]) -> bool:
    """Whether the ledger owns up to it; one at the point of being sent is found as unfinished."""
    row = rows.get(mail.key or "")
    return row is not None and row.message_id == mail.message_id and row.status in ("accepted", "unknown", "committing")


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def read_log(path: Path) -> Iterator[Mail]:
    """The mails of the catcher's log; a last line that is still being written is left out."""
    with path.open("rb") as log:
        for line in log:
            if line.endswith(b"\n"):
                entry: dict[str, Any] = json.loads(line)
                yield Mail(entry["key"], entry["message_id"])
