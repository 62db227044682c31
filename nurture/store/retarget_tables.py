"""The tables of retargeting: what of whom is with which network, and what is on its way there."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from nurture.store.models import new_id


class RetargetEntryRow(SQLModel, table=True):
    """A hash on a list at a network, or on its way there or back: `state` is adding, in, or removing.

    Of a lead that was erased the hash alone is left, without the lead, until its removal was delivered.
    """

    __tablename__ = "retarget_entries"
    __table_args__ = (
        Index("ix_retarget_entries_retarget_lead", "retarget", "lead_id"),
        Index("ix_retarget_entries_waiting", "retarget", "network", "state", "delivery"),
    )

    retarget: str = Field(primary_key=True)
    network: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    hash: str = Field(primary_key=True)
    lead_id: str | None = Field(default=None, foreign_key="leads.id", index=True)
    state: str
    delivery: str | None = Field(default=None, foreign_key="retarget_deliveries.id", index=True)


class RetargetDeliveryRow(SQLModel, table=True):
    """Changes of a list sent to its hook as one webhook, of this id however often it is tried; gone once it was taken."""

    __tablename__ = "retarget_deliveries"

    id: str = Field(primary_key=True, default_factory=new_id)
    retarget: str = Field(index=True)
    network: str
    made_at: datetime
    due_at: datetime
    attempts: int = 0
    trouble: str = ""
