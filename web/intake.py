"""What comes in: events, leads, and orders to enter a campaign. A 2xx is given only after the commit."""

from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import select
from starlette.responses import Response

from nurture.errors import BadInput, NotFound
from nurture.fading import points_now
from nurture.intake import Consent, Enrolment, Incoming, Internal, read_incoming
from nurture.intake.incoming import Id
from nurture.intake.merging import merge
from nurture.pace import speed
from nurture.store import leads
from nurture.store.models import CampaignRow
from nurture.store.timeline import MOST, Kind, timeline
from nurture.values import as_key
from web.auth import check, may
from web.bodies import as_json
from web.items import take_in, taken
from web.state import State, clock, present, state

Here = Annotated[State, Depends(present)]
routes = APIRouter(prefix="/v1", tags=["intake"])


async def take_events(request: Request) -> Response:
    """Take in one event, or a list of up to 500.

    One event answers 202, or the error. A list answers 207 with a result for each item, in order: a bad one harms no
    other. An `id` sent again has no second effect and gets the same answer.
    """
    await check(request, "events:write")
    here = state(request)
    return await take_in(here, as_json(await request.body()), "events", _event)


async def _event(raw: object) -> Incoming:
    incoming = read_incoming(raw)
    if incoming.name is None:
        raise BadInput("name: is missing: an event has one, such as order_paid", field="name")
    return incoming


class LeadIn(BaseModel):
    """What is known of a lead, and what it consented to; `at` is when that was so, now unless given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "lead": {
                    "email": "ann@example.com",
                    "first_name": "Ann",
                    "company": {"size": 40},
                    "tags": {"add": ["vip"]},
                },
                "consents": {"news": True},
            }
        },
    )

    lead: dict[str, Any]
    consents: dict[str, bool | Consent] = Field(default_factory=dict, max_length=50)
    source: str = "api"
    at: AwareDatetime | None = None


class LeadTaken(BaseModel):
    """The lead's id, whether it is new, and what changed; a warning names what was left out."""

    lead_id: str
    new: bool
    changed: tuple[str, ...] = Field(examples=[["lead.email"]])
    warnings: tuple[str, ...] = ()


@routes.post("/leads", dependencies=[Depends(may("leads:write"))])
async def take_lead(given: LeadIn, here: Here) -> LeadTaken:
    """Make a lead, or add to what is known of it; what is left out stays as it is, null takes away."""
    incoming = Incoming.model_validate(given.model_dump())
    (result,) = await here.intake.accept([incoming], clock())
    lead_id = taken(result)["lead_id"]
    return LeadTaken(lead_id=lead_id, new=result.new_lead, changed=result.changed, warnings=result.warnings)


class LeadOut(BaseModel):
    """What is known of a lead."""

    id: str
    stage: str
    test: bool
    scores: dict[str, float]
    profile: dict[str, Any]


@routes.get("/leads/{lead_id}", dependencies=[Depends(may("leads:read"))])
async def show_lead(lead_id: str, here: Here) -> LeadOut:
    """What is known of a lead, by its id, external id, e-mail address or phone number."""
    if not lead_id.isprintable():
        raise NotFound("there is no such lead")
    async with here.store.read() as session:
        row = await leads.look_up(session, lead_id)
    scores = points_now(row.scores, row.fading, clock())
    return LeadOut(id=row.id, stage=row.stage, test=row.test, scores=scores, profile=row.profile)


class EntryOut(BaseModel):
    """Something that happened to a lead: `about` tells an event's name and properties, a message's template, and so on."""

    at: datetime
    kind: Kind
    id: str
    about: dict[str, Any]


class TimelineOut(BaseModel):
    """Entries, the newest first; `before` asks for those before, and is null when there are none."""

    entries: list[EntryOut]
    before: str | None


