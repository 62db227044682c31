"""Breakers in the store, so that all workers share them; each change is made by one worker only."""

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import col

from nurture.breaker import Breaker
from nurture.store.database import Session
from nurture.store.models import BreakerRow
from nurture.store.upsert import insert


async def read(session: Session, provider: str) -> Breaker:
    """The provider's breaker; closed, as long as nobody has opened it."""
    row = await session.get(BreakerRow, provider)
    return Breaker(opened_at=row.opened_at, probe_at=row.probe_at, reason=row.reason) if row else Breaker()


async def trip(session: Session, provider: str, breaker: Breaker) -> bool:
    """Open it; False when it was open already."""
    await session.exec(insert(session, BreakerRow).values(provider=provider, reason="").on_conflict_do_nothing())
    values = {"opened_at": breaker.opened_at, "probe_at": breaker.probe_at, "reason": breaker.reason}
    return await _changed(session, provider, col(BreakerRow.opened_at).is_(None), **values)


async def take_probe(session: Session, provider: str, following: datetime, now: datetime) -> bool:
    """Take the probe that is due, the following one at that time; False when another worker was there first."""
    return await _changed(session, provider, col(BreakerRow.probe_at) <= now, probe_at=following)


async def close(session: Session, provider: str) -> bool:
    """Close it; False when it was closed already."""
    is_open = col(BreakerRow.opened_at).is_not(None)
    return await _changed(session, provider, is_open, opened_at=None, probe_at=None, reason="")


async def _changed(session: Session, provider: str, *only_if: object, **values: object) -> bool:
    query = update(BreakerRow).where(col(BreakerRow.provider) == provider, *only_if).values(**values)  # type: ignore[arg-type]
    done = await session.exec(query)
    assert isinstance(done, CursorResult)
    return done.rowcount == 1
