"""Where a friend lands who was sent by a customer: a form, and what becomes of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import BadInput, NotFound, Refused
from nurture.fields import validated
from nurture.identity import Key
from nurture.intake import Consent, Internal
from nurture.intake.incoming import Recommended, stable_id
from nurture.store.held import by_keys
from nurture.store.models import ReferralRow
from nurture.store.plain import run
from web.bodies import form_of
from web.looks import language_of, page
from web.looks.words import WORDS
from web.state import State, clock, present
from web.tracker import DEVICE

LONGEST_CODE = 64
TRAP = "website"
"""A field that people do not see, and programs fill in."""

Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


@routes.get("/r/{code}")
async def recommended(code: str, request: Request, here: Here) -> Response:
    """The friend's page; it only asks."""
    await _check(here, code)
    return _form(request, code)


@routes.post("/r/{code}")
async def come(code: str, request: Request, here: Here) -> Response:
    """Take the friend in, as a lead brought by who recommended; the answer is the same whoever it is."""
    await _check(here, code)
    form = await form_of(request)
    if form.get(TRAP):
        return _came(request)
    try:
        known = dict(validated({"email": form.get("email", ""), "first_name": form.get("first_name", "")}).says)
    except BadInput:
        return _form(request, code, form, amiss=True)
    if "email" not in known:
        return _form(request, code, form, amiss=True)
    (result,) = await here.intake.accept([await _friend(request, here, code, known, form)], clock())
    if result.error is not None and not isinstance(
        result.error, Refused
    ):  # who was erased is let be, and learns nothing
        raise result.error
    return _came(request)


async def _friend(request: Request, here: State, code: str, known: dict[str, Any], form: dict[str, str]) -> Internal:
    """What came in by the form; of who is known already anybody could fill it in, so that it changes nothing of theirs."""
    address: Key = ("email", str(known["email"]))
    device: Key = ("cookie", request.cookies.get(DEVICE, ""))
    async with here.store.read() as session:
        leads = await run(session, by_keys, {address, device})
    consents: dict[str, bool | Consent] = {}
    if form.get("news") and address not in leads:
        words = WORDS[_spoken(request)]["friend_news"]
        consents = {"news": Consent(granted=True, text=words)}
    return Internal(
        id=stable_id("recommended", code, address[1]),
        name="recommended",
        lead={"id": leads[address]} if address in leads else {**known, "language": _spoken(request)},
        consents=consents,
        recommended=Recommended(code=code, device_of=leads.get(device)),
        source="referral",
    )


async def _check(here: State, code: str) -> None:
    async with here.store.read() as session:
        known = await session.get(ReferralRow, code) if code.isalnum() and len(code) <= LONGEST_CODE else None
    if known is None:
        raise NotFound("there is nothing at this address")


def _form(request: Request, code: str, given: dict[str, str] | None = None, *, amiss: bool = False) -> Response:
    status = 422 if amiss else 200
    language = language_of(request)
    return page(
        "recommended", language, status=status, part="recommended", code=code, given=given or {}, amiss=amiss, trap=TRAP
    )


def _came(request: Request) -> Response:
    return page("said", language_of(request), part="came")


def _spoken(request: Request) -> str:
    language = language_of(request)
    return language if language in WORDS else "en"
