"""The outbox: what the dispatcher has to do, put there in the transaction that made it necessary.

Rows of one lead are done in order and by one dispatcher at a time; a row stays until it is done or can never be.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Update, delete, func, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from nurture.profile import key_hash
from nurture.store.bulk import insert_all
from nurture.store.database import Session
from nurture.store.leases import alone
from nurture.store.models import DeadLetterRow, ErasureRow, OutboxRow

FIRST_RETRY = timedelta(seconds=0.5)
LAST_RETRY = timedelta(seconds=60)
UNCLAIMED: dict[str, Any] = {"attempts": 0, "claimed_by": None, "claimed_until": None}


async def put(session: Session, rows: Iterable[OutboxRow]) -> None:
    """Add the rows, in that order."""
    await insert_all(session, OutboxRow, [row.model_dump(exclude={"id"}) for row in rows])


async def tell(session: Session, lead_id: str, kind: str, body: dict[str, Any], now: datetime) -> None:
    """Add a row that is due at once."""
    row = {"lead_id": lead_id, "kind": kind, "body": body, "due_at": now, "created_at": now, **UNCLAIMED}
    await insert_all(session, OutboxRow, [row])


async def depth(session: Session) -> int:
    """How many rows wait to be done."""
    return (await session.exec(select(func.count()).select_from(OutboxRow))).one()


async def has_due(connection: AsyncConnection, now: datetime) -> bool:
    """Whether there may be something to claim; asked so often that it does without a session."""
    due = select(col(OutboxRow.id)).where(col(OutboxRow.due_at) <= now, free(now)).limit(1)
    return (await connection.execute(due)).first() is not None


async def claim(session: Session, by: str, now: datetime, lease: timedelta, limit: int = 200) -> list[OutboxRow]:
    """Rows that are due, in order, of leads that nobody works on; they are this claimer's until the lease ends."""
    await alone(session, "outbox")
    busy = select(OutboxRow.lead_id).where(col(OutboxRow.claimed_until) > now)
    oldest = (
        select(OutboxRow.lead_id)
        .where(col(OutboxRow.due_at) <= now, col(OutboxRow.lead_id).not_in(busy))
        .order_by(col(OutboxRow.due_at), col(OutboxRow.id))
        .limit(limit)
    )
    leads = set((await session.exec(oldest)).all())
    if not leads:
        return []
    # All due rows of a lead from its first on, whatever clock wrote their times: order within a lead is that of the ids.
    theirs = (
        select(OutboxRow)
        .where(col(OutboxRow.lead_id).in_(leads), col(OutboxRow.due_at) <= now, free(now))
        .order_by(col(OutboxRow.id))
        .limit(limit)
        .with_for_update()
    )
    rows = list((await session.exec(theirs)).all())
    await session.exec(_of(rows).values(claimed_by=by, claimed_until=now + lease))
    return rows


async def hold(session: Session, *which: ColumnElement[bool]) -> None:
    """Hold the rows until the end of the transaction, in order of ids, as everybody does who changes several of them."""
    if session.get_bind().dialect.name == "postgresql":  # on SQLite there is one writer anyway
        await session.exec(select(OutboxRow.id).where(*which).order_by(col(OutboxRow.id)).with_for_update())


def claimed(ids: Collection[int], by: str) -> ColumnElement[bool]:
    """Those of the rows that are this claimer's."""
    return col(OutboxRow.id).in_(ids) & (col(OutboxRow.claimed_by) == by)


async def done(session: Session, ids: Collection[int], by: str) -> None:
    """Take the rows away, except those whose claim ran out and that another has by now."""
    if ids:
        await session.exec(delete(OutboxRow).where(claimed(ids, by)))


async def give_back(session: Session, ids: Collection[int], by: str) -> None:
    """End the claim on rows that were not tried."""
    if ids:
        await session.exec(update(OutboxRow).where(claimed(ids, by)).values(claimed_by=None, claimed_until=None))


async def retry(session: Session, row: OutboxRow, now: datetime) -> None:
    """Try the row again later; the lead's other rows wait for it."""
    attempts = row.attempts + 1
    await session.exec(
        _of([row]).values(attempts=attempts, claimed_by=None, claimed_until=now + delay(row.id or 0, attempts))
    )


async def bury(session: Session, row: OutboxRow, reason: str, now: datetime) -> None:
    """Put what can never work among the dead letters, where it keeps its id; of an erased lead only what is to be forgotten
    of it still matters."""
    erased = await session.get(ErasureRow, key_hash("lead", row.lead_id)) is not None
    if row.kind == "forget" or not erased:
        letter = DeadLetterRow(id=row.id, lead_id=row.lead_id, kind=row.kind, body=row.body, reason=reason, at=now)
        session.add(letter)
    await session.exec(delete(OutboxRow).where(col(OutboxRow.id) == row.id))


def delay(row_id: int, attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling up to a minute, spread by the row's own hash."""
    longest = min(FIRST_RETRY * float(2 ** min(attempts - 1, 16)), LAST_RETRY)
    return longest * (0.5 + spread(f"{row_id}/{attempts}") / 2)


def spread(of: str) -> float:
    """A number from 0 up to 1 that is always the same for the same text."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8], "big") / 2**64


def free(now: datetime) -> ColumnElement[bool]:
    """Rows that no dispatcher works on."""
    return or_(col(OutboxRow.claimed_until).is_(None), col(OutboxRow.claimed_until) <= now)


def _of(rows: Sequence[OutboxRow]) -> Update:
    return update(OutboxRow).where(col(OutboxRow.id).in_([row.id for row in rows]))
