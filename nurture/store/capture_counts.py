"""Counts of forms in the store, by hour: seen, tried, filled in, and by how many machines."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from nurture.store.bulk import table
from nurture.store.capture_tables import CaptureCountRow, VisitorRow
from nurture.store.database import Session
from nurture.store.models import IdentityRow
from nurture.store.plain import execute
from nurture.store.upsert import insert

COUNTED = ("views", "attempts", "captures", "machines")
KEY = ("form", "page", "placement", "hour")
COUNTS, VISITORS, IDENTITIES = table(CaptureCountRow), table(VisitorRow), table(IdentityRow)


class Captures(NamedTuple):
    """How a form did on one page, for those who came from one placement."""

    form: str
    page: str
    placement: str
    views: int
    attempts: int
    captures: int
    machines: int


class Visitors(NamedTuple):
    """How many visited, and how many of them are known by more than a cookie."""

    all: int
    identified: int


async def add(session: Session, counts: Sequence[dict[str, object]]) -> None:
    """Add to the counts; each row names `form`, `page`, `placement`, `hour` and all numbers."""
    new = insert(session, CaptureCountRow)
    sums = {name: COUNTS.c[name] + new.excluded[name] for name in COUNTED}
    await execute(session, new.on_conflict_do_update(index_elements=list(KEY), set_=sums), list(counts))


async def captures(session: Session, since: datetime, until: datetime) -> list[Captures]:
    """The counts of that time, the form that was seen most often first."""
    named = [COUNTS.c[name] for name in KEY[:3]]
    sums = [func.sum(COUNTS.c[name]) for name in COUNTED]
    asked = select(*named, *sums).where(COUNTS.c.hour >= since, COUNTS.c.hour < until).group_by(*named)
    found = (await execute(session, asked.order_by(sums[0].desc(), *named))).all()
    return [Captures(*row) for row in found]


async def visitors(session: Session, since: datetime, until: datetime) -> Visitors:
    """Who was last seen in that time."""
    known = select(IDENTITIES.c.lead_id).where(
        IDENTITIES.c.kind != "cookie", IDENTITIES.c.lead_id == VISITORS.c.lead_id
    )
    seen = select(func.count()).where(VISITORS.c.last_at >= since, VISITORS.c.first_at < until)
    every = (await execute(session, seen)).scalar_one()
    return Visitors(every, (await execute(session, seen.where(known.exists()))).scalar_one())
