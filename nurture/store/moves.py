"""The moves of a journey as they were recorded."""

from typing import Any

from sqlalchemy import bindparam, select

from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import MoveRow
from nurture.store.plain import execute

MOVES = table(MoveRow)
RECORDED = (
    select(MOVES.c.reply)
    .where(MOVES.c.journey_id == bindparam("journey"), MOVES.c.n >= bindparam("since"))
    .order_by(MOVES.c.n)
)


async def recorded(session: Session, journey_id: str, since: int) -> list[dict[str, Any]]:
    """How the moves from that one on went, in their order."""
    found = await execute(session, RECORDED, {"journey": journey_id, "since": since})
    return list(found.scalars())
