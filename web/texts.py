"""What comes back by channels of text: `POST /hooks/texts/{provider}`, proven as each provider does it."""

from typing import Annotated, Any, assert_never

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.addresses import KINDS, consent_to, hash_of
from nurture.channels.heard import Act, Hearer, Said
from nurture.channels.heard.names import HEARERS
from nurture.channels.reports import Posted
from nurture.errors import NotFound, Refused
from nurture.intake import Consent, Internal
from nurture.intake.incoming import stable_id
from nurture.settings import Settings
from nurture.store.addresses import owner_of
from nurture.store.messages import latest
from nurture.store.suppressions import lift, suppress
from web.bodies import said_once
from web.looks.words import WORDS
from web.problems import Unauthorised
from web.state import State, clock, present

CLOSED, STOPPED = "its owner shut us out", "its owner said stop"
routes = APIRouter(tags=["webhooks"])


def hearers(settings: Settings) -> dict[str, Hearer]:
    """Those that there is a secret for."""
    secrets = settings.hook_secrets
    return {name: hearer(secrets[name]) for name, hearer in HEARERS.items() if name in secrets}


@routes.post("/hooks/texts/{provider}")
async def take_texts(provider: str, request: Request, here: Annotated[State, Depends(present)]) -> Response:
    """Take in what a provider tells of our messages, and what people write to us; each once."""
    hearer = here.hearers.get(provider)
    if hearer is None:
        raise NotFound("there is no such provider with a secret: set NURTURE_HOOK_SECRETS__<PROVIDER>")
    posted = Posted(said_once(request), await request.body(), _called(here, request))
    given = hearer.read(posted)
    if not hearer.proven(posted, given):
        raise Unauthorised(
            "this is not proven to come from the provider: check the secret, and that NURTURE_BASE_URL is what it calls"
        )
    await here.reports.take(provider, list(hearer.reports(given)), clock())
    said = hearer.said(given)
    answered = hearer.answer(given, "" if said is None else await _heard(here, provider, said))
    return Response(answered.content, media_type=answered.kind)


def _called(here: State, request: Request) -> str:
    """The address as the provider knows it, which a proxy may have changed."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{here.settings.base_url.rstrip('/')}{request.url.path}{query}"


async def _heard(here: State, provider: str, said: Said) -> str:
    """Take in what somebody wrote; what is to be answered, if anything is."""
    words = WORDS["ru" if said.about.get("language", "").startswith("ru") else "en"]
    async with here.store.read() as session:
        owner = await owner_of(session, KINDS[said.channel], said.address)
    name = stable_id("text", provider, said.id)
    match said.act:
        case Act.CLOSES:
            await _shut(here, said, "all", CLOSED)
            return ""
        case Act.STOPS:
            await _shut(here, said, "marketing", STOPPED)
            if owner is not None:  # nobody comes in by asking to be left alone
                await _accepted(here, Internal(id=name, lead=_key(said), consents={consent_to(said.channel): False},
                                               source=said.channel))  # fmt: skip
            return words["chat_stopped"]
        case Act.STARTS:
            return words[await _started(here, said, owner, name)]
        case Act.SAYS:
            about = {"channel": said.channel, "text": said.text, **await _answered(here, said, owner)}
            lead = _key(said) if owner else {**said.about, **_key(said)}
            await _accepted(here, Internal(id=name, name="message_replied", lead=lead, properties=about,
                                           source=said.channel))  # fmt: skip
            return ""
        case _:
            assert_never(said.act)


async def _started(here: State, said: Said, owner: str | None, name: str) -> str:
    """Somebody opened the channel, with a link of ours or without: it may carry something again, and is the lead's own."""
    lead: dict[str, Any] = _key(said) if owner else {**said.about, **_key(said)}
    if said.token:
        try:
            lead = {"id": here.links.chatting(said.token, clock()), **_key(said)}
        except NotFound:
            return "chat_too_late"
    wanted = Consent(granted=True, text=said.text or "/start")
    linked = Internal(
        id=name,
        name="channel_linked",
        lead=lead,
        properties={"channel": said.channel},
        consents={consent_to(said.channel): wanted},
        source=said.channel,
    )
    if not await _accepted(here, linked):
        return "chat_too_late"
    async with here.store.write() as session:
        for scope in ("all", "marketing"):
            await lift(session, hash_of(said.channel, said.address), scope)
    return "chat_linked"


async def _accepted(here: State, item: Internal) -> bool:
    """Whether it was taken in; about an erased lead there is nothing to store, and nothing to send again."""
    (result,) = await here.intake.accept([item], clock())
    if result.error is not None and not isinstance(result.error, Refused | NotFound):
        raise result.error
    return result.error is None


async def _shut(here: State, said: Said, scope: Any, reason: str) -> None:
    async with here.store.write() as session:
        await suppress(session, hash_of(said.channel, said.address), scope, reason, clock())


async def _answered(here: State, said: Said, owner: str | None) -> dict[str, str]:
    """The message that it is most likely an answer to."""
    if owner is None:
        return {}
    async with here.store.read() as session:
        row = await latest(session, owner, said.channel)
    return {} if row is None else {"template": row.template, "campaign": row.campaign, "message": row.id}


def _key(said: Said) -> dict[str, Any]:
    return {"phone": said.address} if said.channel == "sms" else {"messengers": {said.channel: said.address}}
