"""Webhooks from other systems, signed by the Standard Webhooks scheme; each source says how its payload reads."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, SecretStr, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from nurture.deals import News
from nurture.errors import BadInput, BadSettings, NotFound, Refused
from nurture.hooks import Source
from nurture.intake import Incoming, Internal, read_incoming
from nurture.intake.incoming import bad_input, stable_id
from nurture.sales import ANSWERS, Said, a_reason, answer_about, event_of
from web.bodies import as_json
from web.orders import told
from web.problems import Unauthorised
from web.state import State, clock, present

SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
routes = APIRouter(tags=["webhooks"])


def seals(sources: Mapping[str, Source], secrets: Mapping[str, SecretStr]) -> dict[str, tuple[Webhook, ...]]:
    """What each source's webhooks are verified by: any of its live secrets, so that they can be rotated."""
    found: dict[str, tuple[Webhook, ...]] = {}
    for source in sources.keys() & secrets.keys():
        try:
            found[source] = tuple(Webhook(secret) for secret in secrets[source].get_secret_value().split())
        except Exception as error:  # the library raises several kinds
            raise BadSettings(
                f"NURTURE_HOOK_SECRETS__{source.upper()}: no secrets of webhooks: write whsec_… (base64), spaces between"
            ) from error
    return found


class Heard(BaseModel):
    """The event that the webhook became; `ignored` when its type is none that the source maps, or its lead was erased."""

    ignored: bool = False
    id: str | None = None
    lead_id: str | None = None


@routes.post("/hooks/in/{source}", status_code=202)
async def take_webhook(source: str, request: Request, here: Annotated[State, Depends(present)]) -> Heard:
    """Take in a webhook; a type that is not mapped is ignored, a `webhook-id` sent again has no second effect."""
    if source not in here.seals:
        raise NotFound("there is no such source with a secret: declare a Source and set NURTURE_HOOK_SECRETS")
    body = await request.body()
    webhook_id = _verified(here.seals[source], request, body)
    payload = as_json(body)
    if not isinstance(payload, dict):
        raise BadInput("the payload is no object", field="body")
    event = await _event(here, here.catalogue.sources[source], payload, webhook_id)
    if event is None:
        return Heard(ignored=True)
    if event.name in ANSWERS and (heard := await _answered(here, event)):
        return heard
    (result,) = await here.intake.accept([event], clock())
    if isinstance(result.error, Refused):  # about an erased lead: nothing to store, and nothing to send again
        return Heard(ignored=True)
    if result.error is not None:
        raise result.error
    return Heard(id=result.id, lead_id=result.lead_id)


async def _answered(here: State, incoming: Incoming) -> Heard | None:
    """What sales answered to a hand-off, by the lead or by the hand-off's id; None when there is none to answer."""
    named = incoming.properties.get("hand_off")
    said = Said(
        answer=ANSWERS[incoming.name or ""],
        reason=a_reason(str(incoming.properties.get("reason") or "")),
        by=a_reason(str(incoming.properties.get("by") or "")),
        via=incoming.source,
    )
    known = incoming.model_copy(update={"id": None, "name": None, "properties": {}})
    (result,) = await here.intake.accept([known], clock())
    if result.lead_id is None:
        return None
    async with here.store.write() as session:
        lead_id, hand_off_id = result.lead_id, str(named or "")
        try:
            found = await answer_about(session, here.intake.recorder, lead_id, hand_off_id, said, clock())
        except NotFound:  # erased meanwhile
            return Heard(ignored=True)
    if found is None:
        return None
    row, fresh = found
    return Heard(ignored=not fresh, id=event_of(row.id), lead_id=row.lead_id)


async def _event(here: State, source: Source, payload: Mapping[str, Any], webhook_id: str) -> Internal | None:
    """What the webhook tells of; None when its type is not mapped."""
    if (ordered := source.ordered(payload)) is not None:
        return await _order(here, ordered, webhook_id)
    mapped = source.mapped(payload)
    if mapped is None:
        return None
    incoming = read_incoming({**mapped, "lead": _tree(mapped["lead"]), "source": f"hook {source.key}"[:100]})
    # The team declared the mapping, so it may name events of our own: what sales answered comes from the CRM.
    return Internal(**{**dict(incoming), "id": stable_id("hook", source.key, webhook_id)})


async def _order(here: State, ordered: Mapping[str, Any], webhook_id: str) -> Internal:
    """The news of an order; a refund that names itself by nothing is named by its webhook."""
    news, refund = dict(ordered["news"]), ordered["news"].get("refund")
    if refund is not None and refund["id"] is None:
        news["refund"] = {**refund, "id": webhook_id[:100]}
    lead = _tree(ordered["lead"])
    try:
        at = read_incoming({"lead": {"id": "-"}, "at": ordered["at"]}).at
        return await told(here, News.model_validate(news), lead, at)
    except ValidationError as error:
        raise bad_input(error, tuple(News.model_fields)) from None


def _verified(known: tuple[Webhook, ...], request: Request, body: bytes) -> str:
    """The webhook's id, once one of the secrets fits; five minutes of clock difference are allowed."""
    headers = {name: request.headers.getlist(name) for name in SIGNED}
    if all(len(values) == 1 for values in headers.values()):
        signed = {name: values[0] for name, values in headers.items()}
        for webhook in known:
            try:
                webhook.verify(body, signed, json_parse=False)
            except (WebhookVerificationError, ValueError):  # a signature that is no base64, a body that is no text
                continue
            return signed["webhook-id"]
    raise Unauthorised("the signature does not fit: check the secret, the clock, and that the body is sent unaltered")


def _tree(lead: Mapping[str, Any]) -> dict[str, Any]:
    """The lead's fields, those of a group (`company.name`) inside it."""
    tree: dict[str, Any] = {}
    for path, value in lead.items():
        group, _, name = path.partition(".")
        if name:
            tree.setdefault(group, {})[name] = value
        else:
            tree[group] = value
    return tree
