"""Leads that may be one person, looked for in the whole store; nothing is changed."""

from heapq import nlargest

from sqlalchemy import select

from nurture.duplicates import Pair, Person, pairs, person
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import LeadRow
from nurture.store.plain import execute

LEADS = table(LeadRow)
AT_ONCE = 5000


async def duplicates(session: Session, at_least: float, limit: int) -> list[Pair]:
    """The pairs that are the most alike, the likest first."""
    people: list[Person] = []
    page = select(LEADS.c.id, LEADS.c.profile).order_by(LEADS.c.id).limit(AT_ONCE)
    while rows := (await execute(session, page.where(LEADS.c.id > (people[-1].id if people else "")))).all():
        people += [person(lead_id, profile) for lead_id, profile in rows]
    return nlargest(limit, pairs(people, at_least), key=lambda pair: (pair.likeness, pair.one, pair.other))
