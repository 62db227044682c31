"""How leads stand with a score, page by page."""

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from nurture.fading import points_now
from nurture.lead import lead
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import LeadRow
from nurture.store.narrowing import narrowed
from nurture.store.plain import execute

AT_ONCE = 1000
LEADS = table(LeadRow)


async def at_least(session: Session, score: str, points: float, now: datetime) -> AsyncIterator[tuple[str, float]]:
    """The leads whose score is at least that, and what it is."""
    reached = narrowed(lead.score(score) >= points, now)
    query = select(LEADS.c.id, LEADS.c.scores, LEADS.c.fading).where(reached).order_by(LEADS.c.id).limit(AT_ONCE)
    last = ""
    while page := (await execute(session, query.where(col(LeadRow.id) > last))).all():
        for last, scores, fading in page:
            present = points_now(scores, fading, now).get(score, 0)
            if present >= points:
                yield last, present
