"""Unknown messages, asked after: whether the provider took them, where it can tell."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from activities.equipment import Equipment
from nurture.doctor import LATE
from nurture.ledger import Status
from nurture.store.checkups import own_up
from nurture.store.messages import change
from nurture.store.models import MessageRow

OLD_ENOUGH = timedelta(seconds=30)
MOST_AT_ONCE = 200
OVER = ("the journey", "the mailing")
"""How the reason begins for which nobody comes back to a message."""


async def resolve_unknown(equipment: Equipment, now: datetime) -> int:
    """Settle the unknown messages that the provider can tell about; how many there were.

    One that nobody came back to after its hand-over becomes unknown first.
    """
    async with equipment.store.write() as session:
        await own_up(session, now - LATE, now)
    unknown = select(MessageRow).where(
        MessageRow.status == Status.UNKNOWN, col(MessageRow.updated_at) < now - OLD_ENOUGH
    )
    async with equipment.store.read() as session:
        rows = (await session.exec(unknown.limit(MOST_AT_ONCE))).all()
    settled = 0
    for row in rows:
        accepted = await equipment.channels[row.channel].lookup(row.message_id)
        if accepted:
            found = {"reason": "found at the provider", "accepted_at": row.committed_at}
            settled += await _settled(equipment, row, Status.ACCEPTED, now, **found)
        elif accepted is False and row.reason.startswith(OVER):  # any other may still be sent again
            settled += await _settled(equipment, row, Status.REJECTED, now, reason="the provider never took it")
    return settled


async def _settled(equipment: Equipment, row: MessageRow, status: Status, now: datetime, **values: Any) -> bool:
    async with equipment.store.write() as session:
        return await change(session, row.id, status, now, **values)
