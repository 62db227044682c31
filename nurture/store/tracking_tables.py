"""The table of followed links, with the verdict on who followed them."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from nurture.store.models import new_id


class ClickRow(SQLModel, table=True):
    """A link of a message followed, and whose that was (`nurture.tracking.clicks`); its event, when it has one, has its id.

    `link` is empty for the one that nobody sees; `network` is a keyed hash, `program` what the caller said of itself; a
    verdict that waits is looked at again at `until`. What a person `ruled` holds.
    """

    __tablename__ = "clicks"
    __table_args__ = (
        Index("ix_clicks_message_at", "message_id", "at"),
        Index("ix_clicks_network_at", "network", "at"),
        Index(
            "ix_clicks_until",
            "until",
            sqlite_where=text("until IS NOT NULL"),
            postgresql_where=text("until IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    message_id: str = Field(foreign_key="messages.id")
    link: str
    url: str
    at: datetime
    network: str
    agent: str
    program: bool
    verdict: str
    sign: str
    until: datetime | None = None
    ruled: str | None = None
    ruled_by: str = ""
    ruled_at: datetime | None = None