@routes.get("/leads/{lead_id}/timeline", dependencies=[Depends(may("leads:read"))])
async def show_timeline(
    lead_id: str,
    here: Here,
    before: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> TimelineOut:
    """All that happened to a lead in one order: events, messages, points, journeys, hand-offs, consents and merges."""
    if not lead_id.isprintable():
        raise NotFound("there is no such lead")
    async with here.store.read() as session:
        row = await leads.look_up(session, lead_id)
        page = await timeline(session, row.id, before, limit)
    return TimelineOut(entries=[EntryOut(**one._asdict()) for one in page.entries], before=page.before)


class MergeIn(BaseModel):
    """Two leads that are one person, by id, external id, e-mail address or phone number: the one that is kept, and the other.

    `dry_run` only tells what would come of it.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"keep": "ann@example.com", "gone": "crm:17", "dry_run": True}}
    )

    keep: str = Field(min_length=1, max_length=254)
    gone: str = Field(min_length=1, max_length=254)
    dry_run: bool = False


class MergeOut(BaseModel):
    """The lead that was kept, what changed for it, topics that it now refuses, and the journeys that came and that end."""

    lead_id: str
    gone_id: str
    changed: tuple[str, ...]
    stage: str
    scores: dict[str, float]
    refused: tuple[str, ...]
    journeys: tuple[str, ...]
    ended: tuple[str, ...]


@routes.post("/leads/merge", dependencies=[Depends(may("leads:write"))])
async def merge_leads(given: MergeIn, here: Here) -> MergeOut:
    """Make two leads one, for good; the id and the keys of the one that is gone then mean the other."""
    merged = await merge(
        here.store, here.intake.recorder, given.keep, given.gone, by="api", now=clock(), rehearse=given.dry_run
    )
    return MergeOut(
        lead_id=merged.kept,
        gone_id=merged.gone,
        changed=merged.changed,
        stage=merged.stage,
        scores=merged.scores,
        refused=merged.refused,
        journeys=merged.journeys,
        ended=merged.ended,
    )


class JourneyIn(BaseModel):
    """A lead to enter into a campaign; `key` where it is entered once for each of something (an appointment).

    An `id` makes it once and once only. `manual` says that a person decided it, which also brings back a lead that a
    person took out. `speed` (`1d=1s`) is for development and test leads.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"id": "deal-17", "campaign": "price-list", "lead": {"email": "ann@example.com"}}
        },
    )

    campaign: str
    lead: dict[str, Any]
    key: str | int = ""
    id: Id | None = None
    manual: bool = False
    speed: str | None = None


class JourneyOrdered(BaseModel):
    """The order's id, and the lead it is about."""

    id: str
    lead_id: str


@routes.post("/journeys", dependencies=[Depends(may("journeys:write"))], status_code=202)
async def enter_journey(given: JourneyIn, here: Here) -> JourneyOrdered:
    """Enter the lead into the campaign, by its rules of re-entry; what became of it is told by `nurture why`."""
    await _check_published(here, given.campaign)
    if given.speed is not None:
        speed(given.speed)
    key = as_key(given.key) if given.key != "" else ""
    if key is None:
        raise BadInput("key: give a number or a text of at most 200 characters", field="key")
    cause = f"order/{given.id}" if given.id else None
    enrol = Enrolment(campaign=given.campaign, key=key, manual=given.manual, speed=given.speed, event=cause)
    (result,) = await here.intake.accept([Internal(id=given.id, lead=given.lead, enrol=enrol)], clock())
    return JourneyOrdered.model_validate(taken(result), extra="ignore")


async def _check_published(here: State, campaign: str) -> None:
    async with here.store.read() as session:
        published = (await session.exec(select(CampaignRow.key))).all()
    if campaign in published:
        return
    if campaign in here.catalogue.campaigns:
        raise NotFound(f"campaign: {campaign!r} is not published yet: run nurture publish")
    close = get_close_matches(campaign, published, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(published)) or 'none'}"
    raise NotFound(f"campaign: there is no {campaign[:100]!r}: {hint}")


routes.add_route("/v1/events", take_events, methods=["POST"])  # plain, as most of what comes in comes in here
