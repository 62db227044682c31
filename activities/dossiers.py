"""What marketing knows of a lead, put together for a salesperson: pages studied, questions asked, messages, BANT, company."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.fields import BANT
from nurture.message_variables import COMPANY
from nurture.store import Session
from nurture.store.models import EventRow, LeadRow, MessageRow

MOST_LINES = 20
MOST_VISITS = 2000
VISIT, CLICKED = "visit", "message_clicked"
QUESTIONS = ("question_asked", "request_sent", "message_replied")
IN_WORDS = ("question", "text", "message_text", "comment", "topic")
"""Where the words of a question may stand in its event."""


async def known(session: Session, lead: LeadRow) -> dict[str, Any]:
    """All sections but why it is handed over now, and how its points came about."""
    return {
        "company": {name: value for name in COMPANY if (value := _group(lead, "company").get(name)) is not None},
        "bant": {name: _group(lead, "bant").get(name) for name in BANT},
        "pages": studied(await _events(session, lead.id, (VISIT,), MOST_VISITS)),
        "asked": [_question(one) for one in await _events(session, lead.id, QUESTIONS, MOST_LINES)],
        "received": await _received(session, lead.id),
    }


def _group(lead: LeadRow, name: str) -> Mapping[str, Any]:
    return lead.profile.get(name) or {}


async def _events(session: Session, lead_id: str, names: Sequence[str], limit: int) -> Sequence[EventRow]:
    """What the lead itself did, the newest first."""
    did = select(EventRow).where(
        EventRow.lead_id == lead_id, col(EventRow.name).in_(names), col(EventRow.machine).is_(False)
    )
    return (await session.exec(did.order_by(col(EventRow.received).desc()).limit(limit))).all()


def studied(visits: Sequence[EventRow]) -> list[dict[str, Any]]:
    """The pages visited most, each with how often, how long where that is known, and when last."""
    times: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    last: dict[str, datetime] = {}
    for one in visits:
        page = one.properties.get("page") or one.properties.get("url")
        if not isinstance(page, str):
            continue
        times[page] += 1
        spent = one.properties.get("seconds")
        seconds[page] += spent if isinstance(spent, int | float) and not isinstance(spent, bool) else 0
        last[page] = max(one.at, last.get(page, one.at))
    most = sorted(times, key=lambda page: (-seconds[page], -times[page], page))[:MOST_LINES]
    return [
        {"page": page, "times": times[page], "seconds": round(seconds[page]), "last": minute(last[page])}
        for page in most
    ]


def _question(event: EventRow) -> dict[str, Any]:
    words = next((str(event.properties[name]) for name in IN_WORDS if event.properties.get(name)), "")
    return {"what": event.name, "at": minute(event.at), "words": words}


async def _received(session: Session, lead_id: str) -> list[dict[str, Any]]:
    got = select(MessageRow).where(MessageRow.lead_id == lead_id, MessageRow.status == "accepted")
    messages = (await session.exec(got.order_by(col(MessageRow.accepted_at).desc()).limit(MOST_LINES))).all()
    clicks = Counter(str(one.properties.get("message")) for one in await _events(session, lead_id, (CLICKED,), 200))
    return [{"template": one.template, "at": minute(one.accepted_at), "clicked": clicks[one.id]} for one in messages]


def minute(at: datetime | None) -> str:
    """A moment as a person reads it."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
