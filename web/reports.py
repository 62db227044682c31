"""What providers of e-mail report of our messages: `POST /hooks/email/{provider}`, proven as each provider does it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from nurture.channels.reports import Posted, Reporter
from nurture.channels.reports.names import REPORTERS
from nurture.errors import NotFound
from nurture.settings import Settings
from web.bodies import as_json
from web.problems import Unauthorised
from web.state import State, clock, state

routes = APIRouter(tags=["webhooks"])


def reporters(settings: Settings) -> dict[str, Reporter]:
    """Those that there is a secret for."""
    secrets = settings.hook_secrets
    return {name: reporter(secrets[name]) for name, reporter in REPORTERS.items() if name in secrets}


class Reported(BaseModel):
    """How many reports had an effect; those told before, and of messages that are not ours, have none."""

    taken: int


@routes.post("/hooks/email/{provider}")
async def take_reports(provider: str, request: Request, here: Annotated[State, Depends(state)]) -> Reported:
    """Take in what a provider reports: delivered, bounced, complained about, opened, unsubscribed; each once."""
    reporter = here.reporters.get(provider)
    if reporter is None:
        raise NotFound("there is no such provider with a secret: set NURTURE_HOOK_SECRETS__<PROVIDER>")
    names = set(request.headers.keys())
    once = {name: values[0] for name in names if len(values := request.headers.getlist(name)) == 1}
    posted = Posted(once, await request.body())
    given = as_json(posted.body)
    if not reporter.proven(posted, given):
        raise Unauthorised(
            "this is not proven to come from the provider: check the secret, and that the body is unaltered"
        )
    return Reported(taken=sum(await here.reports.take(provider, list(reporter.reports(given)), clock())))
