"""Back-test: whom a definition or a score would have handed over, by what was known at each moment of recorded history.

found = backtest(director, [past("ann", at(days=1, event="visit"), at(days=9, event="sales_accepted"))], scores=[interest])
assert found.leads == ["ann"]
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from nurture.decisions import events_needed
from nurture.definitions import Definition
from nurture.facts import Facts, Happening
from nurture.fading import points_now
from nurture.fields import GROUPS
from nurture.profile import facts_tree
from nurture.rulebook import Rulebook
from nurture.scores import Change, Score
from nurture.simulate import A_MONDAY, Planned
from nurture.tally import Tally
from nurture.turns import turns_of

Outcome: TypeAlias = Literal["good", "bad", "unknown"]
GOOD = frozenset({"sales_accepted", "order_paid"})
BAD = frozenset({"sales_rejected"})
STAGE_CHANGED = "stage_changed"


class Moment(NamedTuple):
    """What became known of a lead at a time: an event, parts of its profile, points given outright."""

    at: datetime
    event: Happening | None = None
    became: Mapping[str, Any] = {}  # a tuple's field, never written to
    given: tuple[Change, ...] = ()


class Past(NamedTuple):
    """A lead's recorded history, in the order in which it became known."""

    lead_id: str
    moments: tuple[Moment, ...]


def past(lead_id: str, *planned: Planned, lead: Mapping[str, Any] | None = None, start: datetime = A_MONDAY) -> Past:
    """A history made by hand, with the words of `simulate`: `past("ann", at(days=1, event="visit"), lead={…})`."""
    known = dict(lead or {})
    moments = [Moment(start, became=known)]
    for n, one in enumerate(sorted(planned, key=lambda one: one.after), 1):
        at = start + one.after + n * timedelta.resolution
        became = {
            name: {**known.get(name, {}), **says} if name in GROUPS else says for name, says in one.profile.items()
        }
        known = known | became
        moments.append(Moment(at, Happening(one.name, at, one.properties, f"{lead_id}/{n}", at), became))
    return Past(lead_id, tuple(moments))


class Would(NamedTuple):
    """A lead that would have been handed over, when, and what came of it after that."""

    lead_id: str
    at: datetime
    outcome: Outcome


@dataclass(frozen=True)
class Tried:
    """What the back-test found; `won` are all leads with a good outcome in the time looked at."""

    key: str
    version: str
    would: tuple[Would, ...] = ()
    looked_at: int = 0
    won: frozenset[str] = field(default_factory=frozenset)

    @property
    def leads(self) -> list[str]:
        """Who would have been handed over, in the order of time."""
        return [one.lead_id for one in sorted(self.would, key=lambda one: (one.at, one.lead_id))]

    @property
    def precision(self) -> float | None:
        """Of those handed over whose outcome is known, the share with a good one; None when none is known."""
        known = [one for one in self.would if one.outcome != "unknown"]
        return sum(one.outcome == "good" for one in known) / len(known) if known else None

    @property
    def recall(self) -> float | None:
        """Of all leads with a good outcome, the share handed over before it; None when there is none."""
        found = {one.lead_id for one in self.would if one.outcome == "good"}
        return len(found & self.won) / len(self.won) if self.won else None


