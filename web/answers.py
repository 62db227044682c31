"""The page on which a salesperson answers: a GET only asks, a POST answers, and what was answered is shown to the next.

A link is good for whom its mail went to and as long as the hand-off is theirs; any other finds nothing, and nothing happens.
"""

import hmac
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nurture.errors import BadInput, NotFound, Refused
from nurture.sales import Said, a_reason, answer
from nurture.store import Session, hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import HandOffRow
from nurture.teams import LEAD, Team
from web.bodies import form_of
from web.looks import language_of, page
from web.state import State, clock, present

NOTHING = "there is nothing at this address"
TOLD_BY_MAIL = ("assigned", "reassigned", "reminded", "escalated")
Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


class Asked(NamedTuple):
    """The hand-off, and who is asked."""

    row: HandOffRow
    team: Team
    person: str


@routes.get("/h/{token}")
async def ask_sales(token: str, request: Request, here: Here) -> Response:
    """The page with the question, or with what was answered."""
    async with here.store.read() as session:
        asked = await _asked(session, here, token)
    return _shown(asked, request, here, token)


@routes.post("/h/{token}")
async def answer_sales(token: str, request: Request, here: Here) -> Response:
    """Take the answer; of two the first holds, and the second is shown it."""
    form = await form_of(request)
    async with here.store.read() as session:
        asked = await _asked(session, here, token)
    confirmed = form.get("confirm", "").encode()
    if not hmac.compare_digest(confirmed, here.links.confirmation(token).encode()):
        raise BadInput("not the button of our page: open the link and press it")
    if asked.row.status == "open":
        try:
            said = _said(form, asked)
        except BadInput:
            return _shown(asked, request, here, token, missing=True)
        asked = await _answered(here, token, said)
    return _shown(asked, request, here, token)


async def _answered(here: State, token: str, said: Said) -> Asked:
    async with here.store.write() as session:
        asked = await _asked(session, here, token, held=True)
        try:
            await answer(session, here.intake.recorder, asked.row.id, said, clock())
        except Refused:  # somebody was quicker, and the page says so
            return asked
        return await _asked(session, here, token)


def _said(form: dict[str, str], asked: Asked) -> Said:
    by = asked.person or "lead"
    match form.get("answer"):
        case "accepted":
            return Said("accepted", by=by, via="link")
        case "rejected":
            comment = " ".join(form.get("comment", "").split())
            reason = ": ".join(filter(None, [form.get("reason", ""), comment]))
            return Said("rejected", a_reason(reason, asked.team.reasons), by, "link")
        case _:
            raise BadInput("neither of the two answers")


async def _asked(session: Session, here: State, token: str, *, held: bool = False) -> Asked:
    """What the link asks about; nothing for whom it is not, or not any more."""
    handed = here.links.handed_off(token)
    try:
        if held:
            row, _ = await hand_offs.locked(session, handed.hand_off_id)
        else:
            row = await hand_offs.get(session, handed.hand_off_id)
    except NotFound:
        raise NotFound(NOTHING) from None
    deed = await session.get(HandOffDeedRow, (row.id, handed.deed))
    if deed is None or row.status == "recycled" or not _good(deed, row):
        raise NotFound(NOTHING)
    return Asked(row, here.catalogue.team(row.team, here.settings.teams), deed.person)


def _good(deed: HandOffDeedRow, row: HandOffRow) -> bool:
    if deed.deed not in TOLD_BY_MAIL:
        return False
    return (deed.deed == "escalated" and deed.person == LEAD) or (
        deed.person == row.assigned_to and deed.n >= row.assigned_n
    )


def _shown(asked: Asked, request: Request, here: State, token: str, *, missing: bool = False) -> Response:
    row, team = asked.row, asked.team
    person = team.person(asked.person)
    language = language_of(request, (person.language if person else "") or team.language or here.settings.language)
    who = row.dossier.get("who", {})
    name = " ".join(filter(None, [who.get("first_name"), who.get("last_name")])) or who.get("email") or row.lead_id
    company = who.get("company_name") or ""
    if row.status == "open":
        confirm = here.links.confirmation(token)
        return page(
            "hand_off",
            language,
            part="hand_off",
            lead=name,
            company=company,
            reasons=team.reasons,
            confirm=confirm,
            missing=missing,
        )
    by = asked.team.named(LEAD if row.answered_by == "lead" else row.answered_by) if row.answered_by else ""
    at = f"{row.answered_at:%Y-%m-%d %H:%M} UTC"
    return page(
        "hand_off_answered", language, part=row.status, lead=name, company=company, by=by, at=at, reason=row.reason
    )
