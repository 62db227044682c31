"""Hold-outs in the store: who took part and who was held out, of a campaign or of the programme, and who reached the goal."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from nurture.experiments.comparison import Comparison, Group
from nurture.experiments.hold_outs import HELD_OUT, out_of_programme
from nurture.facts import Happening
from nurture.store import campaigns
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import EventRow, JourneyRow, LeadRow
from nurture.store.plain import execute
from nurture.triggers import On

JOURNEYS, LEADS, EVENTS = table(JourneyRow), table(LeadRow), table(EventRow)


class Goal(NamedTuple):
    """What is compared: an event of a lead, at most so long after it came."""

    event: On
    within: timedelta


class _Came(NamedTuple):
    """A lead that came, when its time is over, and whether it was held out."""

    at: datetime
    until: datetime
    held_out: bool


async def of_campaign(
    session: Session, campaign: str, goal: Goal, since: datetime, now: datetime, programme: float = 0
) -> Comparison:
    """Who entered since then against who was held out of this campaign, each from its first entry on.

    Leads that are held out of the programme, and test leads, are on neither side.
    """
    query = (
        select(JOURNEYS.c.lead_id, JOURNEYS.c.entered, JOURNEYS.c.status, JOURNEYS.c.ending, JOURNEYS.c.version,
               JOURNEYS.c.pace)
        .join(LEADS, LEADS.c.id == JOURNEYS.c.lead_id)
        .where(JOURNEYS.c.campaign == campaign, LEADS.c.test.is_(False))
        .order_by(JOURNEYS.c.entered, JOURNEYS.c.id)
    )  # fmt: skip
    came: dict[str, _Came] = {}
    expected = 0.0
    for lead_id, entered, status, ending, version, pace in (await execute(session, query)).all():
        if lead_id in came or ending == HELD_OUT or out_of_programme(programme, lead_id):
            continue
        came[lead_id] = _Came(entered, entered + goal.within / pace, status == "holdout")
        if entered >= since:
            expected += (await campaigns.version(session, version)).campaign.holdout / 100
    recent = {lead_id: one for lead_id, one in came.items() if one.at >= since}
    in_campaign = select(JOURNEYS.c.lead_id).where(JOURNEYS.c.campaign == campaign)
    return await _compared(session, recent, expected, goal, EVENTS.c.lead_id.in_(in_campaign), since, now)


async def of_programme(session: Session, percent: float, goal: Goal, since: datetime, now: datetime) -> Comparison:
    """The leads that came since then and have an address: those that get marketing against those that get none."""
    new = (LEADS.c.created_at >= since, LEADS.c.test.is_(False), LEADS.c.email.is_not(None))
    rows = (await execute(session, select(LEADS.c.id, LEADS.c.created_at).where(*new))).all()
    came = {lead_id: _Came(at, at + goal.within, out_of_programme(percent, lead_id)) for lead_id, at in rows}
    theirs = EVENTS.c.lead_id.in_(select(LEADS.c.id).where(*new))
    return await _compared(session, came, len(came) * percent / 100, goal, theirs, since, now)


async def _compared(
    session: Session, came: dict[str, _Came], expected: float, goal: Goal, which: Any, since: datetime, now: datetime
) -> Comparison:
    name, meant = goal.event.event.event, goal.event.event.matches()
    query = select(EVENTS.c.lead_id, EVENTS.c.at, EVENTS.c.properties).where(
        EVENTS.c.name == name, EVENTS.c.machine.is_(False), EVENTS.c.at > since, EVENTS.c.at <= now, which
    )
    reached: set[str] = set()
    for lead_id, at, properties in (await execute(session, query)).all():
        one = came.get(lead_id)
        if one is not None and one.at < at <= one.until <= now and meant(Happening(name, at, properties)):
            reached.add(lead_id)
    return Comparison(_group(came, reached, False, now), _group(came, reached, True, now), expected)


def _group(came: dict[str, _Came], reached: Iterable[str], held_out: bool, now: datetime) -> Group:
    theirs = {lead_id: one for lead_id, one in came.items() if one.held_out is held_out}
    over = {lead_id for lead_id, one in theirs.items() if one.until <= now}
    return Group(len(theirs), len(over), len(over.intersection(reached)))
