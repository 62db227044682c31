"""The hand-off of a lead to sales, with everything marketing knows: its dossier."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.definitions import Definition
from nurture.facts import Facts
from nurture.store import Session
from nurture.store.events import record_own_event
from nurture.store.models import EventRow, HandOffRow, JourneyRow, LeadRow, MessageRow, ScoreChangeRow

MOST_LINES = 20
WHO = ("first_name", "last_name", "email", "phone", "job_title", "country", "city", "language", "source", "stage")


async def hand_over(
    session: Session,
    journey: JourneyRow,
    occurrence: str,
    lead: LeadRow,
    key: str,
    definition: Definition | None,
    facts: Facts,
    now: datetime,
) -> HandOffRow:
    """The hand-off of that step and visit: made once, with the dossier of that moment; found again after a crash."""
    query = select(HandOffRow).where(HandOffRow.journey_id == journey.id, HandOffRow.occurrence == occurrence)
    if found := (await session.exec(query)).one_or_none():
        return found
    row = HandOffRow(
        journey_id=journey.id,
        occurrence=occurrence,
        lead_id=lead.id,
        definition=key,
        dossier=await _dossier(session, journey, lead, key, definition, facts),
        created_at=now,
    )
    session.add(row)
    about = {"definition": key, "hand_off": row.id}
    await record_own_event(session, lead, "handed_over", about, f"handed_over/{row.id}", now)
    return row


async def _dossier(
    session: Session, journey: JourneyRow, lead: LeadRow, key: str, definition: Definition | None, facts: Facts
) -> dict[str, Any]:
    """Who, why now, what it did, what it was sent."""
    did = select(EventRow).where(EventRow.lead_id == lead.id, col(EventRow.machine).is_(False))
    got = select(MessageRow).where(MessageRow.lead_id == lead.id, MessageRow.status == "accepted")
    gained = select(ScoreChangeRow).where(ScoreChangeRow.lead_id == lead.id)
    events = (await session.exec(did.order_by(col(EventRow.received).desc()).limit(MOST_LINES))).all()
    messages = (await session.exec(got.order_by(col(MessageRow.accepted_at).desc()).limit(MOST_LINES))).all()
    points = (await session.exec(gained.order_by(col(ScoreChangeRow.at).desc()).limit(MOST_LINES))).all()
    return {
        "who": {name: _of(lead, name) for name in WHO}
        | {"company_name": (lead.profile.get("company") or {}).get("name")},
        "why": {
            "campaign": journey.campaign,
            "version": journey.version[:12],
            "definition": key,
            "definition_version": definition.version[:12] if definition else "",
            "title": definition.title or key if definition else key,
            "facts": definition.matched(facts) if definition else [],
        },
        "scores": [{"name": name, "points": points} for name, points in sorted(facts.lead["score"].items())],
        "points": [{"score": one.score, "rule": one.rule, "points": one.points} for one in points],
        "did": [{"what": one.name, "at": _minute(one.at), "detail": _detail(one.properties)} for one in events],
        "received": [{"template": one.template, "at": _minute(one.accepted_at)} for one in messages],
    }


def _of(lead: LeadRow, name: str) -> Any:
    return lead.stage if name == "stage" else lead.profile.get(name)


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _detail(properties: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in properties.items() if name not in ("message", "campaign"))
