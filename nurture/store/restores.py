"""A restored backup: what was sent since it was made is not in the ledger, so the provider is asked before each message."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlmodel import col, select

from nurture.store.database import Session
from nurture.store.models import BulkRunRow, JourneyRow, MarkRow
from nurture.store.plain import Statement
from nurture.store.upsert import insert

RESTORED = "restored"
MARKED_AT = Statement(select(col(MarkRow.at)).where(col(MarkRow.name) == bindparam("name")))
FOR = timedelta(days=7)  # by then all that was due between backup and restore has come up again


async def note(session: Session, now: datetime) -> None:
    """A backup has just been restored."""
    noting = insert(session, MarkRow).values(name=RESTORED, at=now)
    await session.exec(noting.on_conflict_do_update(index_elements=["name"], set_={"at": now}))


async def in_doubt(session: Session, journey_id: str | None, run_id: str | None, now: datetime) -> bool:
    """Whether a message of the journey or of the bulk run may have been sent already, and be forgotten."""
    mark = await MARKED_AT.first(session, name=RESTORED)
    if mark is None or now > mark[0] + FOR:
        return False
    journeys = select(JourneyRow.id).where(JourneyRow.id == journey_id, col(JourneyRow.entered) <= mark[0])
    runs = select(BulkRunRow.id).where(BulkRunRow.id == run_id, col(BulkRunRow.ordered_at) <= mark[0])
    return (await session.exec(journeys if run_id is None else runs)).first() is not None
