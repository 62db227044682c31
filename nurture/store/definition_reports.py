"""Counts and times of hand-offs by definition and version, put together by the database."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from nurture.definition_report import Outcome, Taken
from nurture.store.database import Session
from nurture.store.models import HandOffRow
from nurture.store.plain import execute

BY = (col(HandOffRow.definition), col(HandOffRow.definition_version))
NOTHING = (0, 0, 0, 0, 0)
OPEN_TOO_LONG = and_(col(HandOffRow.status) == "open", col(HandOffRow.stage) == "escalated")


async def outcomes(session: Session, since: datetime, now: datetime) -> list[Outcome]:
    """What became of what was handed over since then, and how much was in the period of that length before."""
    earlier = since - (now - since)
    counts = await _counts(session, _made(since, now))
    before = await _counts(session, _made(earlier, since))
    reasons = await _reasons(session, _made(since, now))
    wall = await _taken(session, col(HandOffRow.answered_after), _made(since, now))
    worked = await _taken(session, col(HandOffRow.worked), _made(since, now))
    found = []
    for key in sorted({*counts, *before}):
        handed_over, accepted, rejected, recycled, overdue = counts.get(key, NOTHING)
        found.append(
            Outcome(
                *key,
                handed_over,
                accepted,
                rejected,
                recycled,
                overdue,
                before=before.get(key, NOTHING)[0],
                wall=wall.get(key, Taken()),
                worked=worked.get(key, Taken()),
                reasons=tuple(reasons[key].most_common()),
            )
        )
    return found


def _made(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(col(HandOffRow.created_at) >= since, col(HandOffRow.created_at) < until)


async def _counts(session: Session, which: ColumnElement[bool]) -> dict[tuple[str, str], tuple[int, ...]]:
    def of(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    status = col(HandOffRow.status)
    numbers = (
        func.count(),
        *(of(status == name) for name in ("accepted", "rejected", "recycled")),
        of(OPEN_TOO_LONG),
    )
    rows = await execute(session, select(*BY, *numbers).where(which).group_by(*BY))
    return {(key, version): tuple(int(one) for one in found) for key, version, *found in rows.all()}


async def _reasons(session: Session, which: ColumnElement[bool]) -> defaultdict[tuple[str, str], Counter[str]]:
    """Why sales said no, by what stands before the word beside it."""
    reason = col(HandOffRow.reason)
    query = select(*BY, reason, func.count()).where(which, col(HandOffRow.status) == "rejected").group_by(*BY, reason)
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for key, version, why, number in (await execute(session, query.order_by(reason))).all():
        found[key, version][why.partition(": ")[0] or "no reason given"] += number
    return found


async def _taken(
    session: Session, seconds: Mapped[float | None], which: ColumnElement[bool]
) -> dict[tuple[str, str], Taken]:
    """The median and the ninth decile: the least time at or below which that share of the answers came."""
    ranked = (
        select(
            *BY,
            seconds.label("seconds"),
            func.row_number().over(partition_by=BY, order_by=seconds).label("rank"),
            func.count().over(partition_by=BY).label("number"),
        )
        .where(which, seconds.is_not(None))
        .subquery()
    )
    at = ranked.c
    half = func.min(case((at.rank * 2 >= at.number, at.seconds)))
    nine_tenths = func.min(case((at.rank * 10 >= at.number * 9, at.seconds)))
    by = (at.definition, at.definition_version)
    rows = await execute(session, select(*by, half, nine_tenths).group_by(*by))
    return {(key, version): Taken(median, p90) for key, version, median, p90 in rows.all()}
