"""Events that we make ourselves, in the transaction of what they tell of."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from nurture.store import outbox
from nurture.store.bulk import insert_new, update_all
from nurture.store.database import Session
from nurture.store.models import EventRow, LeadRow

SMALLEST = timedelta(microseconds=1)


def received_after(last: datetime | None, now: datetime) -> datetime:
    """The time of receipt of a lead's next event: now, but always after its last one."""
    return now if last is None else max(now, last + SMALLEST)


async def record_own_event(
    session: Session,
    lead: LeadRow,
    name: str,
    properties: Mapping[str, Any],
    event_id: str,
    now: datetime,
    *,
    at: datetime | None = None,
    machine: bool = False,
) -> bool:
    """Record the event of a lead whose row the transaction holds, and announce it; False when it was recorded before.

    `at` is when it happened, if that is only found out now. What a `machine` did is told to nobody.
    """
    received = received_after(lead.last_received, now)
    event = {
        "id": event_id,
        "lead_id": lead.id,
        "name": name,
        "properties": dict(properties),
        "at": at or now,
        "received": received,
        "source": "nurture",
        "machine": machine,
    }
    if not await insert_new(session, EventRow, event):
        return False
    await update_all(session, LeadRow, [{"id": lead.id, "last_received": received}])
    set_committed_value(lead, "last_received", received)
    if not machine:
        await announce(session, lead.id, {f"event.{name}"}, now, event_id=event_id, name=name)
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
    await outbox.tell(session, lead_id, "event", body, now)
