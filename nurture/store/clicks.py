"""Links followed, as people look at them: the newest first, by lead or by verdict."""

from sqlmodel import col, select

from nurture.errors import NotFound
from nurture.store.database import Session
from nurture.store.tracking_tables import ClickRow


async def listed(
    session: Session, lead_id: str | None = None, verdict: str | None = None, limit: int = 50
) -> list[ClickRow]:
    """Clicks, the newest first; of one lead, or with one verdict, or all."""
    query = select(ClickRow).order_by(col(ClickRow.at).desc(), col(ClickRow.id)).limit(limit)
    if lead_id is not None:
        query = query.where(ClickRow.lead_id == lead_id)
    if verdict is not None:
        query = query.where(ClickRow.verdict == verdict)
    return list((await session.exec(query)).all())


async def get(session: Session, click_id: str) -> ClickRow:
    """The click of that id."""
    click = await session.get(ClickRow, click_id)
    if click is None:
        raise NotFound(f"there is no click {click_id[:64]!r}: see nurture clicks list")
    return click
