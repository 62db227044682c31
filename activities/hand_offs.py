"""The hand-off of a lead to sales, with everything marketing knows: its dossier."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from activities.dossiers import MOST_LINES, known, minute
from activities.equipment import Equipment
from nurture.assignment import territory
from nurture.definitions import Definition
from nurture.facts import Facts
from nurture.hand_off_clock import Clock, clock_of
from nurture.pace import Pace
from nurture.profile import facts_tree
from nurture.store import Session, hand_offs, outbox
from nurture.store.events import record_own_event
from nurture.store.models import EventRow, HandOffRow, JourneyRow, LeadRow, ScoreChangeRow
from nurture.teams import Team

WHO = ("first_name", "last_name", "email", "phone", "job_title", "country", "city", "language", "source", "stage")


@dataclass(frozen=True)
class Taker:
    """The team that takes a lead over, and the clock it does so by."""

    team: Team
    clock: Clock

    def today(self, now: datetime) -> date:
        """The day it is where the team works."""
        return self.clock.pace.calendar(now).astimezone(ZoneInfo(self.clock.hours.zone)).date()


def taker(equipment: Equipment, key: str, pace: Pace) -> Taker:
    """The team of that key, as it is written now."""
    team = equipment.catalogue.team(key, equipment.settings.teams)
    return Taker(team, clock_of(team, equipment.settings.time_zone, pace))


class Grounds(NamedTuple):
    """Why a lead is handed over: the definition by key, as it is written now, and the facts it was met by."""

    key: str
    definition: Definition | None
    facts: Facts


async def hand_over(
    session: Session,
    journey: JourneyRow,
    occurrence: str,
    lead: LeadRow,
    grounds: Grounds,
    to: Taker,
    now: datetime,
) -> HandOffRow:
    """The hand-off of that step and visit: made once, with the dossier of that moment; found again after a crash.

    It is somebody's from the commit on; its clock, which tells them, is wound by the dispatcher.
    """
    query = select(HandOffRow).where(HandOffRow.journey_id == journey.id, HandOffRow.occurrence == occurrence)
    if found := (await session.exec(query)).one_or_none():
        return found
    row = HandOffRow(
        journey_id=journey.id,
        occurrence=occurrence,
        lead_id=lead.id,
        definition=grounds.key,
        definition_version=grounds.definition.version if grounds.definition else "",
        dossier=await _dossier(session, journey, lead, *grounds),
        created_at=now,
        team=to.team.key,
        clock=to.clock.model_dump(mode="json"),
        due_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    await hand_offs.given(session, row, to.team, wanted(to.team, lead), to.today(now), now)
    about = {"definition": row.definition, "hand_off": row.id}
    await record_own_event(session, lead, "handed_over", about, f"handed_over/{row.id}", now)
    await outbox.put(session, [hand_offs.wound(row, now)])
    return row


def wanted(team: Team, lead: LeadRow) -> str | None:
    """The territory that the lead belongs to."""
    return territory(team, facts_tree(lead.profile, lead.stage, lead.scores))


async def _dossier(
    session: Session, journey: JourneyRow, lead: LeadRow, key: str, definition: Definition | None, facts: Facts
) -> dict[str, Any]:
    """Who, why now, what it did, what it was sent."""
    did = select(EventRow).where(EventRow.lead_id == lead.id, col(EventRow.machine).is_(False))
    gained = select(ScoreChangeRow).where(ScoreChangeRow.lead_id == lead.id)
    events = (await session.exec(did.order_by(col(EventRow.received).desc()).limit(MOST_LINES))).all()
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
        "did": [{"what": one.name, "at": minute(one.at), "detail": _detail(one.properties)} for one in events],
        **await known(session, lead),
    }


def _of(lead: LeadRow, name: str) -> Any:
    return lead.stage if name == "stage" else lead.profile.get(name)


def _detail(properties: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in properties.items() if name not in ("message", "campaign"))
