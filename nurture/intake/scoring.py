"""Scores as leads come in: what each event and each change of a profile gives, and the thresholds it crosses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, update

from nurture.facts import Happening
from nurture.profile import facts_tree
from nurture.rulebook import NOTHING, Ask, Rulebook
from nurture.scores import Change, Score, Stamp, stamp
from nurture.store import fading
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table
from nurture.store.facts import happenings
from nurture.store.held import HeldLead
from nurture.store.models import CrossingRow, ScoreChangeRow
from nurture.store.plain import Row, Statement
from nurture.tally import Crossed, Fired, RuleKey, Taken, Tally
from nurture.triggers import On

CHANGES, CROSSINGS = table(ScoreChangeRow), table(CrossingRow)
RULE = (CHANGES.c.lead_id, CHANGES.c.score, CHANGES.c.rule)
THEIRS = tuple(among(column, f"{column.name}s") for column in RULE)
STANDING = Statement(select(*RULE, func.sum(CHANGES.c.points)).where(*THEIRS).group_by(*RULE))
STAMPED = select(*RULE, CHANGES.c.dated, CHANGES.c.cause).where(*THEIRS)
COUNTED = Statement(STAMPED)
RECENTLY = Statement(STAMPED.where(CHANGES.c.dated > bindparam("since")))
UNIQUE = ("lead_id", "score", "rule", "cause")
FIRED = Statement(
    select(*(CROSSINGS.c[name] for name in ("lead_id", "score", "threshold", "n", "rearmed_at")))
    .where(*(among(CROSSINGS.c[name], f"{name}s") for name in ("lead_id", "score")))
    .order_by(CROSSINGS.c.n)
)


class Item(NamedTuple):
    """One item, as far as scores go: its lead, its event, and what it may move."""

    lead: HeldLead
    event: Happening | None
    ask: Ask


class Scoring:
    """How the leads of a transaction stand with the rules."""

    def __init__(self, scores: Mapping[str, Score]) -> None:
        self.book = Rulebook(scores)

    def tallies(self, connection: Connection, items: Iterable[Item]) -> "Tallies":
        """How the leads stand with the rules in play, in a handful of queries for all of them."""
        wanted = [item for item in items if item.ask is not NOTHING]
        found = Tallies(connection)
        old = {item.lead.id for item in wanted if not item.lead.is_new}
        if not old:
            return found
        scores = {score.key: score for item in wanted for score in (*item.ask.by_event, *item.ask.by_profile)}
        self._load_standing(connection, found, old, scores.values())
        places = [stamp(item.event).dated for item in wanted if item.event is not None]
        if places:
            self._load_counted(connection, found, old, scores.values(), min(places))
        self._load_thresholds(connection, found, old, scores.values())
        names = {
            name for item in wanted for score in item.ask.by_profile for name in self.book.names.get(score.key, ())
        }
        for lead_id, happened in (happenings(connection, old, names)).items():
            found.watched[lead_id] = happened
        return found

    def _load_standing(
        self, connection: Connection, found: "Tallies", leads: set[str], scores: Iterable[Score]
    ) -> None:
        rules = [(score.key, rule.key) for score in scores for rule in score.rules if not isinstance(rule.trigger, On)]
        for lead_id, score, rule, points in _of_rules(connection, STANDING, leads, rules):
            found.of[lead_id].standing[score, rule] = round(points, 6)

    def _load_counted(
        self, connection: Connection, found: "Tallies", leads: set[str], scores: Iterable[Score], since: datetime
    ) -> None:
        """The events that capped rules counted; of rules with a period only those that still bear on one at `since`."""
        capped = [(score.key, rule) for score in scores for rule in score.rules if rule.at_most is not None]
        for_ever = [(score, rule.key) for score, rule in capped if rule.per is None]
        rows = _of_rules(connection, COUNTED, leads, for_ever)
        periods = [rule.per for _, rule in capped if rule.per is not None]
        if periods:
            lately = [(score, rule.key) for score, rule in capped if rule.per is not None]
            rows += _of_rules(connection, RECENTLY, leads, lately, since=since - max(periods))
        for lead_id, score, rule_key, dated, cause in rows:
            found.of[lead_id].counted.setdefault((score, rule_key), []).append(Stamp(dated, cause))

    def _load_thresholds(
        self, connection: Connection, found: "Tallies", leads: set[str], scores: Iterable[Score]
    ) -> None:
        keys = [score.key for score in scores if score.thresholds]
        if not keys:
            return
        rows = FIRED.on(connection, lead_ids=leads, scores=keys)
        for lead_id, score, threshold, n, rearmed_at in rows:
            found.of[lead_id].fired[score, threshold] = Fired(n, armed=rearmed_at is not None)


def _of_rules(
    connection: Connection, asked: Statement, leads: set[str], rules: Sequence[RuleKey], **more: Any
) -> list[Row]:
    if not rules:
        return []
    scores, names = {score for score, _ in rules}, {name for _, name in rules}
    found, wanted = asked.on(connection, lead_ids=leads, scores=scores, rules=names, **more), set(rules)
    return [row for row in found if (row[1], row[2]) in wanted]


class Tallies:
    """The tallies of the leads of one transaction, and their events: those that rules watch, and those of its own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.of: defaultdict[str, Tally] = defaultdict(Tally)
        self.watched: defaultdict[str, list[Happening]] = defaultdict(list)
        self.came: defaultdict[str, list[Happening]] = defaultdict(list)

    def comes(self, lead: HeldLead, event: Happening) -> None:
        """The event is the lead's from now on."""
        self.watched[lead.id].append(event)
        self.came[lead.id].append(event)

    def earlier(self, lead: HeldLead, name: str) -> list[Happening]:
        """The lead's events of that name, up to now."""
        stored = [] if lead.is_new else happenings(self.connection, [lead.id], [name]).get(lead.id, [])
        return [*stored, *(one for one in self.came[lead.id] if one.name == name)]


