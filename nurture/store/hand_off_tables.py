"""The tables beside hand-offs: what was done about each, and whose turn it is in a team."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class HandOffDeedRow(SQLModel, table=True):
    """Something done about a hand-off: the `n`-th; whoever is to hear of it was told at `told_at`, the CRM at `called_at`.

    `deed`: assigned, reminded, escalated, reassigned, recycled, accepted, rejected. `person` is who it concerns by key, empty
    for the team's lead.
    """

    __tablename__ = "hand_off_deeds"

    hand_off_id: str = Field(primary_key=True, foreign_key="hand_offs.id")
    n: int = Field(primary_key=True)
    deed: str
    person: str = ""
    note: str = ""
    at: datetime
    told_at: datetime | None = None
    called_at: datetime | None = None


class TurnRow(SQLModel, table=True):
    """The turn at which somebody of a team got a hand-off last; turns of a team are counted up."""

    __tablename__ = "turns"

    team: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    turn: int
