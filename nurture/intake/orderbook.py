"""The orders that one transaction is told of."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, or_, select

from nurture.deals import News, Order, summary, takes_lines, told
from nurture.errors import BadInput
from nurture.intake.incoming import Internal, Prepared
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.held import HeldLead
from nurture.store.models import new_id
from nurture.store.order_tables import OrderLineRow, OrderRow

ORDERS, LINES = table(OrderRow), table(OrderLineRow)
TIMES = ("placed_at", "paid_at", "cancelled_at", "lost_at")
KEPT = ("id", "lead_id", "source", "number", "currency", "amount", "refunded", "whole_refund", "reason", *TIMES)
ORDER = select(*(ORDERS.c[name] for name in KEPT))
PRODUCTS = select(LINES.c.order_id, LINES.c.product).order_by(LINES.c.order_id, LINES.c.n)


class Ordered(NamedTuple):
    """What the news of an order means: the order, whether it is the lead's first purchase, and what the event says."""

    order: Order
    bought: bool
    again: bool
    properties: dict[str, Any]


class Orderbook:
    """Knows the orders of the leads in question, whose rows are held, and those that the news is of; `save` writes what
    was told.
    """

    def __init__(self, connection: Connection, leads: Collection[str], told_of: Sequence[News] = ()) -> None:
        self.orders: dict[tuple[str, str], Order] = {}
        self.new: dict[str, datetime] = {}
        self.changed: dict[str, datetime] = {}
        self.lines: dict[str, News] = {}
        if leads:
            self._load(connection, leads, told_of)

    def _load(self, connection: Connection, leads: Collection[str], told_of: Sequence[News]) -> None:
        such = [and_(ORDERS.c.source == news.source, ORDERS.c.number == news.number) for news in told_of]
        theirs = ORDERS.c.lead_id.in_(set(leads))
        rows = connection.execute(ORDER.where(or_(theirs, *such))).mappings().all()
        products: dict[str, list[str]] = {}
        for order_id, product in connection.execute(PRODUCTS.where(LINES.c.order_id.in_([row["id"] for row in rows]))):
            products.setdefault(order_id, []).append(product)
        for row in rows:
            amount = None if row["amount"] is None else Decimal(row["amount"])
            read = {**row, "amount": amount, "refunded": Decimal(row["refunded"])}
            self.orders[row["source"], row["number"]] = Order(**read, products=tuple(products.get(row["id"], ())))

    def refusal(self, news: News, lead: HeldLead, now: datetime) -> BadInput | None:
        """Why the news cannot be taken, as things stand."""
        order = self.orders.get((news.source, news.number))
        if order is None:
            return None
        if order.lead_id != lead.id:
            return BadInput(
                f"lead: order {news.number} of {news.source} belongs to another lead: leave the lead out, or merge the two",
                field="lead",
            )
        try:
            told(order, news, now)
        except BadInput as error:
            return error
        return None

    def take(self, item: Prepared, news: News, lead: HeldLead, received: datetime) -> Ordered:
        """Note the news; the lead's summary of orders moves along."""
        at = received if item.given.at is None else min(item.given.at, received)
        name = news.source, news.number
        before = self.orders.get(name)
        if before is None:
            before = Order(new_id(), lead.id, news.source, news.number, news.currency)
            self.new[before.id] = received
        if takes_lines(before, news):
            self.lines[before.id] = news
        after = self.orders[name] = told(before, news, at)
        self.changed[after.id] = received
        bought = news.status == "paid" and after.counts
        again = lead.profile.get("customer") is True
        self.sum_up(lead)
        lead.profile |= {"customer": True} if bought else {}
        lead.profile_changed = True
        return Ordered(after, bought, again, _properties(after, news, again=again))

    def sum_up(self, lead: HeldLead) -> None:
        """The lead's profile says what its orders come to."""
        orders = summary(one for one in self.orders.values() if one.lead_id == lead.id)
        others = {name: value for name, value in lead.profile.items() if name != "orders"}
        lead.profile = {**others, "orders": orders} if orders else others

    def save(self, connection: Connection) -> None:
        """Write the orders and their lines."""
        rows = {order.id: self._row(order) for order in self.orders.values() if order.id in self.changed}
        new = [{**row, "created_at": self.new[one]} for one, row in rows.items() if one in self.new]
        insert_rows(connection, OrderRow, new)
        update_rows(connection, OrderRow, [row for one, row in rows.items() if one not in self.new])
        old = [one for one in self.lines if one not in self.new]
        if old:
            connection.execute(LINES.delete().where(LINES.c.order_id.in_(old)))
        lines = [
            {"order_id": one, "n": n, **line.model_dump()}
            for one, news in self.lines.items()
            for n, line in enumerate(news.lines, 1)
        ]
        insert_rows(connection, OrderLineRow, lines)

    def _row(self, order: Order) -> dict[str, Any]:
        same = ("id", "lead_id", "source", "number", "currency", "whole_refund", "reason", "status", *TIMES)
        row = {name: getattr(order, name) for name in same}
        amount = None if order.amount is None else str(order.amount)
        return {**row, "amount": amount, "refunded": str(order.refunded), "updated_at": self.changed[order.id]}


def _properties(order: Order, news: News, *, again: bool) -> dict[str, Any]:
    """What the event says; its amount is a number, for conditions to compare."""
    about: dict[str, Any] = {"order": order.number, "source": order.source, "currency": order.currency}
    amount = Decimal(news.refund.amount) if news.refund is not None else order.amount
    about |= {} if amount is None else {"amount": float(amount)}
    about |= {"products": list(order.products)} if order.products else {}
    about |= {"reason": news.reason} if news.reason else {}
    if news.status == "paid":
        about["first"] = not again
    if news.status == "refunded":
        about["whole"] = order.given_back
    return about


def news_of(item: Prepared) -> News | None:
    """What the item tells of an order."""
    return item.given.order if isinstance(item.given, Internal) else None
