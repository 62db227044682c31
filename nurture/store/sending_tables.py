"""The tables of how fast mail goes: to a receiver, and from a sender that is warming up."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel


class ReceiverRow(SQLModel, table=True):
    """A receiver whose mail is counted: until when its turns are taken, and how far it was slowed."""

    __tablename__ = "receivers"

    receiver: str = Field(primary_key=True)
    taken_until: datetime | None = None
    rate: float | None = None
    slowed_at: datetime | None = None
    reason: str = ""


class WarmUpRow(SQLModel, table=True):
    """A day of a sender's warm-up: how many messages were handed over, and for how many it is spoken for."""

    __tablename__ = "warm_up_days"

    sender: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    taken: int = 0
    promised: int = 0
