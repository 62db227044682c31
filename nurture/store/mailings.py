"""A mailing in the ledger: which of its leads have a message, and which messages still have to go."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, update
from sqlmodel import col, select

from nurture.ledger import SENDABLE, Status
from nurture.store.database import Session
from nurture.store.models import MessageRow

OPEN = (Status.PLANNED, Status.DEFERRED, Status.CLAIMED, Status.COMMITTING)
DUE = func.coalesce(col(MessageRow.until), col(MessageRow.claimed_until), col(MessageRow.updated_at))


async def have_one(session: Session, run_id: str, lead_ids: Collection[str]) -> set[str]:
    """Those of the leads that have a message of the mailing, whatever became of it."""
    query = select(MessageRow.lead_id).where(MessageRow.run_id == run_id, col(MessageRow.lead_id).in_(lead_ids))
    return {one for one in (await session.exec(query)).all() if one is not None}


async def due(session: Session, run_id: str, now: datetime | None, limit: int) -> list[str]:
    """The leads whose message was put off or left behind, and may go now; None for all, whenever they may."""
    query = select(MessageRow.lead_id).where(*_unsettled(run_id)).order_by(DUE, col(MessageRow.id)).limit(limit)
    found = await session.exec(query if now is None else query.where(now >= DUE))
    return [one for one in found.all() if one is not None]


async def next_due(session: Session, run_id: str) -> datetime | None:
    """When the next of its messages may go; None when all are settled."""
    return (await session.exec(select(DUE).where(*_unsettled(run_id)).order_by(DUE).limit(1))).first()


async def put_off(session: Session, run_id: str, lead_id: str, until: datetime) -> None:
    """Let the lead's message rest until then, whatever it stands at."""
    which = col(MessageRow.run_id) == run_id, col(MessageRow.lead_id) == lead_id
    await session.exec(update(MessageRow).where(*which).values(until=until))


async def give_up(session: Session, run_id: str, lead_id: str, reason: str, now: datetime) -> None:
    """Cancel the lead's message, unless it was handed over."""
    which = col(MessageRow.run_id) == run_id, col(MessageRow.lead_id) == lead_id
    open_ones = col(MessageRow.status).in_([*SENDABLE, Status.CLAIMED])
    await session.exec(
        update(MessageRow).where(*which, open_ones).values(status=Status.CANCELLED, reason=reason, updated_at=now)
    )


async def counts(session: Session, run_id: str) -> dict[str, int]:
    """Its messages by status."""
    query = select(MessageRow.status, func.count()).where(MessageRow.run_id == run_id).group_by(MessageRow.status)
    return dict((await session.exec(query.order_by(MessageRow.status))).all())


def _unsettled(run_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Also an unknown one that is to be sent again; one that is held waits for people."""
    again = (col(MessageRow.status) == Status.UNKNOWN) & col(MessageRow.until).is_not(None)
    return col(MessageRow.run_id) == run_id, or_(col(MessageRow.status).in_(OPEN), again)
