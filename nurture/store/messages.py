"""The send ledger's rows: found or planned, claimed, committed, settled; each change only from the status it may follow."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import col, select

from nurture.errors import NotFound, Refused
from nurture.ledger import FOLLOWS, SENDABLE, Status
from nurture.store.database import Session
from nurture.store.models import MessageRow


async def find(
    session: Session, journey_id: str | None, occurrence: str, run_id: str | None = None
) -> MessageRow | None:
    """The message of that step and visit, or of that lead in a bulk run."""
    query = select(MessageRow).where(
        MessageRow.journey_id == journey_id, MessageRow.run_id == run_id, MessageRow.occurrence == occurrence
    )
    return (await session.exec(query)).one_or_none()


async def change(
    session: Session, message_id: str, to: Status, now: datetime, *, held_by: str | None = None, **values: Any
) -> bool:
    """Move the message to a status, from one that it may follow; `held_by` only if that claim still holds it.

    False when another attempt was there first.
    """
    before = [status.value for status, following in FOLLOWS.items() if to in following]
    query = update(MessageRow).where(col(MessageRow.id) == message_id, col(MessageRow.status).in_(before))
    if held_by is not None:
        query = query.where(col(MessageRow.claim) == held_by)
    result = await session.exec(query.values(status=to.value, updated_at=now, **values))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


async def unknown_ones(session: Session, limit: int) -> list[MessageRow]:
    """Messages of which nobody knows whether they were sent, the oldest first."""
    query = select(MessageRow).where(MessageRow.status == Status.UNKNOWN)
    return list((await session.exec(query.order_by(col(MessageRow.committed_at)).limit(limit))).all())


async def settle(session: Session, message_id: str, to: Status, note: str, now: datetime) -> None:
    """Write down what a person found out about an unknown message."""
    row = await session.get(MessageRow, message_id)
    if row is None:
        raise NotFound(f"there is no message {message_id[:64]!r}: nurture unknown list shows those in doubt")
    values: dict[str, Any] = {"accepted_at": row.committed_at} if to is Status.ACCEPTED else {}
    if row.status != Status.UNKNOWN or not await change(session, message_id, to, now, reason=note, **values):
        raise Refused(f"message {message_id} is not in doubt: it is {row.status}")


async def recent_marketing(session: Session, lead_id: str, since: datetime) -> list[datetime]:
    """When marketing messages to the lead were accepted (or may have been), over all campaigns, oldest first."""
    query = (
        select(MessageRow.committed_at)
        .where(
            MessageRow.lead_id == lead_id,
            MessageRow.purpose == "marketing",
            col(MessageRow.status).in_([Status.ACCEPTED, Status.COMMITTING, Status.UNKNOWN]),
            col(MessageRow.committed_at) > since,
        )
        .order_by(col(MessageRow.committed_at))
    )
    return [at for at in (await session.exec(query)).all() if at is not None]


async def cancel_open(
    session: Session, journey_id: str | None, reason: str, now: datetime, run_id: str | None = None
) -> None:
    """Cancel the journey's messages, or a bulk run's, that were not handed over.

    One caught in *committing* becomes unknown: nobody will come back to ask after it.
    """
    open_ones: Iterable[Status] = (*SENDABLE, Status.CLAIMED)
    for was, to in ((open_ones, Status.CANCELLED), ((Status.COMMITTING,), Status.UNKNOWN)):
        query = update(MessageRow).where(
            col(MessageRow.journey_id) == journey_id,
            col(MessageRow.run_id) == run_id,
            col(MessageRow.status).in_([one.value for one in was]),
        )
        if to is Status.UNKNOWN:
            query = query.where(col(MessageRow.claimed_until) < now)
        await session.exec(query.values(status=to.value, reason=reason, updated_at=now))


def longest(periods: Iterable[timedelta]) -> timedelta:
    """The longest of the periods, nothing when there are none."""
    return max(periods, default=timedelta(0))
