"""The tables of orders: each with its lines, and what was thanked for.

Amounts are decimals as text, so that both databases keep them to the cent.
"""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from nurture.store.models import new_id


class OrderRow(SQLModel, table=True):
    """An order of a lead, unique by its source and number there; a time says when that status was reached, if it was."""

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("source", "number"),)

    id: str = Field(primary_key=True, default_factory=new_id)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    source: str
    number: str
    currency: str
    amount: str | None = None
    status: str
    reason: str = ""
    refunded: str = "0"
    whole_refund: bool = False
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    lost_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class OrderLineRow(SQLModel, table=True):
    """What was ordered: so many of a product."""

    __tablename__ = "order_lines"

    order_id: str = Field(primary_key=True, foreign_key="orders.id")
    n: int = Field(primary_key=True)
    product: str
    quantity: int = 1
    amount: str | None = None


class ThankRow(SQLModel, table=True):
    """That a lead is thanked for an order by one step of one journey, and so by no other."""

    __tablename__ = "thanks"

    order_id: str = Field(primary_key=True, foreign_key="orders.id")
    lead_id: str = Field(foreign_key="leads.id", index=True)
    journey_id: str = Field(foreign_key="journeys.id")
    occurrence: str
    at: datetime
