"""Where a friend lands who was sent by a customer: the code to mention, and nothing is asked."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import NotFound
from nurture.store.models import ReferralRow
from web.looks import language_of, page
from web.state import State, state

LONGEST_CODE = 64
routes = APIRouter(include_in_schema=False)


@routes.get("/r/{code}")
async def recommended(code: str, request: Request, here: Annotated[State, Depends(state)]) -> Response:
    """The friend's page."""
    async with here.store.read() as session:
        known = await session.get(ReferralRow, code) if code.isalnum() and len(code) <= LONGEST_CODE else None
    if known is None:
        raise NotFound("there is nothing at this address")
    return page("recommended", language_of(request), part="recommended", code=code)
