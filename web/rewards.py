"""Rewards of those who recommend, as they stand."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from nurture.store import rewards
from web.auth import may
from web.state import State, present

Here = Annotated[State, Depends(present)]
Limit = Annotated[int, Query(ge=1, le=1000)]
routes = APIRouter(prefix="/v1", tags=["rewards"])


class RewardOut(BaseModel):
    """What a lead is owed for a friend it brought."""

    id: str
    reward: str
    referrer_id: str
    friend_id: str
    status: str
    reason: str
    amount: str | None
    currency: str | None
    points: int | None
    granted_at: datetime
    voided_at: datetime | None
    paid_at: datetime | None


class RewardsOut(BaseModel):
    """Rewards, the newest first."""

    rewards: list[RewardOut]


@routes.get("/rewards", dependencies=[Depends(may("leads:read"))])
async def list_rewards(here: Here, status: str | None = None, limit: Limit = 100) -> RewardsOut:
    """Rewards of those who recommended: granted, voided or paid, or all of them."""
    async with here.store.read() as session:
        found = await rewards.listed(session, status, limit)
    return RewardsOut(rewards=[RewardOut.model_validate(one.model_dump()) for one in found])
