"""The table of receivers."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class ReceiverRow(SQLModel, table=True):
    """A receiver whose mail is counted: until when its turns are taken, and how far it was slowed."""

    __tablename__ = "receivers"

    receiver: str = Field(primary_key=True)
    taken_until: datetime | None = None
    rate: float | None = None
    slowed_at: datetime | None = None
    reason: str = ""
