"""The preference page: what a lead takes, in which language, and whether it is followed. A GET shows, a POST acts."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import BadInput
from nurture.intake import Consent, Internal
from nurture.preferences import Choice, choices, following, languages, said
from nurture.store.consents import current_consents
from nurture.store.leads import find
from nurture.topics import ALL
from web.bodies import form_of
from web.looks import language_of, page
from web.looks.words import LANGUAGES, spoken_in
from web.refusals import refuse
from web.state import State, clock, present

SOURCE = "preferences"
Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


@routes.get("/p/{token}")
async def show_preferences(token: str, request: Request, here: Here) -> Response:
    """The page, as things stand."""
    chooser = here.links.choosing(token)
    language, boxes = await _boxes(request, here, chooser.lead_id)
    offered = [(key, LANGUAGES.get(key, key)) for key in languages(here.catalogue.topics.values())]
    return page(
        "preferences",
        language,
        part="preferences",
        boxes=boxes,
        languages=offered if len(offered) > 1 else [],
        chosen=language,
        confirm=here.links.confirmation(token),
    )


@routes.post("/p/{token}")
async def save_preferences(token: str, request: Request, here: Here) -> Response:
    """Note what the lead changed, each answer with the words that stood there; it holds from the commit on."""
    chooser = here.links.choosing(token)
    form = await form_of(request)
    if not hmac.compare_digest(form.get("confirm", "").encode(), here.links.confirmation(token).encode()):
        raise BadInput("not the button of our page: open the link and press it")
    language, boxes = await _boxes(request, here, chooser.lead_id)
    if form.get("all") == "off":
        words = spoken_in(language)["stop_all"]
        await refuse(here, chooser.lead_id, chooser.message_id, {ALL: words}, SOURCE)
        return page("said", language, part="unsubscribed")
    changed = said(boxes, _named(form, "was."), _named(form, "topic."))
    if left := {one.topic: one.words for one in changed if not one.granted}:
        await refuse(here, chooser.lead_id, chooser.message_id, left, SOURCE)
    taken: dict[str, bool | Consent] = {
        one.topic: Consent(granted=True, text=one.words) for one in changed if one.granted
    }
    chosen = form.get("language") or language
    changes = chosen != language and chosen in languages(here.catalogue.topics.values())
    new_language = {"language": chosen} if changes else {}
    if taken or new_language:
        lead = {"id": chooser.lead_id, **new_language}
        await here.intake.accept([Internal(lead=lead, consents=taken, source=SOURCE)], clock())
    return page("said", chosen, part="saved")


async def _boxes(request: Request, here: State, lead_id: str) -> tuple[str, list[Choice]]:
    """The boxes as they stand for the lead, in its language; of one that is gone, as for anybody new."""
    async with here.store.read() as session:
        lead = await find(session, lead_id)
        answers = await current_consents(session, lead.id, clock()) if lead is not None else {}
    language = language_of(request, lead.language if lead is not None else None)
    assumed = here.settings.rules.consent == "assumed"
    boxes = choices(here.catalogue.topics, answers, language, assumed=assumed)
    return language, [*boxes, following(answers, spoken_in(language)["follow_me"])]


def _named(form: dict[str, str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in form if name.startswith(prefix)]
