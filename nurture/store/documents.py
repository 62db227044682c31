"""Documents in the store: each issued once, with the next number of its series."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import or_, update
from sqlmodel import col, select

from nurture.errors import NotFound
from nurture.store.database import Session
from nurture.store.document_tables import DocumentCountRow, DocumentRow
from nurture.store.leads import locked
from nurture.store.order_tables import OrderLineRow, OrderRow
from nurture.store.upsert import insert


class Ordered(NamedTuple):
    """An order with its lines."""

    order: OrderRow
    lines: Sequence[OrderLineRow]


async def issue(
    session: Session, series: str, lead_id: str, occasion: str, written: Callable[[int], DocumentRow]
) -> DocumentRow:
    """The document of that occasion; it is `written` with the next number of its series unless it was before."""
    await locked(session, lead_id)
    if (known := await of_occasion(session, occasion)) is not None:
        return known
    row = written(await _next(session, series))
    session.add(row)
    await session.flush()
    return row


async def of_occasion(session: Session, occasion: str) -> DocumentRow | None:
    """What was issued then."""
    return (await session.exec(select(DocumentRow).where(DocumentRow.occasion == occasion))).one_or_none()


async def _next(session: Session, series: str) -> int:
    """The next number of the series: its row is held until the transaction ends, so that none is left out or there twice."""
    first = insert(session, DocumentCountRow).values(series=series, issued=0)
    await session.exec(first.on_conflict_do_nothing())
    counted = (
        update(DocumentCountRow)
        .where(col(DocumentCountRow.series) == series)
        .values(issued=col(DocumentCountRow.issued) + 1)
    )
    return int((await session.exec(counted.returning(col(DocumentCountRow.issued)))).scalar_one())


async def latest_order(session: Session, lead_id: str) -> Ordered | None:
    """The lead's latest order that stands."""
    standing = select(OrderRow).where(OrderRow.lead_id == lead_id, col(OrderRow.status).in_(("placed", "paid")))
    newest = standing.order_by(col(OrderRow.created_at).desc(), col(OrderRow.id)).limit(1)
    order = (await session.exec(newest)).one_or_none()
    if order is None:
        return None
    lines = select(OrderLineRow).where(OrderLineRow.order_id == order.id).order_by(col(OrderLineRow.n))
    return Ordered(order, (await session.exec(lines)).all())


async def listed(session: Session, kind: str | None, lead_id: str | None, limit: int) -> Sequence[DocumentRow]:
    """Documents, the newest first."""
    query = select(DocumentRow).order_by(col(DocumentRow.at).desc(), col(DocumentRow.id)).limit(limit)
    if kind is not None:
        query = query.where(DocumentRow.kind == kind)
    return (await session.exec(query if lead_id is None else query.where(DocumentRow.lead_id == lead_id))).all()


async def look_up(session: Session, name: str) -> DocumentRow:
    """A document by its id, or by its number where no other kind has the same."""
    found = (
        await session.exec(select(DocumentRow).where(or_(col(DocumentRow.id) == name, col(DocumentRow.number) == name)))
    ).all()
    if len(found) != 1:
        many = f"there are {len(found)} documents {name[:64]!r}: give the id"
        raise NotFound(many if found else f"there is no document {name[:64]!r}: see nurture documents list")
    return found[0]
