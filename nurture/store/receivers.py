"""Receivers in the store, so that all workers together go no faster than each of them takes mail."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from nurture.deliverability.flow import Flow, Turns, slowed, turns
from nurture.store.database import Session
from nurture.store.sending_tables import ReceiverRow
from nurture.store.upsert import insert


async def all_slowed(session: Session) -> dict[str, Flow]:
    """The receivers that were slowed, those among them that have come back since."""
    rows = (await session.exec(select(ReceiverRow).where(col(ReceiverRow.rate).is_not(None)))).all()
    return {row.receiver: _flow(row) for row in rows}


async def take(session: Session, receiver: str, per_second: float, wanted: int, now: datetime) -> Turns:
    """Take up to so many of the turns that all workers share."""
    row = await _held(session, receiver)
    taken = turns(row.taken_until, per_second, wanted, now)
    row.taken_until = taken.taken_until
    session.add(row)
    return taken


async def slow(session: Session, receiver: str, full: float, reason: str, now: datetime) -> Flow | None:
    """Slow it down; None when another worker has just done so."""
    row = await _held(session, receiver)
    before = _flow(row)
    flow = slowed(before, full, reason, now)
    row.rate, row.slowed_at, row.reason = flow.rate, flow.slowed_at, flow.reason
    session.add(row)
    return None if flow is before else flow


async def forget(session: Session, receivers: Collection[str], before: datetime) -> None:
    """Forget that they were slowed, unless they were again since."""
    which = col(ReceiverRow.receiver).in_(sorted(receivers)), col(ReceiverRow.slowed_at) <= before
    await session.exec(delete(ReceiverRow).where(*which))


async def _held(session: Session, receiver: str) -> ReceiverRow:
    """Its row, held until the end of the transaction."""
    await session.exec(insert(session, ReceiverRow).values(receiver=receiver, reason="").on_conflict_do_nothing())
    asked = select(ReceiverRow).where(ReceiverRow.receiver == receiver).with_for_update()
    return (await session.exec(asked, execution_options={"populate_existing": True})).one()


def _flow(row: ReceiverRow) -> Flow:
    return Flow(row.rate, row.slowed_at, row.reason)
