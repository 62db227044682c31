"""The table of merges: which lead a lead that is gone has become."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class MergeRow(SQLModel, table=True):
    """A lead that is gone, by its id, and the one that it is now: whoever names the old id means the new one.

    `was` is what was known of it (profile, stage, scores, keys), `journeys` are those that it brought.
    """

    __tablename__ = "merges"

    gone_id: str = Field(primary_key=True)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    at: datetime
    by: str
    was: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    journeys: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
