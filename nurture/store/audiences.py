"""Who is in an audience, page by page in order of ids."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import col

from nurture.audiences import Audience
from nurture.decisions import events_needed
from nurture.facts import Facts, by_name
from nurture.fading import points_now
from nurture.profile import facts_tree
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.facts import happenings
from nurture.store.models import LeadRow
from nurture.store.narrowing import narrowed
from nurture.store.plain import execute

AT_ONCE = 500
KNOWN = tuple(table(LeadRow).c[name] for name in ("id", "profile", "stage", "scores", "fading"))
MOST_LOOKS = 20  # so that a page ends in time, however few are in the audience


class Members(NamedTuple):
    """Leads of an audience, the last id that was looked at, and whether there is nobody after it."""

    lead_ids: list[str]
    cursor: str
    exhausted: bool


async def members(
    session: Session, audience: Audience, after: str, limit: int, now: datetime, pace: float = 1.0
) -> Members:
    """The next of its leads, `limit` at the most; fewer are not the last unless it says so."""
    condition = audience.condition
    names, test = events_needed(condition), condition.test
    query = select(*KNOWN).where(narrowed(condition, now, pace)).order_by(col(LeadRow.id)).limit(AT_ONCE)
    found: list[str] = []
    for _ in range(MOST_LOOKS):
        leads = (await execute(session, query.where(col(LeadRow.id) > after))).all()
        did = await (await session.connection()).run_sync(happenings, [lead_id for lead_id, *_ in leads], names)
        for lead_id, profile, stage, scores, fading in leads:
            after = lead_id
            tree = facts_tree(profile, stage, points_now(scores, fading, now))
            happened = by_name(did.get(lead_id, ()))
            if test(Facts(now=now, lead=tree, happened=happened, pace=pace)):
                found.append(lead_id)
            if len(found) == limit:
                return Members(found, after, exhausted=False)
        if len(leads) < AT_ONCE:
            return Members(found, after, exhausted=True)
    return Members(found, after, exhausted=False)
