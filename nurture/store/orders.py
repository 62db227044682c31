"""Orders in the store, as they are asked for."""

from sqlmodel import col, select

from nurture.errors import NotFound
from nurture.store.database import Session
from nurture.store.order_tables import OrderLineRow, OrderRow


async def find(session: Session, source: str, number: str) -> OrderRow | None:
    """The order of that number at that source."""
    query = select(OrderRow).where(OrderRow.source == source, OrderRow.number == number)
    return (await session.exec(query)).one_or_none()


async def get(session: Session, source: str, number: str) -> tuple[OrderRow, list[OrderLineRow]]:
    """The order with its lines."""
    order = await find(session, source, number)
    if order is None:
        raise NotFound(f"there is no order {number[:100]!r} of {source[:100]!r}")
    lines = select(OrderLineRow).where(OrderLineRow.order_id == order.id).order_by(col(OrderLineRow.n))
    return order, list((await session.exec(lines)).all())
