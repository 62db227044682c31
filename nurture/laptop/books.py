"""What the store says to an audit, all of one moment."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import SQLModel, col, select

from nurture.laptop.audit import Books, Entry
from nurture.ledger import Status
from nurture.store import Session, Store
from nurture.store.models import DeadLetterRow, EventRow, JourneyRow, MessageRow, OutboxRow

MOVING = (Status.PLANNED, Status.CLAIMED, Status.COMMITTING)
LATE = timedelta(seconds=10)
"""So long after the end of its wait a journey that runs has gone on."""


async def books(store: Store, now: datetime) -> Books:
    """The ledger, the ids of all events, and what is left lying."""
    async with store.read() as session:
        rows = (await session.exec(select(MessageRow))).all()
        ledger = (
            Entry(f"{one.journey_id or one.run_id}/{one.occurrence}", one.message_id.strip("<>"), one.status)
            for one in rows
        )
        return Books(
            ledger=tuple(ledger),
            events=frozenset((await session.exec(select(EventRow.id))).all()),
            starting=tuple((await session.exec(select(JourneyRow.id).where(JourneyRow.status == "starting"))).all()),
            overdue=tuple((await session.exec(select(JourneyRow.id).where(*_overdue(now)))).all()),
            dead_letters=tuple(
                f"{kind} {number}: {reason}"
                for number, kind, reason in (
                    await session.exec(select(DeadLetterRow.id, DeadLetterRow.kind, DeadLetterRow.reason))
                ).all()
            ),
        )


async def at_rest(store: Store, now: datetime) -> bool:
    """Whether nothing is on its way: no row in the outbox, no message being sent, no journey late."""
    async with store.read() as session:
        return not (
            await _count(session, OutboxRow)
            or await _count(session, MessageRow, col(MessageRow.status).in_(MOVING))
            or await _count(session, JourneyRow, col(JourneyRow.status) == "starting")
            or await _count(session, JourneyRow, *_overdue(now))
        )


def _overdue(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(JourneyRow.status) == "active", col(JourneyRow.until) < now - LATE


async def _count(session: Session, table: type[SQLModel], *where: ColumnElement[bool]) -> int:
    return (await session.exec(select(func.count()).select_from(table).where(*where))).one()
