"""The checker: decides by the evidence alone whether the invariants hold for a cohort; the product's counters count for nothing.

What is *lost* was to arrive and neither did nor is accounted for; *twice* arrived more than once without the ledger
saying that it was sent again; *unknown* was handed over without an answer, and is shown as such.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from tests.faults.crowd import Cohort
from tests.faults.evidence import Acknowledged, Arrival, Evidence

SENT_AGAIN = "sent again"
CLOCKS = timedelta(milliseconds=50)  # the sink's clock is read after the product's


class Road(NamedTuple):
    """What a campaign's mails are called, in order, and how long it is from one to the next at least."""

    subjects: tuple[str, ...]
    apart: timedelta = timedelta(0)


ROADS = {
    "steady": Road(("one", "two", "three"), timedelta(seconds=2)),
    "paused": Road(("one", "two", "three"), timedelta(seconds=2)),
    "edited": Road(("one", "two", "three"), timedelta(seconds=2)),
    "receipt": Road(("one", "two"), timedelta(seconds=1)),
    "patient": Road(("one", "two")),
    "mailless": Road(()),
    "listening": Road(()),
}


@dataclass(frozen=True)
class Expected:
    """What is to become of a cohort: how its messages may be settled, by subject where one differs from the rest.

    `absent` are never even planned. `after` maps a subject to the event that it must not come before. `breaks` says that
    workflow tasks were made to break.
    """

    settled: frozenset[str] = frozenset({"accepted"})
    of: dict[str, frozenset[str]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    suppressed: bool = False
    points: dict[str, float] = field(default_factory=dict)
    heard: int | None = None
    city: str | None = None
    after: dict[str, str] = field(default_factory=dict)
    paused: bool = False
    breaks: bool = False

    def may_be(self, subject: str) -> frozenset[str]:
        """How that message may be settled."""
        return self.of.get(subject, self.settled)


class Verdict(NamedTuple):
    """What was found; nothing but `unknown` may be."""

    lost: tuple[str, ...]
    twice: tuple[str, ...]
    unknown: tuple[str, ...]
    again: tuple[str, ...]
    other: tuple[str, ...]
    mails: int
    latest: float
    recovered: float

    @property
    def holds(self) -> bool:
        """Whether the cohort came through."""
        return not (self.lost or self.twice or self.other)


def check(evidence: Evidence, cohort: Cohort, expected: Expected, mended: datetime | None = None) -> Verdict:
    """Whether the invariants hold for the cohort; `mended` is when the fault was over."""
    case = _Case(evidence, cohort, expected)
    due = {one.key: one.due for one in case.ledger}
    late = [(one.at - due[one.key]).total_seconds() for one in case.arrivals if one.key in due]
    old = [one.settled for one in case.ledger if mended is not None and one.due <= mended]
    return Verdict(
        lost=_sorted(case.lost()),
        twice=_sorted(case.twice()),
        unknown=_sorted(one.key for one in case.ledger if one.status == "unknown"),
        again=_sorted(one.key for one in case.ledger if one.reason.startswith(SENT_AGAIN)),
        other=_sorted(case.other()),
        mails=len(case.arrivals),
        latest=max(late, default=0.0),
        recovered=max([0.0, *((one - mended).total_seconds() for one in old if mended is not None)]),
    )


class _Case:
    """The part of the evidence that speaks of one cohort."""

    def __init__(self, evidence: Evidence, cohort: Cohort, expected: Expected) -> None:
        emails = set(cohort.emails)
        self.evidence, self.cohort, self.expected = evidence, cohort, expected
        self.road = ROADS[cohort.campaign]
        self.arrivals = [one for one in evidence.arrivals if one.to in emails]
        self.ledger = [one for one in evidence.ledger if one.email in emails]
        self.journeys = [one for one in evidence.journeys if one.email in emails]
        self.acknowledged = [one for one in evidence.acknowledged if one.email in emails]
        self.entered = {one.email for one in self.acknowledged if one.name == f"{cohort.campaign}_asked"}
        self.times = Counter(one.key for one in self.arrivals)

    def lost(self) -> Iterator[str]:
        """I3: every message that was to fire is settled, and an accepted one arrived."""
        rows = {(one.email, one.template.rpartition("/")[2]): one for one in self.ledger}
        for email in sorted(self.entered):
            for subject in self.road.subjects:
                row = rows.get((email, subject))
                if row is None:
                    if subject not in self.expected.absent:
                        yield f"{email} {subject}: was never planned"
                elif row.status == "accepted" and row.key not in self.times:
                    yield f"{email} {subject}: accepted, and never arrived"
        if missing := set(self.cohort.emails) - self.entered:
            yield f"{len(missing)} leads were never acknowledged"

    def twice(self) -> Iterator[str]:
        """I2: at most one arrival a message, unless the ledger says that it was sent again."""
        again = {one.key for one in self.ledger if one.reason.startswith(SENT_AGAIN)}
        for key, times in self.times.items():
            if times > (2 if key in again else 1):
                yield f"{key} arrived {times} times"
        per_lead = Counter((one.to, one.subject) for one in self.arrivals if one.key not in again)
        yield from (f"{to} got {subject} {times} times" for (to, subject), times in per_lead.items() if times > 1)

    def other(self) -> Iterator[str]:
        """Everything else that may not be."""
        yield from self._unaccounted()
        yield from self._unsettled()
        yield from self._unheard()
        yield from self._unwanted()
        yield from self._out_of_order()
        yield from self._stuck()
        yield from self._miscounted()
        yield from self._broken()
        yield from self._suppressed()
        yield from self._too_soon()
        yield from self._in_a_pause()
        heard = {email: self.evidence.heard.get(email, 0) for email in self.cohort.emails}
        yield from (f"{email} heard {n} times" for email, n in heard.items() if self.expected.heard not in (None, n))
        cities = {email: self.evidence.cities.get(email) for email in self.cohort.emails}
        yield from (f"{email} lives in {city}" for email, city in cities.items() if city != self.expected.city)

    def _unaccounted(self) -> Iterator[str]:
        rows = {one.key: one for one in self.ledger}
        for one in self.arrivals:
            row = rows.get(one.key)
            if row is None or row.message_id != one.message_id or row.status not in ("accepted", "unknown"):
                yield f"{one.key} arrived, but the ledger says {row.status if row else 'nothing'}"

    def _unsettled(self) -> Iterator[str]:
        for one in self.ledger:
            subject = one.template.rpartition("/")[2]
            if one.status not in self.expected.may_be(subject):
                yield f"{one.email} {subject}: {one.status} ({one.reason})"

    def _unheard(self) -> Iterator[str]:
        """I1: what was answered with 2xx is stored once; each entry brought about one journey."""
        for one in self.acknowledged:
            if self.evidence.events.get(one.id, 0) != 1:
                yield f"event {one.id} was acknowledged and is stored {self.evidence.events.get(one.id, 0)} times"
        journeys = Counter(one.email for one in self.journeys if one.campaign == self.cohort.campaign)
        for email in self.entered:
            if journeys[email] != 1:
                yield f"{email} entered once and has {journeys[email]} journeys"

    def _unwanted(self) -> Iterator[str]:
        """I4: nothing is committed to after the lead's refusal was acknowledged."""
        refused = {one.email: one.at for one in self.acknowledged if one.refuses}
        arrived = {one.key for one in self.arrivals}
        for one in self.ledger:
            late = one.committed is not None and one.email in refused and one.committed > refused[one.email]
            if late and one.key in arrived:
                yield f"{one.key} was sent after its lead had refused"

    def _out_of_order(self) -> Iterator[str]:
        """I5, I7: a lead's mails come in the order of the road, and never sooner than it says."""
        for email in self.cohort.emails:
            theirs = _first_of_each(sorted(one for one in self.arrivals if one.to == email))
            places = [self.road.subjects.index(one.subject) for one in theirs]
            if places != sorted(places):
                yield f"{email} got {[one.subject for one in theirs]}"
            for one, other in pairwise(theirs):
                if other.at - one.at < self.road.apart - CLOCKS - self._behind(one):
                    yield f"{email} got {other.subject} {(other.at - one.at).total_seconds():.2f} s after {one.subject}"

    def _behind(self, arrival: Arrival) -> timedelta:
        """So far behind was the clock of the walk that sent it: it begins with the task that ordered the walk."""
        committed = {one.key: one.committed for one in self.ledger}.get(arrival.key)
        return max(arrival.at - committed, timedelta(0)) if committed else timedelta(0)

    def _stuck(self) -> Iterator[str]:
        """I8, I9: a journey that has not ended has one open workflow and something that it waits for; the rest has none."""
        for one in self.journeys:
            runs = one.id in self.evidence.running
            if one.status != "ended":
                yield f"the journey of {one.email} is {one.status} until {one.until}, and {_runs(runs)}"
            elif runs:
                yield f"the journey of {one.email} has ended, and its workflow runs"

    def _miscounted(self) -> Iterator[str]:
        """I6: a score is what the acknowledged events give, each once."""
        for email in self.cohort.emails:
            visits = {one.id for one in self.acknowledged if one.email == email and one.name == "visited"}
            due = {"interest": float(len(visits)), **self.expected.points}
            given = self.evidence.points.get(email, {})
            yield from (
                f"{email} has {given.get(score, 0):g} points of {score}, not {points:g}"
                for score, points in due.items()
                if given.get(score, 0) != points
            )

    def _broken(self) -> Iterator[str]:
        broken = [one.id for one in self.journeys if one.id in self.evidence.broken]
        if bool(broken) != self.expected.breaks:
            yield f"{len(broken)} workflows had a task that broke"

    def _too_soon(self) -> Iterator[str]:
        sent = {(one.email, one.name): one.sent for one in sorted(self.acknowledged, key=_sent, reverse=True)}
        for one in self.arrivals:
            cause = self.expected.after.get(one.subject)
            if cause is not None and ((one.to, cause) not in sent or sent[one.to, cause] > one.at):
                yield f"{one.to} got {one.subject} before {cause} was told"

    def _in_a_pause(self) -> Iterator[str]:
        for begun, ended in self.evidence.pauses if self.expected.paused else ():
            for one in self.ledger:
                if one.committed is not None and begun < one.committed < ended:
                    yield f"{one.key} was sent while its campaign was paused"

    def _suppressed(self) -> Iterator[str]:
        for email in self.cohort.emails:
            suppressed = hashlib.sha256(email.encode()).hexdigest() in self.evidence.suppressed
            if suppressed != self.expected.suppressed:
                yield f"the address {email} is {'' if suppressed else 'not '}suppressed"


def overall(evidence: Evidence) -> list[str]:
    """What may be left lying nowhere."""
    found = [f"dead letter: {reason}" for reason in evidence.buried]
    if evidence.waiting:
        found.append(f"{evidence.waiting} rows left in the outbox")
    stored = evidence.events
    found += [
        f"event {one.id} was acknowledged and is not stored" for one in evidence.acknowledged if one.id not in stored
    ]
    known = {one.id for one in evidence.journeys}
    return found + [f"a workflow runs that no journey knows: {one}" for one in evidence.running - known]


def _sent(one: Acknowledged) -> datetime:
    return one.sent


def _first_of_each(arrivals: Sequence[Arrival]) -> list[Arrival]:
    return list({one.key: one for one in reversed(arrivals)}.values())[::-1]


def _runs(runs: bool) -> str:
    return "its workflow runs" if runs else "no workflow runs"


def _sorted(found: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))
