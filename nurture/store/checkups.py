"""What a checkup reads: journeys under way, a page at a time, and what lies about in the other tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, update
from sqlalchemy.engine import CursorResult
from sqlmodel import col, select

from nurture.doctor import MOST_EXAMPLES, Past, Standing
from nurture.ledger import Status
from nurture.store import fuses
from nurture.store.approvals import waiting
from nurture.store.bulk_runs import UNDER_WAY
from nurture.store.database import Session
from nurture.store.journeys import RUNNING
from nurture.store.models import BreakerRow, BulkRunRow, CampaignRow, DeadLetterRow, JourneyRow, MessageRow, OutboxRow
from nurture.store.receivers import all_slowed
from nurture.store.retarget_tables import RetargetDeliveryRow
from nurture.store.return_tables import FuseRow

AWAITED = exists().where(col(OutboxRow.lead_id) == col(JourneyRow.lead_id))
STANDING = (JourneyRow.id, JourneyRow.lead_id, JourneyRow.status, JourneyRow.until, JourneyRow.updated_at, AWAITED)
NOBODY_CAME_BACK = "handed over, and nobody came back to it"


@dataclass(frozen=True, slots=True)
class Some:
    """How many there are, and a few of them."""

    count: int
    examples: Sequence[str]


async def under_way(session: Session, after: str, limit: int) -> list[Standing]:
    """The journeys under way after that id, in the order of their ids."""
    return await _standing(session, col(JourneyRow.id) > after, limit)


async def named(session: Session, ids: Collection[str]) -> list[Standing]:
    """Those of the journeys that are under way."""
    return await _standing(session, col(JourneyRow.id).in_(ids), len(ids))


async def _standing(session: Session, which: ColumnElement[bool], limit: int) -> list[Standing]:
    query: Any = select(*STANDING)  # type: ignore[call-overload]  # more columns than SQLModel has types for
    query = query.where(which, col(JourneyRow.status).in_(RUNNING)).order_by(col(JourneyRow.id)).limit(limit)
    return [Standing(*row) for row in (await session.exec(query)).all()]


async def past(session: Session, ids: Collection[str]) -> dict[str, Past]:
    """How the journeys stand, by id; those that there are not are left out."""
    query = select(JourneyRow.id, JourneyRow.status, JourneyRow.updated_at).where(col(JourneyRow.id).in_(ids))
    return {journey_id: Past(status, at) for journey_id, status, at in (await session.exec(query)).all()}


async def bulk_runs(session: Session, before: datetime) -> list[str]:
    """The bulk runs under way that were ordered before then and that the outbox is not about to wake."""
    woken = exists().where(col(OutboxRow.lead_id) == col(BulkRunRow.id))
    ours = col(BulkRunRow.status).in_(UNDER_WAY), col(BulkRunRow.ordered_at) <= before, ~woken
    return list((await session.exec(select(BulkRunRow.id).where(*ours).order_by(BulkRunRow.id))).all())


async def unknown(session: Session) -> Some:
    """Messages of which nobody knows whether they were sent."""
    return await _some(session, MessageRow.id, MessageRow.status == Status.UNKNOWN)


async def unapproved(session: Session) -> Some:
    """Templates whose messages are held until somebody approves them, and how many messages that are."""
    held = await waiting(session)
    return Some(held.total(), sorted(held)[:MOST_EXAMPLES])


async def abandoned(session: Session, before: datetime) -> Some:
    """Messages whose claim ran out before then, and which nobody took up since."""
    return await _some(session, MessageRow.id, *_abandoned((Status.CLAIMED, Status.COMMITTING), before))


async def own_up(session: Session, before: datetime, now: datetime) -> int:
    """Call those of them unknown that had been handed over; how many there were."""
    query = update(MessageRow).where(*_abandoned((Status.COMMITTING,), before))
    values = {"status": Status.UNKNOWN.value, "reason": NOBODY_CAME_BACK, "until": now}  # a mailing may still come back
    done = await session.exec(query.values(**values, updated_at=now))
    assert isinstance(done, CursorResult)
    return done.rowcount


async def buried(session: Session) -> Some:
    """Dead letters."""
    return await _some(session, DeadLetterRow.id)


async def late(session: Session, before: datetime) -> Some:
    """Rows of the outbox that were due before then."""
    return await _some(session, OutboxRow.id, col(OutboxRow.due_at) < before)


async def paused(session: Session) -> Some:
    """Campaigns that a person has paused."""
    blew = exists().where(col(FuseRow.subject) == col(CampaignRow.key), col(FuseRow.blown_at).is_not(None))
    return await _some(session, CampaignRow.key, col(CampaignRow.paused_at).is_not(None), ~blew)


async def blown(session: Session) -> Some:
    """Campaigns and mailings whose fuse is blown, each with the reason."""
    return _told([one for one in await fuses.unwell(session) if one.blown_at is not None])


async def warned(session: Session) -> Some:
    """Campaigns and mailings whose fuse has warned, each with the reason."""
    return _told([one for one in await fuses.unwell(session) if one.blown_at is None])


def _told(rows: Sequence[FuseRow]) -> Some:
    named = [f"{row.campaign} (bulk run {row.run_id})" if row.run_id else row.campaign for row in rows]
    return Some(len(rows), [f"{name}: {row.reason}" for name, row in zip(named, rows, strict=True)])


async def tripped(session: Session) -> Some:
    """Providers whose breaker is open, each with the reason."""
    query = select(BreakerRow).where(col(BreakerRow.opened_at).is_not(None)).order_by(BreakerRow.provider)
    rows = (await session.exec(query)).all()
    return Some(len(rows), [f"{row.provider}: {row.reason}" for row in rows])


async def slowed(session: Session) -> Some:
    """Receivers that get mail more slowly than they might, each with its reason."""
    flows = sorted((await all_slowed(session)).items())
    return Some(len(flows), [f"{name}: {flow.reason}" for name, flow in flows[:MOST_EXAMPLES]])


async def untold(session: Session, before: datetime) -> Some:
    """Deliveries of retargeting lists that were made before then and were not taken, each with the reason."""
    made = col(RetargetDeliveryRow.made_at)
    rows = (await session.exec(select(RetargetDeliveryRow).where(made < before).order_by(made))).all()
    return Some(len(rows), [f"{row.retarget}, {row.network}: {row.trouble}" for row in rows[:MOST_EXAMPLES]])


def _abandoned(statuses: Collection[Status], before: datetime) -> tuple[Any, ...]:
    return col(MessageRow.status).in_([one.value for one in statuses]), col(MessageRow.claimed_until) < before


async def _some(session: Session, name: Any, *which: Any) -> Some:
    count = (await session.exec(select(func.count(name)).where(*which))).one()
    first = (await session.exec(select(name).where(*which).order_by(name).limit(MOST_EXAMPLES))).all() if count else ()
    return Some(count, [str(one) for one in first])
