"""The table of approvals: who agreed to which state of a template."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class ApprovalRow(SQLModel, table=True):
    """That somebody agreed to a template as it was: `hash` is of all that it is made of, in every language."""

    __tablename__ = "approvals"

    template: str = Field(primary_key=True)
    hash: str = Field(primary_key=True)
    by: str
    at: datetime
