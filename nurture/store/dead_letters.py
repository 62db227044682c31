"""Dead letters: what could never be done, to be looked at by a person and then tried again or dropped.

A letter keeps the id of its outbox row. Tried again it stands before all of its lead that came later, and it goes by
the name that a first, half-done attempt gave to what it brought about.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import col, select

from nurture.errors import NotFound
from nurture.store.bulk import insert_all
from nurture.store.database import Session
from nurture.store.models import DeadLetterRow, OutboxRow

MOST_AT_ONCE = 500


async def count(session: Session) -> int:
    """How many there are."""
    return (await session.exec(select(func.count()).select_from(DeadLetterRow))).one()


async def after(session: Session, last: int, limit: int) -> list[DeadLetterRow]:
    """The next letters after that id, in their order."""
    query = select(DeadLetterRow).where(col(DeadLetterRow.id) > last).order_by(col(DeadLetterRow.id)).limit(limit)
    return list((await session.exec(query)).all())


async def named(session: Session, ids: Collection[int]) -> list[DeadLetterRow]:
    """The letters of those ids, in their order; one that is not there is named."""
    query = select(DeadLetterRow).where(col(DeadLetterRow.id).in_(ids)).order_by(col(DeadLetterRow.id))
    rows = list((await session.exec(query)).all())
    if missing := sorted(set(ids) - {row.id for row in rows}):
        raise NotFound(f"there is no dead letter {missing[0]}: nurture dead-letters list shows those there are")
    return rows


async def retry(session: Session, letters: Collection[DeadLetterRow], now: datetime) -> None:
    """Put them back into the outbox, where each stood, to be tried as often as anything new."""
    back = [
        OutboxRow(id=one.id, lead_id=one.lead_id, kind=one.kind, body=one.body, due_at=now, created_at=now)
        for one in letters
    ]
    await insert_all(session, OutboxRow, [row.model_dump() for row in back])
    await drop(session, letters)


async def drop(session: Session, letters: Collection[DeadLetterRow]) -> None:
    """Take them away for good."""
    await session.exec(delete(DeadLetterRow).where(col(DeadLetterRow.id).in_([one.id for one in letters])))