class Scorebook:
    """The score changes and crossings of one transaction, written at its end."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self.taken_back: list[tuple[str, str, str, str]] = []
        self.fired: list[dict[str, Any]] = []
        self.rearmed: list[tuple[str, Crossed, datetime]] = []
        self.fades: dict[tuple[str, str], Sequence[float]] = {}

    def take(
        self,
        item: Item,
        tallies: Tallies,
        cause: str,
        at: datetime,
        given: Sequence[Change] = (),
    ) -> Taken:
        """Give the points that the item brings, by rules and outright (`given`); the lead's scores and tally move along."""
        lead, tally = item.lead, tallies.of[item.lead.id]
        if item.event is not None:
            tallies.comes(lead, item.event)
        if item.ask is NOTHING and not given:
            return Taken()
        tally.scores, tally.fading = lead.scores, lead.fading
        tree = partial(facts_tree, lead.profile, lead.stage)
        earlier = partial(tallies.earlier, lead)
        taken = tally.take(item.ask, item.event, at, tree, earlier, tallies.watched[lead.id], given)
        versions = {score.key: score.version for score in (*item.ask.by_event, *item.ask.by_profile)}
        outright = {(change.score, change.rule) for change in given}
        for change in taken.changes:
            own = (change.score, change.rule) in outright
            self._write(lead, change, cause, at, "" if own else versions.get(change.score, ""))
        for one in taken.crossed:
            self._crossed(lead, one, at)
        return taken

    def _write(self, lead: HeldLead, change: Change, cause: str, at: datetime, version: str) -> None:
        key = lead.id, change.score, change.rule, change.cause or cause
        if change.score in lead.fading:
            self.fades[lead.id, change.score] = lead.fading[change.score]
        if change.back and self.changes.pop(key, None) is None:
            self.taken_back.append(key)
        if change.back:
            return
        row = {"lead_id": lead.id, "score": change.score, "rule": change.rule, "cause": key[3], "version": version}
        before = self.changes.get(key, {"points": 0})["points"]
        self.changes[key] = {**row, "points": before + change.points, "at": at, "dated": change.dated or at}

    def _crossed(self, lead: HeldLead, one: Crossed, at: datetime) -> None:
        if not one.reached:
            self.rearmed.append((lead.id, one, at))
            return
        row = {"lead_id": lead.id, "score": one.score, "threshold": one.threshold.key, "n": one.n}
        self.fired.append({**row, "points": one.points, "fired_at": at, "rearmed_at": None})

    def save(self, connection: Connection) -> None:
        """Write what was taken."""
        for key in self.taken_back:
            of_it = [CHANGES.c[name] == value for name, value in zip(UNIQUE, key, strict=True)]
            connection.execute(delete(CHANGES).where(*of_it))
        insert_rows(connection, ScoreChangeRow, list(self.changes.values()))
        insert_rows(connection, CrossingRow, self.fired)
        for lead_id, one, at in self.rearmed:
            which = (CROSSINGS.c.lead_id == lead_id) & (CROSSINGS.c.score == one.score)
            which &= (CROSSINGS.c.threshold == one.threshold.key) & (CROSSINGS.c.n == one.n)
            connection.execute(update(CROSSINGS).where(which).values(rearmed_at=at))
        fading.note(connection, self.fades)
