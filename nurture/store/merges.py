"""Merges of the past: which lead an id stands for now, and what was sent before it was known that two were one."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlmodel import col
from sqlmodel import select as select_rows

from nurture.campaign import Reentry
from nurture.ledger import Status
from nurture.merging import Joined, Travelled, sent_by_another
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.merge_tables import MergeRow
from nurture.store.models import JourneyRow, MessageRow
from nurture.store.plain import Statement, execute, run

MERGES, MESSAGES, JOURNEYS = table(MergeRow), table(MessageRow), table(JourneyRow)
STANDS_FOR = Statement(select(MERGES.c.gone_id, MERGES.c.lead_id).where(among(MERGES.c.gone_id, "given")))
SENT_BEFORE = "it was sent before the lead was merged"
"""The reason of a message that is not sent, since the person got it as the other lead."""
GOT = (Status.ACCEPTED, Status.COMMITTING, Status.UNKNOWN)
SENDERS = (
    select(*(JOURNEYS.c[name] for name in ("id", "campaign", "key", "run", "entered", "ended_at")))
    .join(MESSAGES, MESSAGES.c.journey_id == JOURNEYS.c.id)
    .where(MESSAGES.c.lead_id == bindparam("lead"), MESSAGES.c.template == bindparam("template"))
    .where(MESSAGES.c.campaign == bindparam("campaign"))
    .where(MESSAGES.c.status.in_(GOT) | (MESSAGES.c.reason == SENT_BEFORE))
)


def stand_for(connection: Connection, lead_ids: Collection[str]) -> dict[str, str]:
    """Of ids of leads that are gone, those of the leads that they are now."""
    return {row[0]: row[1] for row in STANDS_FOR.on(connection, given=lead_ids)} if lead_ids else {}


async def stands_for(session: Session, lead_id: str) -> str | None:
    """The lead that the one of that id is now; None when it was never merged into another."""
    return (await run(session, stand_for, [lead_id])).get(lead_id)


async def of_lead(session: Session, lead_id: str) -> list[MergeRow]:
    """The leads that have become this one, in the order of the merges."""
    query = select_rows(MergeRow).where(MergeRow.lead_id == lead_id).order_by(col(MergeRow.at), col(MergeRow.gone_id))
    return list((await session.exec(query)).all())


async def sent_before(session: Session, journey_id: str, template: str, rule: Reentry, pace: float) -> bool:
    """Whether the person was sent the message by a journey of the other lead, before a merge told that both are one.

    A journey that sent it itself, or passed it over once, sends it as often as its campaign says.
    """
    mine = await session.get_one(JourneyRow, journey_id)
    given = {"lead": mine.lead_id, "template": template, "campaign": mine.campaign}
    rows = (await execute(session, SENDERS, given)).all()
    if not rows or any(row.id == journey_id for row in rows):
        return False
    merges = [Joined(row.at, row.journeys) for row in await of_lead(session, mine.lead_id)]
    senders = [_travelled(row, ended_at=row.ended_at) for row in rows]
    return sent_by_another(_travelled(mine), senders, merges, rule, pace)


def _travelled(row: Any, ended_at: datetime | None = None) -> Travelled:
    return Travelled(row.id, row.campaign, row.key, row.run, row.entered, ended_at=ended_at)
