"""Hand-offs over the API: shown, and answered, for a CRM that would rather call than be called."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from nurture.sales import Answer, Said, a_reason, answer
from nurture.store import hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import HandOffRow
from web.auth import may
from web.state import State, clock, present

MOST_AT_ONCE = 200
Here = Annotated[State, Depends(present)]
Status = Literal["open", "accepted", "rejected", "recycled"]
routes = APIRouter(prefix="/v1/hand-offs", tags=["hand-offs"])


class HandOffOut(BaseModel):
    """A hand-off: who has it and why, how far its clock has come, and what sales said."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    lead_id: str
    journey_id: str
    definition: str
    definition_version: str
    status: Status
    team: str
    assigned_to: str
    because: str
    stage: str
    reason: str
    created_at: datetime
    told_at: datetime | None
    due_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    answered_via: str


class DeedOut(BaseModel):
    """Something done about a hand-off, whom it concerned, and when they were told."""

    model_config = ConfigDict(from_attributes=True)

    deed: str
    person: str
    note: str
    at: datetime
    told_at: datetime | None


class WholeHandOff(HandOffOut):
    """A hand-off with its dossier, and all that was done about it."""

    dossier: dict[str, Any]
    deeds: list[DeedOut]


class HandOffs(BaseModel):
    """The newest first; `next` is given as `after` to see more."""

    hand_offs: list[HandOffOut]
    next: str | None


@routes.get("", dependencies=[Depends(may("hand-offs:read"))])
async def list_hand_offs(
    here: Here,
    status: Status | None = None,
    assigned_to: Annotated[str | None, Query(max_length=50)] = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50,
) -> HandOffs:
    """The hand-offs, the newest first."""
    async with here.store.read() as session:
        rows = await hand_offs.listed(session, status=status, person=assigned_to, after=after, limit=limit)
    following = rows[-1].id if len(rows) == limit else None
    return HandOffs(hand_offs=[HandOffOut.model_validate(row) for row in rows], next=following)


@routes.get("/{hand_off_id}", dependencies=[Depends(may("hand-offs:read"))])
async def show_hand_off(hand_off_id: str, here: Here) -> WholeHandOff:
    """One hand-off with its dossier."""
    async with here.store.read() as session:
        row = await hand_offs.get(session, hand_off_id)
        return _whole(row, await hand_offs.deeds(session, row.id))


def _whole(row: HandOffRow, deeds: list[HandOffDeedRow]) -> WholeHandOff:
    told = [DeedOut.model_validate(one) for one in deeds]
    return WholeHandOff(**HandOffOut.model_validate(row).model_dump(), dossier=row.dossier, deeds=told)


class AnswerIn(BaseModel):
    """What sales says, why, and who says it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"answer": "rejected", "reason": "no budget", "by": "ann"}},
    )

    answer: Answer
    reason: str = Field(default="", max_length=2000)
    by: str = Field(default="", max_length=100)


@routes.post("/{hand_off_id}/answer", dependencies=[Depends(may("hand-offs:write"))])
async def answer_hand_off(hand_off_id: str, given: AnswerIn, here: Here, response: Response) -> HandOffOut:
    """Answer a hand-off; the same answer again changes nothing, another one is refused with what was said."""
    async with here.store.read() as session:
        team = (await hand_offs.get(session, hand_off_id)).team
    reasons = here.catalogue.team(team, here.settings.teams).reasons if given.answer == "rejected" else ()
    said = Said(given.answer, a_reason(given.reason, reasons), a_reason(given.by), "api")
    async with here.store.write() as session:
        fresh = await answer(session, here.intake.recorder, hand_off_id, said, clock())
        row = await hand_offs.get(session, hand_off_id)
    if not fresh:
        response.headers["Idempotent-Replayed"] = "true"
    return HandOffOut.model_validate(row)
