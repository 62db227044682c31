"""Where links in messages lead: a GET shows (or redirects), only a POST acts; a forged link finds nothing."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from nurture.errors import NotFound
from nurture.intake import Consent, Internal
from nurture.store.models import LeadRow, LinkRow, MessageRow
from web.bodies import raw_body
from web.page import PAGE, WORDS
from web.state import State, clock, state

Here = Annotated[State, Depends(state)]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
MACHINES = ("bot", "crawler", "spider", "scanner", "preview", "proofpoint", "barracuda", "mimecast", "safelinks")
TOPIC, SCORE = "topic", "score"
routes = APIRouter(tags=["pages"], include_in_schema=False)
_page = Environment(autoescape=True, undefined=StrictUndefined).from_string(PAGE)


@routes.api_route("/c/{token}", methods=["GET", "HEAD"])
async def follow(token: str, request: Request, here: Here) -> Response:
    """Note the click and send the reader on, to where the store says this link leads."""
    link_id = here.links.clicked(token)
    async with here.store.read() as session:
        link = await session.get(LinkRow, link_id)
        message = await session.get(MessageRow, link.message_id) if link is not None else None
    if link is None or message is None:
        raise NotFound("there is nothing at this address")
    if message.lead_id is not None:
        about = {"template": message.template, "campaign": message.campaign, "message": message.id, "url": link.url}
        event = Internal(
            name="message_clicked",
            lead={"id": message.lead_id},
            properties=about,
            source="link",
            machine=_machine(request),
        )
        await here.intake.accept([event], clock())
    return RedirectResponse(link.url, 302, HEADERS)


def _machine(request: Request) -> bool:
    """Whether a program follows the link before any person does."""
    ahead = (
        request.headers.get("sec-purpose", "") + request.headers.get("purpose", "") + request.headers.get("x-moz", "")
    )
    agent = request.headers.get("user-agent", "").lower()
    return request.method == "HEAD" or "prefetch" in ahead or not agent or any(name in agent for name in MACHINES)


@routes.get("/u/{token}")
async def ask_unsubscribe(token: str, request: Request, here: Here) -> HTMLResponse:
    """The page on which a lead leaves a topic; it only asks."""
    leaving = here.links.unsubscribing(token)
    return _shown(await _language(request, here, leaving.lead_id), "unsubscribe", topic=leaving.topic)


@routes.post("/u/{token}")
async def unsubscribe(token: str, request: Request, here: Here) -> HTMLResponse:
    """Leave the topic (or all), at once: by the page's form, or by a mail program's one click (RFC 8058)."""
    leaving = here.links.unsubscribing(token)
    form = await _form(request)
    topic = "*" if form.get(TOPIC) == "*" else leaving.topic
    about = {"message": leaving.message_id} if leaving.message_id else {}
    said = Internal(
        name="unsubscribed",
        lead={"id": leaving.lead_id},
        properties=about,
        source="link",
        consents={topic: Consent(granted=False)},
    )
    (result,) = await here.intake.accept([said], clock())
    if result.error is not None:
        raise result.error
    return _shown(await _language(request, here, leaving.lead_id), "unsubscribed", topic=topic)


@routes.get("/s/{token}")
async def ask_survey(token: str, request: Request, here: Here) -> HTMLResponse:
    """The survey's page: one question from 0 to 10, and room for a word."""
    asked = here.links.answering(token)
    return _shown(await _language(request, here, asked.lead_id), "survey")


@routes.post("/s/{token}")
async def answer_survey(token: str, request: Request, here: Here) -> HTMLResponse:
    """Take the answer; the first one given by a link holds."""
    asked = here.links.answering(token)
    form = await _form(request)
    language = await _language(request, here, asked.lead_id)
    score = form.get(SCORE, "")
    if not (score.isascii() and score.isdigit() and int(score) <= 10):
        return _shown(language, "survey")
    about = {"survey": asked.survey, "score": int(score), "comment": form.get("comment", "")[:2000]}
    lead: dict[str, Any] = {"id": asked.lead_id} | ({"nps": int(score)} if asked.survey == "nps" else {})
    cause = f"survey/{asked.survey}/{asked.message_id or asked.lead_id}"
    answer = Internal(id=cause, name="survey_answered", lead=lead, properties=about, source="survey")
    (result,) = await here.intake.accept([answer], clock())
    if result.error is not None:
        raise result.error
    return _shown(language, "answered")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await raw_body(request)).decode("utf-8", "replace"), max_num_fields=20))


async def _language(request: Request, here: State, lead_id: str) -> str:
    async with here.store.read() as session:
        lead = await session.get(LeadRow, lead_id)
    if lead is None:
        raise NotFound("there is nothing at this address")
    wanted = (lead.language or request.headers.get("accept-language", "")).lower()
    return "ru" if wanted.startswith("ru") else "en"


def _shown(language: str, part: str, **given: str) -> HTMLResponse:
    return HTMLResponse(_page.render(part=part, say=WORDS[language], language=language, **given), headers=HEADERS)
