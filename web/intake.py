"""What comes in: events, leads, and orders to enter a campaign. A 2xx is given only after the commit."""

from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from nurture.errors import BadInput, NotFound, NurtureError, Refused
from nurture.intake import Enrolment, Incoming, Internal, Result, read_incoming
from nurture.pace import speed
from nurture.store import leads
from web.auth import may
from web.bodies import as_json, raw_body
from web.problems import TooLarge, document, status_of
from web.state import State, clock, state

MOST_AT_ONCE = 500
EXAMPLE = {
    "id": "order-4711",
    "name": "order_paid",
    "lead": {"email": "ann@example.com", "first_name": "Ann"},
    "properties": {"amount": 120},
}
BATCH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        Incoming.model_json_schema(),
                        {"type": "array", "items": {"type": "object"}, "maxItems": MOST_AT_ONCE},
                    ]
                },
                "examples": {"one": {"value": EXAMPLE}, "batch": {"value": [EXAMPLE]}},
            }
        },
    }
}
Here = Annotated[State, Depends(state)]
routes = APIRouter(prefix="/v1", tags=["intake"])


@routes.post("/events", dependencies=[Depends(may("events:write"))], openapi_extra=BATCH, status_code=202)
async def take_events(request: Request, here: Here) -> JSONResponse:
    """Take in one event, or a list of up to 500.

    One event answers 202, or the error. A list answers 207 with a result for each item, in order: a bad one harms no
    other. An `id` sent again has no second effect and gets the same answer.
    """
    given = as_json(await raw_body(request))
    if isinstance(given, dict) and isinstance(given.get("events"), list):
        given = given["events"]
    if not isinstance(given, list):
        incoming = read_incoming(given)
        _named(incoming)
        (result,) = await here.intake.accept([incoming], clock())
        return JSONResponse(_one(result), 202)
    if len(given) > MOST_AT_ONCE:
        raise TooLarge(f"{len(given)} events at once: send at most {MOST_AT_ONCE}")
    return JSONResponse({"results": await _each(here, given)}, 207)


def _named(incoming: Incoming) -> None:
    if incoming.name is None:
        raise BadInput("name: is missing: an event has one, such as order_paid", field="name")


async def _each(here: State, given: list[Any]) -> list[dict[str, Any]]:
    answers: dict[int, dict[str, Any]] = {}
    good: dict[int, Incoming] = {}
    for at, raw in enumerate(given):
        try:
            incoming = read_incoming(raw)
            _named(incoming)
            good[at] = incoming
        except BadInput as error:
            answers[at] = _refused(error)
    results = await here.intake.accept(list(good.values()), clock()) if good else []
    for at, result in zip(good, results, strict=True):
        answers[at] = _refused(result.error) if result.error is not None else {"status": 202, **_taken(result)}
    return [answers[at] for at in range(len(given))]


def _refused(error: NurtureError) -> dict[str, Any]:
    return document(status_of(error), str(error), getattr(error, "field", None))


def _one(result: Result) -> dict[str, Any]:
    if result.error is not None:
        raise result.error
    return _taken(result)


def _taken(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "lead_id": result.lead_id,
        "duplicate": result.duplicate,
        "warnings": list(result.warnings),
    }


class LeadIn(BaseModel):
    """What is known of a lead, and what it consented to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"lead": {"email": "ann@example.com"}, "consents": {"news": True}}},
    )

    lead: dict[str, Any]
    consents: dict[str, Any] = Field(default_factory=dict)
    source: str = "api"


@routes.post("/leads", dependencies=[Depends(may("leads:write"))])
async def take_lead(given: LeadIn, here: Here) -> dict[str, Any]:
    """Make a lead, or add to what is known of it; what is left out stays as it is, null takes away."""
    (result,) = await here.intake.accept([read_incoming(given.model_dump())], clock())
    answer = _one(result)
    return {**answer, "new": result.new_lead, "changed": list(result.changed)}


@routes.get("/leads/{lead_id}", dependencies=[Depends(may("leads:read"))])
async def show_lead(lead_id: str, here: Here) -> dict[str, Any]:
    """What is known of a lead."""
    async with here.store.read() as session:
        row = await leads.look_up(session, lead_id)
    return {"id": row.id, "stage": row.stage, "test": row.test, "scores": row.scores, "profile": row.profile}


class JourneyIn(BaseModel):
    """A lead to enter into a campaign; `key` where the campaign is entered once for each (an appointment)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"campaign": "price-list", "lead": {"email": "ann@example.com"}}}
    )

    campaign: str
    lead: dict[str, Any]
    key: str = Field(default="", max_length=200)
    id: str | None = Field(default=None, max_length=128)
    speed: str | None = None


@routes.post("/journeys", dependencies=[Depends(may("journeys:write"))], status_code=202)
async def enter_journey(given: JourneyIn, here: Here) -> dict[str, Any]:
    """Enter the lead into the campaign, by its rules of re-entry; what became of it is told by `nurture why`."""
    known = list(here.catalogue.campaigns)
    if given.campaign not in known:
        close = get_close_matches(given.campaign, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known) or 'none'}"
        raise NotFound(f"there is no campaign {given.campaign[:100]!r}: {hint}")
    if given.speed is not None:
        speed(given.speed)
        if here.settings.environment == "production" and given.lead.get("test") is not True:
            raise Refused("speed is only for development and for test leads: leave it out")
    enrol = Enrolment(campaign=given.campaign, key=given.key, manual=True, speed=given.speed)
    order = Internal(id=given.id, lead=given.lead, enrol=enrol)
    (result,) = await here.intake.accept([order], clock())
    return _one(result)
