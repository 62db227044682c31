"""Webhooks from other systems, signed by the Standard Webhooks scheme; each source says how its payload reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from standardwebhooks import Webhook, WebhookVerificationError

from nurture.errors import BadInput, NotFound
from nurture.intake import read_incoming
from web.bodies import as_json, raw_body
from web.problems import Unauthorised
from web.state import State, clock, state

LONGEST_ID = 80
routes = APIRouter(tags=["webhooks"])


@routes.post("/hooks/in/{source}", status_code=202)
async def take_webhook(source: str, request: Request, here: Annotated[State, Depends(state)]) -> dict[str, Any]:
    """Take in a webhook; a type that is not mapped is ignored, a `webhook-id` sent again has no second effect."""
    known = here.catalogue.sources.get(source)
    secrets = here.settings.hook_secrets.get(source)
    if known is None or secrets is None:
        raise NotFound(f"there is no source {source[:100]!r} with a secret: declare it and set NURTURE_HOOK_SECRETS")
    body = await raw_body(request)
    _verify(secrets.get_secret_value().split(), body, dict(request.headers))
    payload = as_json(body)
    if not isinstance(payload, dict):
        raise BadInput("the payload is no object", field="body")
    mapped = known.mapped(payload)
    if mapped is None:
        return {"ignored": True}
    webhook_id = request.headers["webhook-id"]
    incoming = read_incoming({**mapped, "id": f"hook/{source}/{webhook_id}"[:128], "source": f"hook {source}"})
    (result,) = await here.intake.accept([incoming], clock())
    if result.error is not None:
        raise result.error
    return {"id": result.id, "lead_id": result.lead_id, "duplicate": result.duplicate, "ignored": False}


def _verify(secrets: list[str], body: bytes, headers: dict[str, str]) -> None:
    """Any of the live secrets will do, so that they can be rotated; five minutes of clock difference are allowed."""
    if len(headers.get("webhook-id", "")) > LONGEST_ID:
        raise BadInput(f"webhook-id is longer than {LONGEST_ID} characters", field="webhook-id")
    for secret in secrets:
        try:
            Webhook(secret).verify(body.decode("utf-8", "surrogateescape"), headers)
        except (WebhookVerificationError, ValueError, UnicodeError):
            continue
        return
    raise Unauthorised("the signature does not fit: check the secret, the clock, and that the body is sent unaltered")
