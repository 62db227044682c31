"""The tables of what comes before a lead is known: arrivals, visits, consents given on forms, counts and costs."""

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel

from nurture.store.models import new_id


class ArrivalRow(SQLModel, table=True):
    """One way a lead came to us, kept for ever; `event` is what happened then, when there was an event."""

    __tablename__ = "arrivals"
    __table_args__ = (Index("ix_arrivals_lead_at", "lead_id", "at"), Index("ix_arrivals_at", "at"))

    id: str = Field(primary_key=True, default_factory=new_id)
    lead_id: str = Field(foreign_key="leads.id")
    channel: str
    placement: str = ""
    creative: str = ""
    offer: str = ""
    event: str | None = None
    at: datetime


class VisitorRow(SQLModel, table=True):
    """When a lead was on our sites, and in how many sessions: visits without half an hour of quiet between them."""

    __tablename__ = "visitors"

    lead_id: str = Field(primary_key=True, foreign_key="leads.id")
    first_at: datetime
    last_at: datetime = Field(index=True)
    sessions: int


class ConsentProofRow(SQLModel, table=True):
    """The words that a lead said yes to on a form, and how; without `confirmed_at` it still has to confirm them by mail."""

    __tablename__ = "consent_proofs"
    __table_args__ = (Index("ix_consent_proofs_lead", "lead_id", "form"),)

    id: str = Field(primary_key=True, default_factory=new_id)
    lead_id: str = Field(foreign_key="leads.id")
    form: str
    version: str
    topic: str
    text: str
    text_hash: str
    language: str
    email: str
    ip: str
    at: datetime
    confirmed_at: datetime | None = None


class CaptureCountRow(SQLModel, table=True):
    """How often a form was seen, tried and filled in within an hour, by the page it stood on and where visitors came from."""

    __tablename__ = "capture_counts"

    form: str = Field(primary_key=True)
    page: str = Field(primary_key=True)
    placement: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True)
    views: int = 0
    attempts: int = 0
    captures: int = 0
    machines: int = 0


class CostRow(SQLModel, table=True):
    """What was spent on a day, in the one currency of the house; a file imported again changes nothing."""

    __tablename__ = "costs"

    day: date = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    placement: str = Field(primary_key=True, default="")
    creative: str = Field(primary_key=True, default="")
    offer: str = Field(primary_key=True, default="")
    amount: float
