"""The moves of a journey as they were recorded."""

from typing import Any

from sqlalchemy import bindparam, select

from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import MoveRow
from nurture.store.plain import Statement

MOVES = table(MoveRow)
RECORDED = Statement(
    select(MOVES.c.reply)
    .where(MOVES.c.journey_id == bindparam("journey"), MOVES.c.n >= bindparam("since"))
    .order_by(MOVES.c.n)
)


async def recorded(session: Session, journey_id: str, since: int) -> list[dict[str, Any]]:
    """How the moves from that one on went, in their order."""
    return [reply for (reply,) in await RECORDED.rows(session, journey=journey_id, since=since)]
