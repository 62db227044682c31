"""Who may do what only one may do: for the length of a transaction (`alone`), or until a moment (a lease)."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import col

from nurture.store.database import Session
from nurture.store.models import LeaseRow
from nurture.store.upsert import insert


async def alone(session: Session, name: str) -> None:
    """Wait until nobody else is in the part of that name, and keep others out until this transaction ends."""
    if session.get_bind().dialect.name == "postgresql":  # on SQLite there is one writer anyway
        await (await session.connection()).execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


async def take(session: Session, name: str, holder: str, now: datetime, length: timedelta) -> bool:
    """Take the lease of that name, or renew it; False while somebody else holds it."""
    await session.exec(
        insert(session, LeaseRow).values(name=name, holder=holder, until=now + length).on_conflict_do_nothing()
    )
    free = or_(col(LeaseRow.holder) == holder, col(LeaseRow.until) <= now)
    taken = await session.exec(
        update(LeaseRow)
        .where(col(LeaseRow.name) == name, free)
        .values(holder=holder, until=now + length)
        .returning(col(LeaseRow.name))
    )
    return taken.first() is not None


async def release(session: Session, name: str, holder: str) -> None:
    """Give the lease back, if it is this holder's."""
    await session.exec(delete(LeaseRow).where(col(LeaseRow.name) == name, col(LeaseRow.holder) == holder))
