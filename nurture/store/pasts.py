"""The pasts of leads as they were recorded, page by page: what became known of each, and when."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from nurture.backtest import Moment, Past
from nurture.scores import Change
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.facts import happenings
from nurture.store.models import LeadRow, ScoreChangeRow
from nurture.store.plain import Statement, execute, run
from nurture.store.score_tables import ProfileChangeRow

AT_ONCE = 500
LEADS, PROFILES, POINTS = table(LeadRow), table(ProfileChangeRow), table(ScoreChangeRow)
LEARNT = Statement(
    select(PROFILES.c.lead_id, PROFILES.c.received, PROFILES.c.became)
    .where(among(PROFILES.c.lead_id, "leads"))
    .order_by(PROFILES.c.id)
)
OUTRIGHT = Statement(
    select(POINTS.c.lead_id, POINTS.c.at, POINTS.c.score, POINTS.c.rule, POINTS.c.points)
    .where(among(POINTS.c.lead_id, "leads"), POINTS.c.version == "")
    .order_by(POINTS.c.id)
)


async def pasts(session: Session, names: Collection[str]) -> AsyncIterator[Past]:
    """Every lead's past, as far as events of those names go; what machines did is left out."""
    query, last = select(LEADS.c.id).order_by(LEADS.c.id).limit(AT_ONCE), ""
    while page := (await execute(session, query.where(LEADS.c.id > last))).scalars().all():
        last = page[-1]
        for one in await run(session, _pasts, list(page), names):
            yield one


def _pasts(connection: Connection, leads: list[str], names: Collection[str]) -> list[Past]:
    found: dict[str, list[Moment]] = defaultdict(list)
    for lead_id, received, became in LEARNT.on(connection, leads=leads):
        found[lead_id].append(Moment(received, became=became))
    for lead_id, events in happenings(connection, leads, names).items():
        found[lead_id] += [Moment(event.heard_at, event) for event in events]
    for lead_id, at, score, rule, points in OUTRIGHT.on(connection, leads=leads):
        found[lead_id].append(Moment(at, given=(Change(score, rule, points),)))
    return [Past(lead_id, _in_order(found[lead_id])) for lead_id in leads]


def _in_order(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """By when things became known; what came in one item is one moment."""
    merged: dict[datetime, Moment] = {}
    for one in moments:
        before = merged.get(one.at, Moment(one.at))
        became = {**before.became, **one.became}
        merged[one.at] = Moment(one.at, one.event or before.event, became, (*before.given, *one.given))
    return tuple(merged[at] for at in sorted(merged))


async def complete_since(session: Session, now: datetime) -> datetime | None:
    """From when on it is known what profiles became; None when that is from the first lead on."""
    first = (await execute(session, select(func.min(PROFILES.c.received)))).scalar_one() or now
    older = select(LEADS.c.id).where(LEADS.c.created_at < first).limit(1)
    return first if (await execute(session, older)).first() else None
