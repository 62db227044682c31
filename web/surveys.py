"""The page of a survey: one question from 0 to 10, and room for a word."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.intake import Internal
from nurture.intake.incoming import stable_id
from nurture.store.leads import find
from web.bodies import form_of
from web.looks import language_of, page
from web.state import State, clock, state

POINTS = {str(point) for point in range(11)}
Here = Annotated[State, Depends(state)]
routes = APIRouter(include_in_schema=False)


@routes.get("/s/{token}")
async def ask_survey(token: str, request: Request, here: Here) -> Response:
    """The survey's page."""
    return page("survey", await _language(request, here, here.links.answering(token).lead_id), part="survey")


@routes.post("/s/{token}")
async def answer_survey(token: str, request: Request, here: Here) -> Response:
    """Take the answer; the first one given by a link holds."""
    asked = here.links.answering(token)
    language = await _language(request, here, asked.lead_id)
    form = await form_of(request)
    if form.get("score") not in POINTS:
        return page("survey", language, part="survey")
    score = int(form["score"])
    comment = "".join(one for one in form.get("comment", "")[:2000] if one.isprintable() or one in "\n\t")
    about = {"survey": asked.survey, "score": score, "comment": comment}
    lead: dict[str, Any] = {"id": asked.lead_id} | ({"nps": score} if asked.survey == "nps" else {})
    cause = stable_id("survey", asked.survey, asked.message_id or asked.lead_id)
    answer = Internal(id=cause, name="survey_answered", lead=lead, properties=about, source="survey")
    (result,) = await here.intake.accept([answer], clock())
    if result.error is not None:
        raise result.error
    return page("said", language, part="answered")


async def _language(request: Request, here: State, lead_id: str) -> str:
    async with here.store.read() as session:
        lead = await find(session, lead_id)
    return language_of(request, lead.language if lead is not None else None)
