"""What leads were thanked for: an order once, by whichever journey comes first."""

from datetime import datetime

from sqlmodel import select

from nurture.store.database import Session
from nurture.store.models import LeadRow
from nurture.store.order_tables import ThankRow
from nurture.store.plain import execute
from nurture.store.upsert import insert


async def may_thank(session: Session, lead: LeadRow, journey_id: str, occurrence: str, now: datetime) -> bool:
    """Whether this step is the one that thanks for the lead's last order, whose row is held; for no order any may."""
    order_id = (lead.profile.get("orders") or {}).get("last_id")
    if order_id is None:
        return True
    ours = {"order_id": order_id, "lead_id": lead.id, "journey_id": journey_id, "occurrence": occurrence, "at": now}
    await execute(session, insert(session, ThankRow).on_conflict_do_nothing(), ours)
    query = select(ThankRow.journey_id, ThankRow.occurrence).where(ThankRow.order_id == order_id)
    return (await session.exec(query)).one() == (journey_id, occurrence)
