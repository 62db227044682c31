"""Links in messages: a GET only shows, or sends the reader on; only a POST acts. A forged link finds nothing."""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nurture.errors import BadInput, NotFound, Unavailable
from nurture.intake import Internal
from nurture.intake.clicking import Clicking, Followed
from nurture.store.consents import objects
from nurture.store.leads import find
from nurture.store.models import LinkRow, MessageRow
from nurture.topics import ALL
from nurture.tracking.clicks import TRAP
from web.bodies import form_of
from web.looks import HEADERS, language_of, page
from web.looks.words import spoken_in
from web.machines import machine
from web.refusals import refuse
from web.state import State, clock, present
from web.throttle import network_of

NOTHING = "there is nothing at this address"
LONGEST_AGENT = 200
Here = Annotated[State, Depends(present)]
log = structlog.get_logger()
routes = APIRouter(include_in_schema=False)


@routes.api_route("/c/{token}", methods=["GET", "HEAD"])
async def follow(token: str, request: Request, here: Here) -> Response:
    """Note the click and send the reader on at once, to where the store says this link leads.

    The click is noted on GET, as there is no other sign of it; whether a person's it is, `nurture.tracking.clicks` decides.
    """
    if (trapped := here.links.trapped(token)) is not None:
        await _note(here, request, trapped, TRAP, "")
        raise NotFound(NOTHING)
    link_id = here.links.clicked(token)
    async with here.store.read() as session:
        link = await session.get(LinkRow, link_id)
    if link is None or not _of_the_web(link.url):
        raise NotFound(NOTHING)
    await _note(here, request, link.message_id, link.id, link.url)
    return RedirectResponse(link.url, 302, HEADERS)


async def _note(here: State, request: Request, message_id: str, link: str, url: str) -> None:
    """Note that a link of the message was followed, unless its lead is gone or does not want that."""
    async with here.store.read() as session:
        message = await session.get(MessageRow, message_id)
        lead_id = message.lead_id if message is not None else None
        if lead_id is None or await objects(session, lead_id, clock()):
            return
    network, agent = here.links.network(network_of(request)), _agent(request)
    followed = Followed(link=link, url=url, network=network, agent=agent, program=machine(request))
    looked_at = Internal(lead={"id": lead_id}, clicks=Clicking(message=message_id, followed=followed), source="link")
    try:
        await here.intake.accept([looked_at], clock())
    except Unavailable:  # the reader comes before the count
        log.warning("web.click_lost", message=message_id)


def _agent(request: Request) -> str:
    return "".join(one for one in request.headers.get("user-agent", "") if one.isprintable())[:LONGEST_AGENT]


def _of_the_web(url: str) -> bool:
    return url.isprintable() and urlsplit(url).scheme in ("http", "https")


@routes.get("/u/{token}")
async def ask_unsubscribe(token: str, request: Request, here: Here) -> Response:
    """The page on which a lead leaves a topic; it only asks."""
    leaving = here.links.unsubscribing(token)
    language = await _language(request, here, leaving.lead_id)
    return page(
        "unsubscribe",
        language,
        part="unsubscribe",
        topic=leaving.topic,
        confirm=here.links.confirmation(token),
        preferences=here.links.preferences(leaving.lead_id, leaving.message_id),
    )


@routes.post("/u/{token}")
async def unsubscribe(token: str, request: Request, here: Here) -> Response:
    """Leave the topic (or all), at once: by the page's form, or by a mail program's one click (RFC 8058)."""
    leaving = here.links.unsubscribing(token)
    form = await form_of(request)
    one_click = form.get("List-Unsubscribe") == "One-Click"
    if not one_click and not hmac.compare_digest(
        form.get("confirm", "").encode(), here.links.confirmation(token).encode()
    ):
        raise BadInput("neither one click of a mail program nor the button of our page: open the link and press it")
    topic = ALL if form.get("topic") == ALL else leaving.topic
    language = await _language(request, here, leaving.lead_id)
    words = spoken_in(language)["stop_all" if topic == ALL else "stop_this"]
    await refuse(here, leaving.lead_id, leaving.message_id, {topic: "" if one_click else words}, "link")
    return page("said", language, part="unsubscribed")


async def _language(request: Request, here: State, lead_id: str) -> str:
    async with here.store.read() as session:
        lead = await find(session, lead_id)
    return language_of(request, lead.language if lead is not None else None)
