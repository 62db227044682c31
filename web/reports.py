"""What providers of e-mail report of our messages: `POST /hooks/email/{provider}`, proven as each provider does it."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from nurture.channels.reports import Posted, Reporter
from nurture.channels.reports.names import REPORTERS
from nurture.errors import NotFound
from nurture.settings import Settings
from web.bodies import as_json
from web.problems import JSON, Unauthorised
from web.state import clock, state

routes = APIRouter(tags=["webhooks"])


def reporters(settings: Settings) -> dict[str, Reporter]:
    """Those that there is a secret for."""
    secrets = settings.hook_secrets
    return {name: reporter(secrets[name]) for name, reporter in REPORTERS.items() if name in secrets}


async def take_reports(request: Request) -> Response:
    """Take in what a provider reports: delivered, bounced, complained about, opened, unsubscribed; each once.

    Answers how many had an effect: those told before, and those of messages that are not ours, have none.
    """
    here, provider = state(request), request.path_params["provider"]
    reporter = here.reporters.get(provider)
    if reporter is None:
        raise NotFound("there is no such provider with a secret: set NURTURE_HOOK_SECRETS__<PROVIDER>")
    posted = Posted(_said_once(request), await request.body())
    given = as_json(posted.body)
    if (proof := reporter.looks_up(given)) is not None:
        posted = replace(posted, looked_up=await here.outside.kept(proof))
    if not reporter.proven(posted, given):
        raise Unauthorised(
            "this is not proven to come from the provider: check the secret, and that the body is unaltered"
        )
    if (asked := reporter.confirms(given)) is not None:
        await here.outside.fetch(asked)
    taken = await here.reports.take(provider, list(reporter.reports(given)), clock())
    return JSON({"taken": sum(taken)})


def _said_once(request: Request) -> dict[str, str]:
    """The headers that came once, by their names in lower case."""
    found: dict[str, str] = {}
    twice = set()
    for name, value in request.headers.items():
        if name in found:
            twice.add(name)
        found[name] = value
    return {name: value for name, value in found.items() if name not in twice}


routes.add_route("/hooks/email/{provider}", take_reports, methods=["POST"])  # plain, as very many may come at once
