"""Bulk runs in the store: ordered, paused, resumed, cancelled, and how far each has come."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from sqlmodel import col, select

from nurture.errors import NotFound, Refused
from nurture.store import fuses, outbox
from nurture.store.database import Session
from nurture.store.models import BulkRunRow, OutboxRow

Kind: TypeAlias = Literal["enrol", "mailing"]
UNDER_WAY = ("waiting", "running")
OVER = ("cancelled", "done")


async def order(session: Session, run: BulkRunRow, now: datetime) -> None:
    """Have the run begin once this is committed."""
    session.add(run)
    await outbox.put(session, [woken(run.id, now)])


def woken(run_id: str, now: datetime) -> OutboxRow:
    """The row that lets a run go on."""
    return OutboxRow(lead_id=run_id, kind="bulk", body={"run": run_id}, due_at=now, created_at=now)


async def get(session: Session, run_id: str) -> BulkRunRow:
    """The run of that id."""
    row = await session.get(BulkRunRow, run_id)
    if row is None:
        raise NotFound(f"there is no bulk run {run_id[:64]!r}: nurture bulk list shows them")
    return row


async def locked(session: Session, run_id: str) -> BulkRunRow:
    """The run of that id, its row held until the end of the transaction."""
    asked = select(BulkRunRow).where(col(BulkRunRow.id) == run_id).with_for_update()
    row = (await session.exec(asked, execution_options={"populate_existing": True})).one_or_none()
    return row or await get(session, run_id)


async def newest(session: Session, limit: int) -> list[BulkRunRow]:
    """The runs that were ordered last."""
    query = select(BulkRunRow).order_by(col(BulkRunRow.ordered_at).desc(), col(BulkRunRow.id)).limit(limit)
    return list((await session.exec(query)).all())


# --- what a person decides ---


async def pause(session: Session, run_id: str) -> bool:
    """Let no page come any more until it is resumed; False when it was paused already."""
    row = await _not_over(session, run_id)
    new, row.status = row.status != "paused", "paused"
    session.add(row)
    return new


async def resume(session: Session, run_id: str, now: datetime) -> bool:
    """Let it go on; False when it was not paused: then it is only given a push, should its worker have lost it."""
    row = await _not_over(session, run_id)
    was_paused = row.status == "paused"
    if was_paused:
        row.status = "running" if row.begun_at else "waiting"
        session.add(row)
        await fuses.mend(session, run_id, now)
    await outbox.put(session, [woken(run_id, now)])
    return was_paused


async def cancel(session: Session, run_id: str, now: datetime) -> None:
    """End it for good: who was taken stays taken, and nobody else is."""
    row = await _not_over(session, run_id)
    row.status, row.ended_at = "cancelled", now
    session.add(row)
    await outbox.put(session, [woken(run_id, now)])


async def _not_over(session: Session, run_id: str) -> BulkRunRow:
    row = await locked(session, run_id)
    if row.status in OVER:
        raise Refused(f"bulk run {run_id} is {row.status} already")
    return row


# --- how far it has come ---


async def on_hold(session: Session, run_id: str) -> str:
    """Why nothing of the run goes out at this moment; empty when it does."""
    status = (await session.exec(select(BulkRunRow.status).where(BulkRunRow.id == run_id))).one()
    return "" if status in UNDER_WAY else f"the mailing is {status}"


async def begin_page(session: Session, run_id: str, cursor: str, next_page: datetime, now: datetime) -> bool:
    """Whether a page from that cursor may begin; then no other does before `next_page`."""
    row = await locked(session, run_id)
    if row.status not in UNDER_WAY or row.cursor != cursor:
        return False
    row.status, row.begun_at, row.next_page = "running", row.begun_at or now, next_page
    session.add(row)
    return True


async def end_page(
    session: Session, run_id: str, was: str, cursor: str, exhausted: bool, counts: Mapping[str, int]
) -> None:
    """Move on from the cursor at which the page began; nothing when another attempt has done so."""
    row = await locked(session, run_id)
    if row.cursor != was or row.exhausted:
        return
    row.cursor, row.exhausted = cursor, exhausted
    row.counts = dict(Counter(row.counts) + Counter(counts))
    session.add(row)


async def finish(session: Session, run_id: str, now: datetime) -> bool:
    """Whether it ends here, all of its audience taken."""
    row = await locked(session, run_id)
    if row.status not in UNDER_WAY:
        return False
    row.status, row.exhausted, row.begun_at, row.ended_at = "done", True, row.begun_at or now, now
    session.add(row)
    return True
