"""The link by which a lead confirms a consent it gave on a form: a GET only asks, a POST acts."""

import hmac
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import BadInput, NotFound
from nurture.intake import Consent, Internal
from nurture.intake.capturing import Captured
from nurture.intake.incoming import stable_id
from nurture.store.capture_tables import ConsentProofRow
from web.bodies import form_of
from web.looks import page
from web.state import State, clock, present

Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


@routes.get("/o/{token}")
async def ask_to_confirm(token: str, here: Here) -> Response:
    """The page on which a consent is confirmed, with its words."""
    proof, until = await _proof(here, token)
    if (closed := _closed(proof, until, clock())) is not None:
        return closed
    asked, sealed = "confirm_consent", here.links.confirmation(token)
    return page("confirm", proof.language, part=asked, consent=proof.text, confirm=sealed)


@routes.post("/o/{token}")
async def confirm(token: str, request: Request, here: Here) -> Response:
    """Take the confirmation: from now on the lead is subscribed."""
    proof, until = await _proof(here, token)
    form, now = await form_of(request), clock()
    if not hmac.compare_digest(form.get("confirm", "").encode(), here.links.confirmation(token).encode()):
        raise BadInput("not the button of our page: open the link and press it")
    if (closed := _closed(proof, until, now)) is not None:
        return closed
    confirmed = Internal(
        id=stable_id("confirmed", proof.id),
        name="confirmed",
        lead={"id": proof.lead_id},
        properties={"form": proof.form, "topic": proof.topic},
        source=f"form {proof.form}"[:100],
        consents={proof.topic: Consent(granted=True, text=proof.text)},
        captured=Captured(confirms=proof.id),
    )
    (result,) = await here.intake.accept([confirmed], now)
    if result.error is not None:
        raise result.error
    return page("said", proof.language, part="confirmed")


async def _proof(here: State, token: str) -> tuple[ConsentProofRow, datetime]:
    proof_id, until = here.links.confirming(token)
    async with here.store.read() as session:
        proof = await session.get(ConsentProofRow, proof_id)
    if proof is None:  # its lead was erased
        raise NotFound("there is nothing at this address")
    return proof, until


def _closed(proof: ConsentProofRow, until: datetime, now: datetime) -> Response | None:
    """The page when there is nothing left to confirm."""
    if proof.confirmed_at is not None:
        return page("said", proof.language, part="confirmed")
    return page("said", proof.language, status=410, part="expired") if now >= until else None
