"""The page of a survey: its questions, answered once by a link."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import BadInput
from nurture.intake import Internal
from nurture.intake.incoming import stable_id
from nurture.store.leads import find
from nurture.surveys import Survey, recommending, spoken
from web.bodies import form_of
from web.looks import language_of, page
from web.state import State, clock, present

Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


@routes.get("/s/{token}")
async def ask_survey(token: str, request: Request, here: Here) -> Response:
    """The survey's page; an answer in the address (`?score=9`, from a message) is only chosen beforehand."""
    asked = here.links.answering(token)
    language = await _language(request, here, asked.lead_id)
    return _page(_survey(here, asked.survey), language, dict(request.query_params))


@routes.post("/s/{token}")
async def answer_survey(token: str, request: Request, here: Here) -> Response:
    """Take the answers; the first ones given by a link hold."""
    asked = here.links.answering(token)
    survey, language = _survey(here, asked.survey), await _language(request, here, asked.lead_id)
    form = await form_of(request)
    try:
        answers = survey.answers(form)
    except BadInput as error:
        return _page(survey, language, form, amiss=error.field)
    lead: dict[str, Any] = {"id": asked.lead_id, **dict(survey.fields(answers))}
    cause = stable_id("survey", asked.survey, asked.message_id or asked.lead_id)
    about = {"survey": asked.survey, **answers}
    answer = Internal(id=cause, name="survey_answered", lead=lead, properties=about, source="survey")
    (result,) = await here.intake.accept([answer], clock())
    if result.error is not None:
        raise result.error
    return page("said", language, part="answered")


def _survey(here: State, key: str) -> Survey:
    return here.catalogue.surveys.get(key) or recommending(key)


def _page(survey: Survey, language: str, given: dict[str, str], *, amiss: str | None = None) -> Response:
    questions = [
        {
            "kind": one.kind,
            "key": one.key,
            "text": spoken(one.text, language),
            "needed": one.needed,
            "options": [(key, spoken(text, language)) for key, text in getattr(one, "options", {}).items()],
            "given": given.get(one.key, ""),
            "amiss": one.key == amiss,
        }
        for one in survey.questions
    ]
    status = 200 if amiss is None else 422
    return page("survey", language, status=status, heading=spoken(survey.title, language), questions=questions)


async def _language(request: Request, here: State, lead_id: str) -> str:
    async with here.store.read() as session:
        lead = await find(session, lead_id)
    return language_of(request, lead.language if lead is not None else None)
