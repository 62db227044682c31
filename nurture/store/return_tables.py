"""Tables of what comes back after messages, of the mailboxes it comes to, and of the fuses that blow when it is too much."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, Index, SQLModel


class ReturnRow(SQLModel, table=True):
    """That a message came back, once in each `kind`: `bounced` for good, `soft` from a mailbox that takes nothing for now,
    `put_off` by such a mailbox at the hand-over, `complained` about.

    Of the address only its hash is kept; `sent_at` is when the message was handed over.
    """

    __tablename__ = "returns"
    __table_args__ = (
        Index("ix_returns_address", "address_hash", "kind"),
        Index("ix_returns_sent", "sent_at"),
    )

    message_id: str = Field(primary_key=True, foreign_key="messages.id")
    kind: str = Field(primary_key=True)
    lead_id: str = Field(index=True)
    campaign: str
    run_id: str | None = None
    fault: str = ""
    address_hash: str = ""
    at: datetime
    sent_at: datetime


class FuseRow(SQLModel, table=True):
    """The fuse of a campaign (by its key) or of a bulk run (by its id): too many of its messages came back.

    It counts messages handed over after `since`; `told_at` is when the team heard of what it did last.
    """

    __tablename__ = "fuses"

    subject: str = Field(primary_key=True)
    campaign: str
    run_id: str | None = None
    since: datetime | None = None
    warned_at: datetime | None = None
    blown_at: datetime | None = None
    reason: str = ""
    told_at: datetime | None = None


class MailboxRow(SQLModel, table=True):
    """How far a mailbox was read: the number of its last mail, in the numbering of that validity."""

    __tablename__ = "mailboxes"

    name: str = Field(primary_key=True)
    validity: int = Field(default=0, sa_type=BigInteger)
    uid: int = Field(default=0, sa_type=BigInteger)
