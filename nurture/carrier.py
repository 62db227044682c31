"""Carrying one row of the outbox to the journeys: what each kind of row means. All of it may be done twice."""

from datetime import datetime
from typing import Any

from nurture.enrolment import Refusal, as_key, pace_of
from nurture.entering import Change, Entrances, carry_out, plan
from nurture.errors import BadInput, NotFound, NurtureError
from nurture.facts import Happening
from nurture.hearing import heard_by
from nurture.journey import Heard
from nurture.orders import Journeys
from nurture.pace import speed
from nurture.settings import Settings
from nurture.store import Session, Store, campaigns, journeys, leads
from nurture.store.models import EventRow, OutboxRow


class Carrier:
    """Takes rows from the store to the engine; notes in `handed_over` which journeys the engine was told to run."""

    def __init__(self, store: Store, engine: Journeys, settings: Settings) -> None:
        self._store, self._engine, self._settings = store, engine, settings
        self._handed_over: set[str] = set()

    def handed_over(self) -> set[str]:
        """The journeys that the engine was told to run since this was asked last."""
        told, self._handed_over = self._handed_over, set()
        return told

    async def carry(self, row: OutboxRow, entrances: Entrances, now: datetime) -> None:
        """Do what the row says; the engine out of reach, it raises `Unavailable`, and what never works a permanent error."""
        match row.kind:
            case "event":
                await self._event(row, entrances, now)
            case "enrol":
                await self._enrol(row, now)
            case "start":
                await self._start(row.body["journey"])
            case "signal":
                heard = Heard(at=now, arm=row.body["arm"], note=row.body.get("note", ""))
                await self._signal(row.body["journey"], heard)
            case kind:
                raise BadInput(f"an outbox row of kind {kind!r} is unknown: is an older worker running?", field="kind")

    async def _event(self, row: OutboxRow, entrances: Entrances, now: datetime) -> None:
        pace, keys = self._settings.pace_factor, frozenset(row.body["keys"])
        async with self._store.read() as session:
            stored = await _event_row(session, row.body.get("event"))
            if stored is not None and stored.machine:
                return
            lead_id = row.lead_id if stored is None else stored.lead_id
            event = None if stored is None else _happening(stored)
            change = Change(lead_id, keys, event.id if event else f"outbox/{row.id}", event)
            told = await heard_by(session, lead_id, event, keys, now)
            made = await plan(session, entrances, change, now, pace, self._settings.time_zone)
            to_start = await journeys.starting(session, lead_id, change.cause)
        for journey_id, heard in told:
            await self._signal(journey_id, heard)
        if not made.empty:
            async with self._store.write() as session:
                to_start += await carry_out(session, made, change, now, pace)
        for journey_id in dict.fromkeys(to_start):
            await self._start(journey_id)

    async def _enrol(self, row: OutboxRow, now: datetime) -> None:
        async with self._store.write() as session:
            answer = await self._entered(session, row, now)
        if answer is not None:
            await self._start(answer)

    async def _entered(self, session: Session, row: OutboxRow, now: datetime) -> str | None:
        body = row.body
        version = await campaigns.current(session, body["campaign"])
        cause = await _cause(session, row, now)
        key, pace = _key(body.get("key")), await self._pace(session, row)
        if isinstance(key, Refusal) or isinstance(pace, Refusal):
            refusal = key if isinstance(key, Refusal) else pace
            assert isinstance(refusal, Refusal)  # one of the two is
            await journeys.refuse(session, row.lead_id, body["campaign"], refusal, cause.id, now)
            return None
        answer = await journeys.enrol(
            session,
            version,
            row.lead_id,
            key=key,
            by=body.get("by", ""),
            event=cause,
            now=now,
            pace_factor=pace,
            manual=bool(body.get("manual")),
        )
        return answer.journey_id if not isinstance(answer, Refusal) and answer.started else None

    async def _pace(self, session: Session, row: OutboxRow) -> float | Refusal:
        asked = row.body.get("speed")
        lead = await leads.get(session, row.lead_id)
        return pace_of(
            speed(asked) if isinstance(asked, str) and asked else asked or None,
            self._settings.pace_factor,
            development=self._settings.environment == "development",
            test_lead=lead.test,
        )

    async def _start(self, journey_id: str) -> bool:
        """Run the journey from where it stands; False when there is nothing left to run."""
        async with self._store.read() as session:
            order = await journeys.start_order(session, journey_id)
        if order is None:
            return False
        await self._engine.start(order)
        self._handed_over.add(journey_id)
        return True

    async def _signal(self, journey_id: str, heard: Heard) -> None:
        """Tell the journey; one that should run and does not is started again from where it stands."""
        if await self._engine.signal(journey_id, heard) or not await self._start(journey_id):
            return
        if not await self._engine.signal(journey_id, heard):
            raise NotRunning(f"journey {journey_id} was started and does not run")


class NotRunning(NurtureError):
    """A journey that the engine was told to run does not run."""

    permanent = False


def _key(given: Any) -> str | Refusal:
    key = "" if given is None or given == "" else as_key(given)
    return Refusal("the key is no text or number of at most 200 characters") if key is None else key


async def _event_row(session: Session, event_id: Any) -> EventRow | None:
    if event_id is None:
        return None
    found = await session.get(EventRow, event_id)
    if found is None:
        raise NotFound(f"event {event_id} is no longer in the store")
    return found


async def _cause(session: Session, row: OutboxRow, now: datetime) -> Happening:
    """What entered the lead, by a name that stays the same when the row is tried again."""
    named = row.body.get("event")
    event = await session.get(EventRow, named) if named else None
    return _happening(event) if event else Happening(name="", at=now, id=named or f"outbox/{row.id}")


def _happening(row: EventRow) -> Happening:
    return Happening(name=row.name, at=row.at, properties=row.properties, id=row.id, received=row.received)
