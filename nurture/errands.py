"""What each kind of outbox row means: whom to tell what, whom to enter where, which journeys to start or forget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.changes import Change
from nurture.enrolment import Refusal, pace_of
from nurture.entering import Entrances, Plan, nothing, plan
from nurture.errors import BadInput, NotFound
from nurture.facts import Happening
from nurture.hearing import ForJourney, heard_by
from nurture.journey import Heard
from nurture.pace import speed
from nurture.settings import Settings
from nurture.store import Session, campaigns, journeys, leads, listeners
from nurture.store.enrolments import Wish
from nurture.store.listeners import Listener
from nurture.store.models import EventRow, OutboxRow
from nurture.values import as_key


@dataclass
class Errand:
    """A row, what is to be done about it, and what went wrong in doing so."""

    row: OutboxRow
    tells: list[ForJourney] = field(default_factory=list)
    plan: Plan = field(default_factory=nothing)
    starts: list[str] = field(default_factory=list)
    forgets: list[str] = field(default_factory=list)
    wakes: list[str] = field(default_factory=list)
    winds: list[str] = field(default_factory=list)
    unwinds: list[str] = field(default_factory=list)
    trouble: Exception | None = None


@dataclass(frozen=True)
class Read:
    """What several rows need of the store, read at once."""

    events: Mapping[str, EventRow]
    listeners: Mapping[str, Sequence[Listener]]
    starting: Mapping[str, Sequence[str]]


async def errands_for(
    session: Session, rows: Sequence[OutboxRow], entrances: Entrances, settings: Settings, now: datetime
) -> list[Errand]:
    """What the rows mean now."""
    known = await _read(session, rows)
    return [await _errand(session, row, known, entrances, settings, now) for row in rows]


async def _errand(
    session: Session, row: OutboxRow, known: Read, entrances: Entrances, settings: Settings, now: datetime
) -> Errand:
    match row.kind:
        case "event":
            return await _of_change(session, row, known, entrances, settings, now)
        case "enrol":
            return Errand(row, plan=Plan([await _wish(session, row, known, settings, now)], [], []))
        case "start":
            return Errand(row, starts=[row.body["journey"]])
        case "signal":
            return Errand(row, tells=[ForJourney(row.body["journey"], Heard(at=now, arm=row.body["arm"]))])
        case "forget":
            return Errand(row, forgets=row.body["journeys"], unwinds=row.body["hand_offs"])
        case "hand_off":
            return Errand(row, winds=[row.body["hand_off"]])
        case "bulk":
            return Errand(row, wakes=[row.body["run"]])
        case kind:
            raise BadInput(f"an outbox row of kind {kind!r} is unknown: is an older worker running?", field="kind")


async def _of_change(
    session: Session, row: OutboxRow, known: Read, entrances: Entrances, settings: Settings, now: datetime
) -> Errand:
    change = _change(row, known.events)
    if change is None:
        return Errand(row)
    told = await heard_by(session, change, known.listeners.get(change.lead_id, ()), now)
    made = await plan(session, entrances, change, now, settings.pace_factor, settings.time_zone)
    return Errand(row, tells=told, plan=made, starts=list(known.starting.get(change.lead_id, ())))


def _change(row: OutboxRow, events: Mapping[str, EventRow]) -> Change | None:
    """What happened; None when only a machine did it."""
    keys, event_id = frozenset(row.body["keys"]), row.body.get("event")
    if event_id is None:
        return Change(row.lead_id, keys, f"outbox/{row.id}")
    event = events.get(event_id)
    if event is None:
        raise NotFound(f"event {event_id} is no longer in the store")
    return None if event.machine else Change(event.lead_id, keys, event_id, _happening(event))


async def _wish(session: Session, row: OutboxRow, known: Read, settings: Settings, now: datetime) -> Wish:
    body = row.body
    version = await campaigns.current(session, body["campaign"])
    event = known.events.get(body.get("event") or "")
    # By a name that stays the same when the row is tried again.
    cause = _happening(event) if event else Happening(name="", at=now, id=body.get("event") or f"outbox/{row.id}")
    key, pace = _key(body.get("key")), await _pace(session, row, settings)
    refused, pace = (pace, 1.0) if isinstance(pace, Refusal) else (key, pace)
    return Wish(version, row.lead_id, refused, body.get("by", ""), cause, pace, bool(body.get("manual")))


def _key(given: Any) -> str | Refusal:
    key = "" if given is None or given == "" else as_key(given)
    return Refusal("the key is no text or number of at most 200 characters") if key is None else key


async def _pace(session: Session, row: OutboxRow, settings: Settings) -> float | Refusal:
    asked = row.body.get("speed")
    if not asked:
        return settings.pace_factor
    factor = speed(asked) if isinstance(asked, str) else float(asked)
    lead = await leads.get(session, row.lead_id)
    development = settings.environment == "development"
    return pace_of(factor, settings.pace_factor, development=development, test_lead=lead.test)


async def _read(session: Session, rows: Sequence[OutboxRow]) -> Read:
    ids = {row.body["event"] for row in rows if row.body.get("event")}
    found = (await session.exec(select(EventRow).where(col(EventRow.id).in_(ids)))).all() if ids else ()
    events = {one.id: one for one in found}
    changes = [_change(row, events) for row in rows if row.kind == "event"]
    causes = {one.lead_id: one.cause for one in changes if one}
    keys = {key for one in changes if one for key in one.keys}
    if not causes:
        return Read(events, {}, {})
    heard = await listeners.listeners_for(session, set(causes), keys)
    return Read(events, heard, await journeys.starting(session, causes))


def _happening(row: EventRow) -> Happening:
    return Happening(name=row.name, at=row.at, properties=row.properties, id=row.id, received=row.received)
