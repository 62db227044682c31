"""The table of stages that leads came to."""

from datetime import datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from nurture.store.models import Serial


class StageChangeRow(SQLModel, table=True):
    """A lead came from one stage of its life cycle to another: why, by which cause (an item's or a step's id), and when."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        Index("ix_stage_changes_lead", "lead_id", "id"),
        Index("ix_stage_changes_to_at", "to_stage", "at"),
    )

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(foreign_key="leads.id")
    from_stage: str
    to_stage: str
    reason: str
    cause: str
    at: datetime
