"""What providers of e-mail report of our messages, and mails that they hand on; proven as each provider does it."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from nurture.channels.reports import Posted, Reporter
from nurture.channels.reports.names import REPORTERS
from nurture.errors import BadInput, NotFound
from nurture.settings import Settings
from web.bodies import as_json, fields_of, said_once
from web.problems import JSON, Unauthorised
from web.state import State, clock, state

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
    reporter, given = await _proven(request, here, provider)
    if (asked := reporter.confirms(given)) is not None:
        await here.outside.fetch(asked)
    taken = await here.reports.take(provider, list(reporter.reports(given)), clock())
    return JSON({"taken": sum(taken)})


async def take_mail(request: Request) -> Response:
    """Take in a mail that came to a provider and that it hands on whole: a reply, a bounce, a complaint.

    Answers how much of it had an effect: a mail that was told before, or that is about no message of ours, has none.
    """
    here = state(request)
    reporter, given = await _proven(request, here, request.path_params["provider"])
    mail = reporter.mail(given)
    if mail is None:
        raise BadInput("there is no mail in it: let the provider send the raw content", field="body")
    return JSON({"taken": await here.mailroom.take(mail, clock())})


async def _proven(request: Request, here: State, provider: str) -> tuple[Reporter, Any]:
    """Who reports, and what was posted, once that is proven."""
    reporter = here.reporters.get(provider)
    if reporter is None:
        raise NotFound("there is no such provider with a secret: set NURTURE_HOOK_SECRETS__<PROVIDER>")
    posted = Posted(said_once(request), await request.body())
    given = await fields_of(request) if "form" in posted.headers.get("content-type", "") else as_json(posted.body)
    if (proof := reporter.looks_up(given)) is not None:
        posted = replace(posted, looked_up=await here.outside.kept(proof))
    if not reporter.proven(posted, given):
        raise Unauthorised(
            "this is not proven to come from the provider: check the secret, and that the body is unaltered"
        )
    return reporter, given


routes.add_route("/hooks/email/{provider}", take_reports, methods=["POST"])
routes.add_route("/hooks/email/{provider}/mime", take_mail, methods=["POST"])
