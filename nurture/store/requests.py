"""What journeys asked of somebody: surveys, questions, tasks, calls."""

from sqlmodel import select

from nurture.store.database import Session
from nurture.store.models import RequestRow


async def find_request(session: Session, journey_id: str, occurrence: str) -> RequestRow | None:
    """The request of that step and visit."""
    query = select(RequestRow).where(RequestRow.journey_id == journey_id, RequestRow.occurrence == occurrence)
    return (await session.exec(query)).one_or_none()
