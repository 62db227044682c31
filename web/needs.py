"""What leads need: said, or presumed by another system."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nurture.intake import Internal
from nurture.intake.incoming import Id
from nurture.needs import Need
from web.auth import may
from web.items import taken
from web.state import State, clock, present

Here = Annotated[State, Depends(present)]
routes = APIRouter(prefix="/v1", tags=["needs"])


class NeedsIn(BaseModel):
    """A lead and its needs, each with how ready it is to be met (0 to 100); an `id` makes it once and once only."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "lead": {"email": "ann@example.com"},
                "needs": [{"product": "starter-kit", "kind": "explicit", "readiness": 80}],
            }
        },
    )

    lead: dict[str, Any]
    needs: tuple[Need, ...] = Field(min_length=1, max_length=100)
    id: Id | None = None
    at: AwareDatetime | None = None
    source: str = "api"


class NeedsTaken(BaseModel):
    """The event's id, and the lead's."""

    id: str
    lead_id: str


@routes.post("/needs", dependencies=[Depends(may("leads:write"))], status_code=202)
async def take_needs(given: NeedsIn, here: Here) -> NeedsTaken:
    """Note what a lead needs, as the event `need_told` too; what is presumed takes nothing back from what it said itself."""
    about = {"needs": [one.model_dump() for one in given.needs]}
    item = Internal(
        id=given.id,
        name="need_told",
        lead=given.lead,
        properties=about,
        needs=given.needs,
        at=given.at,
        source=given.source,
    )
    (result,) = await here.intake.accept([item], clock())
    return NeedsTaken.model_validate(taken(result), extra="ignore")
