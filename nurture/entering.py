"""Who enters by what happened: the published campaigns whose entry is this event, or whose condition comes true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import delete, tuple_
from sqlmodel import col, select

from nurture.audiences import Audience
from nurture.calendar import resolve_zone
from nurture.campaign import DateEntry, Entry
from nurture.changes import Change
from nurture.decisions import events_needed
from nurture.enrolment import Enrolled, Refusal, condition_of, date_cause, digest, entry_key, last_due
from nurture.facts import Facts, Happening
from nurture.store import Session, met_conditions
from nurture.store.enrolments import Wish, enrol_all
from nurture.store.facts import load_facts
from nurture.store.models import MetConditionRow
from nurture.triggers import On
from nurture.version import Version


class Watched(NamedTuple):
    """A lead, a campaign, and the digest of a condition by which it is entered."""

    lead_id: str
    campaign: str
    condition: str


@dataclass(frozen=True)
class Entrances:
    """The entries of the published campaigns, by the keys they depend on."""

    versions: Mapping[str, Version]
    audiences: Mapping[str, Audience] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> dict[str, list[tuple[str, Entry]]]:
        """The entries, each with its campaign, that a change of a key may open."""
        found: dict[str, list[tuple[str, Entry]]] = {}
        for name, version in sorted(self.versions.items()):
            for entry in version.campaign.enters:
                condition = condition_of(entry, self.audiences)
                for key in entry.depends_on() if condition is None else condition.depends_on():
                    found.setdefault(key, []).append((name, entry))
        return found

    def at_stake(self, change: Change) -> dict[str, list[Entry]]:
        """The entries that the change may open, by campaign, each once."""
        found: dict[str, list[Entry]] = {}
        for name, entry in (pair for key in sorted(change.keys) for pair in self.by_key.get(key, ())):
            if entry not in found.setdefault(name, []):
                found[name].append(entry)
        return found


class Opening(NamedTuple):
    """An entry that opens, under that key; `cause` is a name of its own for what opened it."""

    key: str | Refusal
    cause: str | None = None


class Plan(NamedTuple):
    """What a change means for entries; `came_true` and `no_more` are the watched conditions whose answer changed."""

    wishes: list[Wish]
    came_true: list[Watched]
    no_more: list[Watched]


def nothing() -> Plan:
    """A plan to which all is to be added yet."""
    return Plan([], [], [])


async def plan(
    session: Session, entrances: Entrances, change: Change, now: datetime, pace: float, default_zone: str
) -> Plan:
    """What the change means for its lead: of a campaign's entries that open, the first counts."""
    made = nothing()
    at_stake = entrances.at_stake(change)
    facts, met = await _known(session, entrances, change, at_stake, now, pace)
    for name, entries in at_stake.items():
        openings: list[Opening] = []
        for entry in entries:
            condition = condition_of(entry, entrances.audiences)
            if condition is not None:
                watched_as = Watched(change.lead_id, name, digest(condition))
                openings += _by_condition(made, watched_as, condition.test(facts), met)
            elif isinstance(entry, DateEntry):
                openings += _by_date(entry, facts, default_zone)
            elif isinstance(entry, On) and change.event is not None:
                openings += _by_event(entry, change.event)
        made.wishes.extend(_wish(entrances.versions[name], opening, change, now, pace) for opening in openings[:1])
    return made


def _wish(version: Version, opening: Opening, change: Change, now: datetime, pace: float) -> Wish:
    event = change.event
    received = event.received if event else None
    cause = Happening(name="", at=now, id=opening.cause or change.cause, received=received)
    by = f"event {event.name}" if event else "condition"
    return Wish(version, change.lead_id, opening.key, by, cause, pace)


async def _known(
    session: Session,
    entrances: Entrances,
    change: Change,
    at_stake: Mapping[str, list[Entry]],
    now: datetime,
    pace: float,
) -> tuple[Facts, set[Watched]]:
    entries = [entry for theirs in at_stake.values() for entry in theirs if not isinstance(entry, On)]
    if not entries:
        return Facts(now=now, lead={}), set()
    conditions = (condition_of(entry, entrances.audiences) for entry in entries)
    needed = events_needed(*(one for one in conditions if one is not None))
    query = select(MetConditionRow.campaign, MetConditionRow.condition).where(MetConditionRow.lead_id == change.lead_id)
    met = {Watched(change.lead_id, campaign, condition) for campaign, condition in (await session.exec(query)).all()}
    return await load_facts(session, change.lead_id, needed, now, pace), met


def _by_event(entry: On, event: Happening) -> list[Opening]:
    hit = event.name == entry.event.event and entry.event.matches()(event)
    return [Opening(entry_key(entry, event.properties))] if hit else []


def _by_condition(made: Plan, name: Watched, true: bool, met: set[Watched]) -> list[Opening]:
    """Entered once each time it comes true: what it was when last looked at is remembered."""
    if not true and name in met:
        made.no_more.append(name)
    if not true or name in met:
        return []
    made.came_true.append(name)
    return [Opening("")]


def _by_date(entry: DateEntry, facts: Facts, default_zone: str) -> list[Opening]:
    """Entered by a date that is set only when its moment, earlier today, is over; the others are the sweep's."""
    zone, _ = resolve_zone(facts.lead.get("time_zone"), default_zone)
    due = last_due(entry, facts.lead, zone, facts.now)
    today = due is not None and due.astimezone(zone).date() == facts.now.astimezone(zone).date()
    return [Opening("", date_cause(entry, due, zone))] if due is not None and today else []


async def carry_out(session: Session, plans: Sequence[Plan], now: datetime, programme: float = 0) -> list[list[str]]:
    """Enter the leads as planned, and remember which conditions they meet; the journeys to be started, by plan.

    `programme` is the percent of leads held out of all marketing.
    """
    # The leads are held first, which entering them does, as whoever erases one holds it before all else.
    answers = iter(await enrol_all(session, [wish for made in plans for wish in made.wishes], now, programme))
    entered = [[next(answers) for _ in made.wishes] for made in plans]
    if came_true := [one for made in plans for one in made.came_true]:
        await met_conditions.remember(session, [{**one._asdict(), "since": now} for one in came_true])
    if no_more := [one for made in plans for one in made.no_more]:
        name = tuple_(col(MetConditionRow.lead_id), col(MetConditionRow.campaign), col(MetConditionRow.condition))
        await session.exec(delete(MetConditionRow).where(name.in_(no_more)))
    return [[one.journey_id for one in theirs if isinstance(one, Enrolled) and one.started] for theirs in entered]
