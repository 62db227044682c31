"""The tables of documents: what was issued, and how far each series of numbers has come."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from nurture.store.models import new_id


class DocumentRow(SQLModel, table=True):
    """A document as it was issued to a lead, once for an `occasion`; it is never changed. Amounts are decimals as text."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("kind", "number"),)

    id: str = Field(primary_key=True, default_factory=new_id)
    kind: str
    number: str
    occasion: str = Field(unique=True)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    title: str
    language: str
    currency: str
    total: str
    html: str
    at: datetime


class DocumentCountRow(SQLModel, table=True):
    """How many documents were issued in a series of numbers."""

    __tablename__ = "document_counts"

    series: str = Field(primary_key=True)
    issued: int
