"""Unknown messages, asked after: whether the provider took them, where it can tell."""

from contextlib import suppress
from datetime import datetime

from sqlmodel import col, select

from activities.equipment import Equipment
from nurture.doctor import LATE
from nurture.errors import NotFound
from nurture.journey import Journey
from nurture.ledger import CERTAIN, Status
from nurture.store import Session, bulk_runs, journeys
from nurture.store.checkups import own_up
from nurture.store.messages import found_out
from nurture.store.models import BulkRunRow, JourneyRow, MessageRow

MOST_AT_ONCE = 200
TOO_LATE = "the provider never took it, and nobody comes back to it"


async def resolve_unknown(equipment: Equipment, now: datetime) -> int:
    """Settle the unknown messages that the provider can tell about; how many there were.

    One that nobody came back to after its hand-over becomes unknown first. One that the provider never took is closed,
    unless a journey still stands at it or a mailing has it again: those ask for themselves, and send it.
    """
    async with equipment.store.write() as session:
        await own_up(session, now - LATE, now)
    unknown = select(MessageRow).where(MessageRow.status == Status.UNKNOWN, col(MessageRow.updated_at) < now - CERTAIN)
    async with equipment.store.read() as session:
        rows = (await session.exec(unknown.limit(MOST_AT_ONCE))).all()
    settled = 0
    for row in rows:
        channel = equipment.channels.get(row.channel)
        accepted = await channel.lookup(row.message_id) if channel is not None else None
        if accepted is not None:
            settled += await _settled(equipment, row, accepted, now)
    return settled


async def _settled(equipment: Equipment, row: MessageRow, accepted: bool, now: datetime) -> bool:
    with suppress(NotFound):  # erased meanwhile
        async with equipment.store.write() as session:
            if accepted:
                return await found_out(session, row, Status.ACCEPTED, "found at the provider", now)
            if not await _is_awaited(session, row):
                return await found_out(session, row, Status.REJECTED, TOO_LATE, now)
    return False


async def _is_awaited(session: Session, row: MessageRow) -> bool:
    """Whether somebody comes back to the message: its journey, which stands at it, or its mailing, which has it again."""
    if row.run_id is not None:
        run = await session.get(BulkRunRow, row.run_id)
        return row.until is not None and run is not None and run.status not in bulk_runs.OVER
    if row.journey_id is None:  # a notice about a campaign, which is tried until the team is told
        return True
    journey = await session.get(JourneyRow, row.journey_id)
    if journey is None or journey.status not in journeys.RUNNING:
        return False
    stands_at = Journey.model_validate(journey.position).occurrence
    return row.occurrence.split(":")[0] == stands_at  # a notice's occurrence names its team, too
