"""The table of what leads need."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class NeedRow(SQLModel, table=True):
    """A lead's need of a product: said or presumed, how ready it is (0 to 100), and whether it is still there."""

    __tablename__ = "needs"

    lead_id: str = Field(primary_key=True, foreign_key="leads.id")
    product: str = Field(primary_key=True)
    kind: str  # explicit, presumed
    status: str = "open"  # open, met, gone
    readiness: int
    cause: str
    at: datetime
