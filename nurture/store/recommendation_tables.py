"""The tables of recommendations: who came by whom, and what the referrer is owed for it."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from nurture.store.models import new_id


class RecommendationRow(SQLModel, table=True):
    """A friend came by a lead's share code: attributed to it for good, or refused for a reason."""

    __tablename__ = "recommendations"

    friend_id: str = Field(primary_key=True, foreign_key="leads.id")
    referrer_id: str = Field(primary_key=True, foreign_key="leads.id", index=True)
    code: str
    channel: str = "referral"
    attributed: bool
    reason: str = ""
    at: datetime


class RewardRow(SQLModel, table=True):
    """A reward for a recommendation, one of its key for a friend and referrer; `grants` counts how often it came about.

    A wholly refunded order voids it until it is paid out, and the friend's next order brings it back.
    """

    __tablename__ = "rewards"
    __table_args__ = (
        UniqueConstraint("reward", "friend_id", "referrer_id"),
        Index("ix_rewards_told", "told_at", "status"),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    reward: str
    friend_id: str = Field(foreign_key="leads.id", index=True)
    referrer_id: str = Field(foreign_key="leads.id", index=True)
    order_id: str | None = Field(default=None, index=True)
    cause: str
    amount: str | None = None
    currency: str | None = None
    points: int | None = None
    status: str = "granted"  # granted, voided, paid
    reason: str = ""
    grants: int = 1
    granted_at: datetime
    told_at: datetime | None = None
    voided_at: datetime | None = None
    paid_at: datetime | None = None
