"""What conditions look at, read from the store: the lead's tree, and only the events that are asked for."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from nurture.facts import Facts, Happening, by_name
from nurture.fading import points_now
from nurture.profile import facts_tree
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.leads import get
from nurture.store.models import EventRow
from nurture.store.plain import Statement

EVENTS = table(EventRow)
HAPPENED = Statement(
    select(*(EVENTS.c[name] for name in ("lead_id", "name", "at", "properties", "id", "received")))
    .where(among(EVENTS.c.lead_id, "leads"))
    .where(among(EVENTS.c.name, "names"), EVENTS.c.machine.is_(False))
    .order_by(EVENTS.c.received)
)


async def load_facts(
    session: Session, lead_id: str, names: Collection[str], now: datetime, pace_factor: float = 1.0
) -> Facts:
    """The facts on a lead, with its events of those names; what machines did is left out."""
    lead = await get(session, lead_id)
    tree = facts_tree(lead.profile, lead.stage, points_now(lead.scores, lead.fading, now))
    found = await HAPPENED.rows(session, leads=[lead.id], names=names) if names else []
    happened = by_name([Happening(*happening) for _, *happening in found])
    return Facts(now=now, lead=tree, happened=happened, pace=pace_factor)


def happenings(connection: Connection, lead_ids: Collection[str], names: Collection[str]) -> dict[str, list[Happening]]:
    """What people did, by lead, in the order of receipt: events of those names only."""
    found: dict[str, list[Happening]] = {}
    if not names or not lead_ids:
        return found
    for lead_id, *happening in HAPPENED.on(connection, leads=lead_ids, names=names):
        found.setdefault(lead_id, []).append(Happening(*happening))
    return found
