"""Figures about all that is in the store, for those who watch it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, nulls_first
from sqlmodel import col, select

from nurture.store import dead_letters, journeys, outbox
from nurture.store.database import Session
from nurture.store.journeys import Count
from nurture.store.models import BreakerRow, MessageRow, OutboxRow
from nurture.store.receivers import all_slowed
from nurture.store.return_tables import FuseRow


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of what at one moment."""

    outbox: int
    oldest: datetime | None
    dead_letters: int
    journeys: list[Count]
    messages: dict[tuple[str, str], int]
    breakers: dict[str, bool]
    slowed: int
    fuses: dict[str, bool]


async def figures(session: Session, now: datetime) -> Figures:
    """The figures now: `oldest` is when the row was due that waits longest, `messages` are by channel and status."""
    due = select(func.min(OutboxRow.due_at)).where(col(OutboxRow.due_at) <= now)
    by = MessageRow.channel, MessageRow.status
    messages = (await session.exec(select(*by, func.count()).group_by(*by))).all()
    breakers = (await session.exec(select(BreakerRow.provider, BreakerRow.opened_at))).all()
    fuses = (
        await session.exec(select(FuseRow.campaign, FuseRow.blown_at).order_by(nulls_first(col(FuseRow.blown_at))))
    ).all()
    return Figures(
        outbox=await outbox.depth(session),
        oldest=(await session.exec(due)).one(),
        dead_letters=await dead_letters.count(session),
        journeys=await journeys.counts(session),
        messages={(channel, status): count for channel, status, count in messages},
        slowed=len(await all_slowed(session)),
        breakers={provider: opened_at is not None for provider, opened_at in breakers},
        fuses={campaign: blown_at is not None for campaign, blown_at in fuses},
    )
