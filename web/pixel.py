"""The picture that tells of an open, where a house asks for it: the same for everybody, whatever it tells."""

from base64 import b64decode
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import NotFound, Unavailable
from nurture.intake import Internal
from nurture.intake.incoming import stable_id
from nurture.store.consents import objects
from nurture.store.models import MessageRow
from web.looks import HEADERS
from web.machines import machine, on_behalf
from web.state import State, clock, present

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
Here = Annotated[State, Depends(present)]
log = structlog.get_logger()
routes = APIRouter(include_in_schema=False)


@routes.api_route("/i/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, here: Here) -> Response:
    """The picture; a message's first open by a person and its first by a machine are noted."""
    try:
        await _note(here, request, here.links.seen(token))
    except (NotFound, Unavailable) as error:  # the reader comes before the count
        log.info("web.open_lost", error=type(error).__name__)
    return Response(PICTURE, media_type="image/gif", headers=HEADERS)


async def _note(here: State, request: Request, message_id: str) -> None:
    async with here.store.read() as session:
        message = await session.get(MessageRow, message_id)
        if message is None or message.lead_id is None or await objects(session, message.lead_id, clock()):
            return
    by_machine = machine(request) or on_behalf(request)
    opened = Internal(
        id=stable_id("opened", message.id, "machine" if by_machine else "person"),
        name="message_opened",
        lead={"id": message.lead_id},
        properties={"template": message.template, "campaign": message.campaign, "message": message.id},
        source="link",
        machine=by_machine,
    )
    await here.intake.accept([opened], clock())
