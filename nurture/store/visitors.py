"""When leads were on our sites: sessions and returns, many leads at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from nurture.store.among import among
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.capture_tables import VisitorRow
from nurture.store.plain import Statement

QUIET = timedelta(minutes=30)
"""After so long without a page seen, the next one begins another session."""

VISITORS = table(VisitorRow)
SEEN = Statement(
    select(*(VISITORS.c[name] for name in ("lead_id", "first_at", "last_at", "sessions"))).where(
        among(VISITORS.c.lead_id, "leads")
    )
)


@dataclass(slots=True)
class Visitor:
    """When a lead was first and last seen, and in how many sessions."""

    lead_id: str
    first_at: datetime
    last_at: datetime
    sessions: int
    is_new: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun; `away` is how long the lead was not seen before it, None for its first."""

    n: int
    away: timedelta | None


def seen(connection: Connection, lead_ids: Collection[str]) -> dict[str, Visitor]:
    """The visitors among the leads."""
    if not lead_ids:
        return {}
    return {row[0]: Visitor(*row) for row in SEEN.on(connection, leads=lead_ids)}


def visit(known: dict[str, Visitor], lead_id: str, at: datetime) -> Session | None:
    """Note that the lead looks at a page; the session that begins with it, if one does. What comes late begins none."""
    visitor = known.get(lead_id)
    if visitor is None:
        known[lead_id] = Visitor(lead_id, at, at, 1, is_new=True)
        return Session(1, None)
    away = at - visitor.last_at
    visitor.first_at, visitor.last_at = min(visitor.first_at, at), max(visitor.last_at, at)
    visitor.changed = True
    if away < QUIET:
        return None
    visitor.sessions += 1
    return Session(visitor.sessions, away)


def save(connection: Connection, visitors: Iterable[Visitor]) -> None:
    """Write those that are new, and what changed of the others."""
    visitors = list(visitors)
    insert_rows(connection, VisitorRow, [_row(one) for one in visitors if one.is_new])
    changed = [_row(one) for one in visitors if one.changed and not one.is_new]
    update_rows(connection, VisitorRow, changed, by="lead_id")


def _row(one: Visitor) -> dict[str, object]:
    return {"lead_id": one.lead_id, "first_at": one.first_at, "last_at": one.last_at, "sessions": one.sessions}


def merge(connection: Connection, one: str, into: str) -> None:
    """Give the visits of one lead to another that it turned out to be."""
    known = seen(connection, [one, into])
    if one not in known:
        return
    theirs = known.pop(one)
    connection.execute(delete(VISITORS).where(VISITORS.c.lead_id == one))
    mine = known.get(into, Visitor(into, theirs.first_at, theirs.last_at, 0, is_new=True))
    mine.first_at, mine.last_at = min(mine.first_at, theirs.first_at), max(mine.last_at, theirs.last_at)
    mine.sessions, mine.changed = mine.sessions + theirs.sessions, True
    save(connection, [mine])