def backtest(
    tried: Definition | Score,
    pasts: Iterable[Past],
    *,
    scores: Iterable[Score] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Tried:
    """Replay the histories, each lead's in the order in which things became known, and never look ahead.

    A definition hands a lead over when it first comes true, a score when it first reaches one of its thresholds; only from
    `since` to `until`, what was before is replayed for what it leaves behind.
    """
    trial = Trial(tried, scores, since, until)
    for one in pasts:
        trial.takes(one)
    return trial.found


class Trial:
    """A back-test on its way: it takes one history after the other."""

    def __init__(
        self,
        tried: Definition | Score,
        scores: Iterable[Score] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self.since, self.until = since, until
        self.tried, self.replay = tried, Replay(tried, scores)
        self.would: list[Would] = []
        self.won: set[str] = set()
        self.looked_at = 0

    def takes(self, one: Past) -> None:
        """Replay one lead's history."""
        self.looked_at += 1
        if any(_within(moment.at, self.since, self.until) for moment in _good(one)):
            self.won.add(one.lead_id)
        at = self.replay.first(one, self.until)
        if at is not None and _within(at, self.since, self.until):
            self.would.append(Would(one.lead_id, at, _outcome(one, at)))

    @property
    def found(self) -> Tried:
        """What was found by now."""
        return Tried(self.tried.key, self.tried.version, tuple(self.would), self.looked_at, frozenset(self.won))


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)


def _good(one: Past) -> Iterator[Moment]:
    return (moment for moment in one.moments if moment.event is not None and moment.event.name in GOOD)


def _outcome(one: Past, at: datetime) -> Outcome:
    """What came of the lead after that moment; an order outweighs a refusal."""
    names = {moment.event.name for moment in one.moments if moment.event is not None and moment.at > at}
    return "good" if names & GOOD else "bad" if names & BAD else "unknown"


class Replay:
    """The replay of histories by one definition or score, by the very code that counts live."""

    def __init__(self, tried: Definition | Score, scores: Iterable[Score] = ()) -> None:
        known = {score.key: score for score in scores}
        if isinstance(tried, Score):
            known[tried.key] = tried
        self.tried, self.book = tried, Rulebook(known)
        self.ready = tried.ready if isinstance(tried, Definition) else None

    @property
    def names(self) -> frozenset[str]:
        """The names of the events that it looks at."""
        heard = {name for score in self.book.scores.values() for name in self.book.events(score)}
        looked_at = frozenset() if self.ready is None else events_needed(self.ready)
        return looked_at | heard | GOOD | BAD | {STAGE_CHANGED}

    def first(self, one: Past, until: datetime | None = None) -> datetime | None:
        """When the lead would first have been handed over; None when never."""
        lead = _Lead(self.book)
        for at, moment in enumerate(one.moments):
            if until is not None and moment.at > until:
                return None
            reached = lead.learns(moment)
            if self.ready is None:
                if self.tried.key in reached:
                    return moment.at
                continue
            if self.ready.test(lead.facts(moment.at)):
                return moment.at
            coming = one.moments[at + 1].at if at + 1 < len(one.moments) else until
            if self.ready.timed and (turned := self._turned(lead, moment.at, coming)):
                return turned
        return None

    def _turned(self, lead: "_Lead", since: datetime, until: datetime | None) -> datetime | None:
        """When time alone made it true before the next moment."""
        assert self.ready is not None
        turns = turns_of([self.ready], lead.happened, lead.tally.fading)
        for turn in sorted(one for one in turns if one > since and (until is None or one < until)):
            if self.ready.test(lead.facts(turn)):
                return turn
        return None


class _Lead:
    """A lead as it was known at a moment."""

    def __init__(self, book: Rulebook) -> None:
        self.book, self.tally = book, Tally()
        self.profile: dict[str, Any] = {}
        self.stage = "need"
        self.happened: dict[str, list[Happening]] = {}
        self.is_new = True

    def learns(self, moment: Moment) -> set[str]:
        """Take the moment in; the scores of which a threshold is reached by it."""
        for group, value in moment.became.items():
            self.profile.pop(group, None)
            if value is not None:
                self.profile[group] = value
        event = moment.event
        if event is not None:
            self.happened.setdefault(event.name, []).append(event)
            if event.name == STAGE_CHANGED:
                self.stage = str(event.properties.get("to", self.stage))
        changed = [f"lead.{group}" for group in moment.became]
        changed += ["lead.stage"] if event is not None and event.name == STAGE_CHANGED else []
        name = None if event is None else event.name
        ask = self.book.ask(name, changed, new_lead=self.is_new, given=moment.given)
        self.is_new = False
        watched = [one for key in self._watched(ask.by_profile) for one in self.happened.get(key, ())]
        tree = partial(facts_tree, self.profile, self.stage)
        taken = self.tally.take(ask, event, moment.at, tree, self._named, watched, moment.given)
        return {one.score for one in taken.reached}

    def _named(self, name: str) -> Sequence[Happening]:
        return self.happened.get(name, ())

    def _watched(self, scores: Sequence[Score]) -> set[str]:
        return {name for score in scores for name in self.book.names.get(score.key, ())}

    def facts(self, now: datetime) -> Facts:
        """What conditions look at."""
        tree = facts_tree(self.profile, self.stage, points_now(self.tally.scores, self.tally.fading, now))
        return Facts(now, tree, self.happened)
