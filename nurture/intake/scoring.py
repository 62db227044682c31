"""Scores as leads come in: what each event and each change of a profile gives, and the thresholds it crosses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, func, select, update

from nurture.facts import Facts, Happening, by_name
from nurture.profile import facts_tree
from nurture.scores import Change, Crossing, Score, changes_by_event, changes_by_profile, crossings
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table
from nurture.store.facts import happenings
from nurture.store.held import HeldLead
from nurture.store.models import CrossingRow, ScoreChangeRow
from nurture.triggers import On

RuleKey: TypeAlias = tuple[str, str]
CHANGES, CROSSINGS = table(ScoreChangeRow), table(CrossingRow)
RULE = (CHANGES.c.lead_id, CHANGES.c.score, CHANGES.c.rule)
GIVEN = select(*RULE, func.count(), func.sum(CHANGES.c.points)).group_by(*RULE)
GIVEN = GIVEN.where(*(among(column, f"{column.name}s") for column in RULE))
FIRED = (
    select(*(CROSSINGS.c[name] for name in ("lead_id", "score", "threshold", "n", "rearmed_at")))
    .where(*(among(CROSSINGS.c[name], f"{name}s") for name in ("lead_id", "score")))
    .order_by(CROSSINGS.c.n)
)


@dataclass(slots=True)
class Fired:
    """The last time a threshold fired for a lead; not armed until it is re-armed."""

    n: int
    armed: bool


@dataclass(slots=True)
class Tally:
    """How a lead stands with the rules in play: times given, points given, thresholds fired, what happened."""

    times: dict[RuleKey, int] = field(default_factory=dict)
    points: dict[RuleKey, float] = field(default_factory=dict)
    fired: dict[RuleKey, Fired] = field(default_factory=dict)
    happened: list[Happening] = field(default_factory=list)


class Ask(NamedTuple):
    """What one item may move: scores by event, scores by profile."""

    by_event: tuple[Score, ...]
    by_profile: tuple[Score, ...]


NOTHING = Ask((), ())


class Scoring:
    """The rules, by what sets them off; kept for the life of the process."""

    def __init__(self, scores: Mapping[str, Score]) -> None:
        self.scores = scores
        on: dict[str, set[str]] = defaultdict(set)
        when: dict[str, set[str]] = defaultdict(set)
        self.watching: set[str] = set()
        self.names: dict[str, set[str]] = defaultdict(set)
        self.counted: dict[str, list[str]] = {}
        for score in scores.values():
            for rule in score.rules:
                if isinstance(rule.trigger, On):
                    on[rule.trigger.event.event].add(score.key)
                    continue
                self.watching.add(score.key)
                for key in rule.trigger.depends_on():
                    when[key].add(score.key)
                    if key.startswith("event."):
                        self.names[score.key].add(key.removeprefix("event."))
            self.counted[score.key] = [
                rule.key for rule in score.rules if rule.at_most is not None or not isinstance(rule.trigger, On)
            ]
        self._on, self._when = dict(on), dict(when)

    def ask(
        self, event: Happening | None, changed: Iterable[str], *, new_lead: bool, given: Iterable[Change] = ()
    ) -> Ask:
        """Which scores this may move, by rules or by points `given`; a new lead is looked at by every rule on the profile."""
        by_event = self._on.get(event.name, set()) if event is not None else set()
        by_event = by_event | {change.score for change in given if change.score in self.scores}
        if new_lead:
            by_profile = self.watching
        else:
            keys = [*changed, *(f"score.{key}" for key in by_event)]
            if event is not None:
                keys.append(f"event.{event.name}")
            by_profile = set().union(*(self._when.get(key, ()) for key in keys))
        if not by_event and not by_profile:
            return NOTHING
        return Ask(self._all(by_event), self._all(by_profile))

    def _all(self, keys: set[str]) -> tuple[Score, ...]:
        return tuple(self.scores[key] for key in sorted(keys))

    def tallies(self, connection: Connection, asks: Iterable[tuple[HeldLead, Ask]]) -> defaultdict[str, Tally]:
        """How the leads stand with the rules in play, in a handful of queries for all of them."""
        wanted = [(lead, ask) for lead, ask in asks if ask is not NOTHING]
        found: defaultdict[str, Tally] = defaultdict(Tally)
        old = {lead.id for lead, _ in wanted if not lead.is_new}
        if not old:
            return found
        scores = {score.key: score for _, ask in wanted for score in (*ask.by_event, *ask.by_profile)}
        self._load_rules(connection, found, old, scores)
        self._load_thresholds(connection, found, old, scores)
        names = {name for _, ask in wanted for score in ask.by_profile for name in self.names.get(score.key, ())}
        for lead_id, happened in (happenings(connection, old, names)).items():
            found[lead_id].happened = happened
        return found

    def _load_rules(
        self, connection: Connection, found: dict[str, Tally], leads: set[str], scores: Mapping[str, Score]
    ) -> None:
        rules = {rule for key in scores for rule in self.counted[key]}
        if not rules:
            return
        given = {"lead_ids": list(leads), "scores": list(scores), "rules": list(rules)}
        for lead_id, score, rule, times, points in connection.execute(GIVEN, given):
            found[lead_id].times[score, rule] = times
            found[lead_id].points[score, rule] = round(points, 6)

    def _load_thresholds(
        self, connection: Connection, found: dict[str, Tally], leads: set[str], scores: Mapping[str, Score]
    ) -> None:
        if not any(score.thresholds for score in scores.values()):
            return
        rows = connection.execute(FIRED, {"lead_ids": list(leads), "scores": list(scores)})
        for lead_id, score, threshold, n, rearmed_at in rows:
            found[lead_id].fired[score, threshold] = Fired(n, armed=rearmed_at is not None)


class Scored(NamedTuple):
    """What one item did to the scores: the keys to announce, and the thresholds reached."""

    keys: tuple[str, ...] = ()
    reached: tuple[tuple[Score, Crossing, float], ...] = ()


class Scorebook:
    """The score changes and crossings of one transaction, written at its end."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self.fired: list[dict[str, Any]] = []
        self.rearmed: list[tuple[str, RuleKey, int, datetime]] = []

    def take(
        self,
        lead: HeldLead,
        ask: Ask,
        tally: Tally,
        event: Happening | None,
        cause: str,
        at: datetime,
        given: Sequence[Change] = (),
    ) -> Scored:
        """Give the points that the item brings, by rules and outright (`given`); `lead.scores` and `tally` move along."""
        if event is not None:
            tally.happened.append(event)
        if ask is NOTHING and not given:
            return Scored()
        changes = changes_by_event(ask.by_event, event, tally.times) if event is not None and ask.by_event else []
        changed = self._give(lead, [*changes, *given], tally, cause, at)
        if ask.by_profile:
            facts = Facts(at, facts_tree(lead.profile, lead.stage, lead.scores), by_name(tally.happened))
            more = changes_by_profile(ask.by_profile, facts, tally.points)
            changed |= self._give(lead, more, tally, cause, at)
        reached: list[tuple[Score, Crossing, float]] = []
        for score in (*ask.by_event, *ask.by_profile):
            if score.key in changed:
                reached += self._cross(lead, score, tally, at)
        return Scored(tuple(f"score.{key}" for key in sorted(changed)), tuple(reached))

    def _give(self, lead: HeldLead, changes: list[Change], tally: Tally, cause: str, at: datetime) -> set[str]:
        summed: dict[RuleKey, float] = {}
        for score, rule, points in changes:
            summed[score, rule] = summed.get((score, rule), 0) + points
        for (score, rule), points in summed.items():
            self.changes.append(
                {"lead_id": lead.id, "score": score, "rule": rule, "points": points, "cause": cause, "at": at}
            )
            # Rounded, so that the order in which points come is nothing to their sum.
            lead.scores[score] = round(lead.scores.get(score, 0) + points, 6)
            tally.times[score, rule] = tally.times.get((score, rule), 0) + 1
            tally.points[score, rule] = round(tally.points.get((score, rule), 0) + points, 6)
        return {score for score, _ in summed}

    def _cross(self, lead: HeldLead, score: Score, tally: Tally, at: datetime) -> list[tuple[Score, Crossing, float]]:
        reached: list[tuple[Score, Crossing, float]] = []
        points = lead.scores[score.key]
        fired = frozenset(name for (key, name), one in tally.fired.items() if key == score.key and not one.armed)
        for crossing in crossings(score, points, fired):
            which = (score.key, crossing.threshold.key)
            before = tally.fired.get(which, Fired(0, armed=True))
            if crossing.kind == "rearmed":
                tally.fired[which] = Fired(before.n, armed=True)
                self.rearmed.append((lead.id, which, before.n, at))
                continue
            tally.fired[which] = Fired(before.n + 1, armed=False)
            row = {"lead_id": lead.id, "score": which[0], "threshold": which[1], "n": before.n + 1, "points": points}
            self.fired.append({**row, "fired_at": at, "rearmed_at": None})
            reached.append((score, crossing, points))
        return reached

    def save(self, connection: Connection) -> None:
        """Write what was taken."""
        insert_rows(connection, ScoreChangeRow, self.changes)
        insert_rows(connection, CrossingRow, self.fired)
        for lead_id, (score, threshold), n, at in self.rearmed:
            which = (CROSSINGS.c.lead_id == lead_id) & (CROSSINGS.c.score == score)
            which &= (CROSSINGS.c.threshold == threshold) & (CROSSINGS.c.n == n)
            connection.execute(update(CROSSINGS).where(which).values(rearmed_at=at))
