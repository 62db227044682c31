"""Rewards in the store: who is owed what, told to who recommended, and paid out."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from nurture.errors import NotFound, Refused
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.recommendation_tables import RewardRow

MOST_AT_ONCE = 1000


async def listed(session: Session, status: str | None = None, limit: int = 100) -> Sequence[RewardRow]:
    """Rewards, the newest first; of one status, or all."""
    query = select(RewardRow).order_by(col(RewardRow.granted_at).desc(), col(RewardRow.id)).limit(limit)
    return (await session.exec(query if status is None else query.where(RewardRow.status == status))).all()


async def pay(session: Session, reward_id: str, now: datetime) -> RewardRow:
    """Note that the reward is paid out; one that is void or paid already is refused."""
    query = select(RewardRow).where(RewardRow.id == reward_id).with_for_update()
    row = (await session.exec(query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no reward {reward_id[:64]!r}: see nurture rewards list")
    if row.status != "granted":
        raise Refused(f"reward {row.id} is {row.status}: only one that is granted is paid out")
    row.status, row.paid_at = "paid", now
    session.add(row)
    return row


async def tell(session: Session, now: datetime) -> int:
    """Record for who recommended that it has a reward, as the event `referral_rewarded`, once for each; how many there were."""
    untold = select(RewardRow).where(col(RewardRow.told_at).is_(None), RewardRow.status != "voided")
    rows = (await session.exec(untold.order_by(RewardRow.referrer_id, RewardRow.id).limit(MOST_AT_ONCE))).all()
    for row in rows:
        about = {"reward": row.reward, "amount": row.amount, "currency": row.currency, "points": row.points}
        given = {name: value for name, value in about.items() if value is not None}
        referrer = await locked(session, row.referrer_id)
        await record_own_event(session, referrer, "referral_rewarded", given, f"reward/{row.id}/{row.grants}", now)
        row.told_at = now
        session.add(row)
    return len(rows)
