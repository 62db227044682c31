"""The changes of a lead's scores as they were recorded."""

from sqlmodel import col, select

from nurture.explaining import Recorded
from nurture.scores import Change
from nurture.store.database import Session
from nurture.store.models import ScoreChangeRow


async def changes_of(session: Session, lead_id: str) -> dict[str, list[Recorded]]:
    """The lead's changes by score, in the order of what they date from."""
    query = select(ScoreChangeRow).where(ScoreChangeRow.lead_id == lead_id)
    found: dict[str, list[Recorded]] = {}
    for row in (await session.exec(query.order_by(col(ScoreChangeRow.dated), col(ScoreChangeRow.id)))).all():
        change = Change(row.score, row.rule, row.points, row.dated, row.cause)
        found.setdefault(row.score, []).append(Recorded(change, row.version))
    return found
