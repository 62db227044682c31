"""Events that we make ourselves, in the transaction of what they tell of."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from nurture.store.database import Session
from nurture.store.leads import locked
from nurture.store.models import EventRow, OutboxRow

SMALLEST = timedelta(microseconds=1)


def received_after(last: datetime | None, now: datetime) -> datetime:
    """The time of receipt of a lead's next event: now, but always after its last one."""
    return now if last is None else max(now, last + SMALLEST)


async def record_own_event(
    session: Session, lead_id: str, name: str, properties: Mapping[str, Any], event_id: str, now: datetime
) -> bool:
    """Record the event and announce it; False when it was recorded before."""
    if await session.get(EventRow, event_id) is not None:
        return False
    lead = await locked(session, lead_id)
    lead.last_received = received_after(lead.last_received, now)
    session.add(lead)
    event = EventRow(
        id=event_id,
        lead_id=lead_id,
        name=name,
        properties=dict(properties),
        at=now,
        received=lead.last_received,
        source="nurture",
    )
    session.add(event)
    await announce(session, lead_id, {f"event.{name}"}, now, event_id=event_id, name=name)
    return True


async def announce(
    session: Session,
    lead_id: str,
    keys: Collection[str],
    now: datetime,
    *,
    event_id: str | None = None,
    name: str | None = None,
) -> None:
    """Let the dispatcher tell those who listen for one of the keys."""
    body = {"event": event_id, "name": name, "keys": sorted(keys)}
    session.add(OutboxRow(lead_id=lead_id, kind="event", body=body, due_at=now, created_at=now))
