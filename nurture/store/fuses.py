"""Fuses in the store: what came back of whose messages, which fuse warned or blew, and whether the team was told."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select

from nurture.ledger import Status
from nurture.returns.fuse import CameBack, Verdict
from nurture.store.database import Session
from nurture.store.models import MessageRow
from nurture.store.plain import execute
from nurture.store.return_tables import FuseRow, ReturnRow

SUBJECT = func.coalesce(col(ReturnRow.run_id), col(ReturnRow.campaign))
HANDED_OVER = (Status.ACCEPTED.value, Status.REJECTED.value, Status.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Watched:
    """A campaign, or one run of a mailing, of whose messages some came back; only those sent after `since` count."""

    campaign: str
    run_id: str | None
    since: datetime
    back: CameBack

    @property
    def subject(self) -> str:
        """By what its fuse goes."""
        return self.run_id or self.campaign


async def watched(session: Session, floor: datetime) -> list[Watched]:
    """All of whose messages sent since then some came back, unless their fuse is blown."""
    by = col(ReturnRow.campaign), col(ReturnRow.run_id), col(FuseRow.since), col(ReturnRow.kind)
    query = (
        sqlalchemy.select(*by, func.count())
        .join(FuseRow, col(FuseRow.subject) == SUBJECT, isouter=True)
        .where(
            col(ReturnRow.kind).in_(("bounced", "complained")),
            col(ReturnRow.sent_at) > floor,
            or_(col(FuseRow.since).is_(None), col(ReturnRow.sent_at) > col(FuseRow.since)),
            col(FuseRow.blown_at).is_(None),
        )
        .group_by(*by)
    )
    counts = Counter[tuple[str, str | None, datetime, str]]()
    for campaign, run_id, since, kind, count in (await execute(session, query)).all():
        counts[campaign, run_id, max(since or floor, floor), kind] += count
    subjects = sorted({key[:3] for key in counts}, key=lambda one: (one[0], one[1] or ""))
    return [Watched(*one, CameBack(counts[*one, "complained"], counts[*one, "bounced"])) for one in subjects]


async def sent(session: Session, one: Watched, most: int) -> int:
    """How many messages to leads were handed over since, counted up to so many."""
    whose = _whose(one), col(MessageRow.committed_at) > one.since, col(MessageRow.status).in_(HANDED_OVER)
    some = select(MessageRow.id).where(*whose, col(MessageRow.lead_id).is_not(None)).limit(most).subquery()
    return (await session.exec(select(func.count()).select_from(some))).one()


def _whose(one: Watched) -> ColumnElement[bool]:
    if one.run_id is not None:
        return col(MessageRow.run_id) == one.run_id
    return (col(MessageRow.campaign) == one.campaign) & col(MessageRow.run_id).is_(None)


async def warn(session: Session, one: Watched, verdict: Verdict, floor: datetime, now: datetime) -> bool:
    """Let its fuse warn; False when it did so since then."""
    row = await _row(session, one)
    if row.warned_at is not None and row.warned_at > floor:
        return False
    row.warned_at, row.reason, row.told_at = now, verdict.reason, None
    session.add(row)
    return True


async def blow(session: Session, one: Watched, verdict: Verdict, now: datetime) -> None:
    """Let its fuse blow."""
    row = await _row(session, one)
    row.blown_at, row.reason, row.told_at = now, verdict.reason, None
    session.add(row)


async def _row(session: Session, one: Watched) -> FuseRow:
    known = await session.get(FuseRow, one.subject)
    return known or FuseRow(subject=one.subject, campaign=one.campaign, run_id=one.run_id)


async def mend(session: Session, subject: str, now: datetime) -> None:
    """Put in a new one, which counts from now on: a person lets the campaign or the run go on."""
    row = await session.get(FuseRow, subject)
    if row is not None:
        row.since, row.warned_at, row.blown_at, row.reason, row.told_at = now, None, None, "", None
        session.add(row)


async def untold(session: Session) -> list[FuseRow]:
    """Those that warned or blew and of which the team has not heard."""
    did = col(FuseRow.warned_at).is_not(None) | col(FuseRow.blown_at).is_not(None)
    query = select(FuseRow).where(did, col(FuseRow.told_at).is_(None)).order_by(FuseRow.subject)
    return list((await session.exec(query)).all())


async def tell(session: Session, seen: FuseRow, now: datetime) -> None:
    """Note that the team has heard of what was seen, unless something else has happened since."""
    row = await session.get(FuseRow, seen.subject)
    if row is not None and (row.warned_at, row.blown_at) == (seen.warned_at, seen.blown_at):
        row.told_at = now
        session.add(row)


async def unwell(session: Session) -> list[FuseRow]:
    """Those that are blown or have warned."""
    did = col(FuseRow.warned_at).is_not(None) | col(FuseRow.blown_at).is_not(None)
    return list((await session.exec(select(FuseRow).where(did).order_by(FuseRow.subject))).all())
