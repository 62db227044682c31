"""What became of each version of a campaign: its numbers before a change and after it."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select

from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import EventRow, JourneyRow, LeadRow, MessageRow, VersionRow
from nurture.store.plain import execute

JOURNEYS, LEADS, MESSAGES = table(JourneyRow), table(LeadRow), table(MessageRow)
EVENTS, VERSIONS = table(EventRow), table(VersionRow)
REACTIONS = ("message_clicked", "unsubscribed", "message_complained")


class Numbers(NamedTuple):
    """A version since it was published: its journeys, those that reached the goal or ended, its messages, and how many of
    these a person clicked, unsubscribed by or complained of.
    """

    number: int
    hash: str
    published_at: datetime
    published_by: str
    entered: int = 0
    goal: int = 0
    ended: int = 0
    messages: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    complained: int = 0


async def numbers(session: Session, campaign: str) -> list[Numbers]:
    """The versions of the campaign in their order; test leads and hold-outs are left out."""
    journeys, messages = await _journeys(session, campaign), await _messages(session, campaign)
    reactions = await _reactions(session, campaign)
    query = select(VERSIONS).where(VERSIONS.c.campaign == campaign).order_by(VERSIONS.c.number)
    return [
        Numbers(
            row.number,
            row.hash,
            row.published_at,
            row.published_by,
            *journeys.get(row.hash, (0, 0, 0)),
            messages[row.hash],
            clicked=reactions["message_clicked"][row.hash],
            unsubscribed=reactions["unsubscribed"][row.hash],
            complained=reactions["message_complained"][row.hash],
        )
        for row in (await execute(session, query)).all()
    ]


async def _journeys(session: Session, campaign: str) -> dict[str, tuple[int, int, int]]:
    goal, ended = JOURNEYS.c.goal_at.is_not(None), JOURNEYS.c.status == "ended"
    query = (
        select(JOURNEYS.c.version, func.count(), *(func.count(case((one, 1))) for one in (goal, ended)))
        .join(LEADS, LEADS.c.id == JOURNEYS.c.lead_id)
        .where(JOURNEYS.c.campaign == campaign, JOURNEYS.c.status != "holdout", LEADS.c.test.is_(False))
        .group_by(JOURNEYS.c.version)
    )
    return {
        version: (all_of, goal_at, over) for version, all_of, goal_at, over in (await execute(session, query)).all()
    }


async def _messages(session: Session, campaign: str) -> Counter[str]:
    query = (
        select(JOURNEYS.c.version, func.count())
        .join(MESSAGES, MESSAGES.c.journey_id == JOURNEYS.c.id)
        .join(LEADS, LEADS.c.id == MESSAGES.c.lead_id)
        .where(JOURNEYS.c.campaign == campaign, MESSAGES.c.accepted_at.is_not(None), LEADS.c.test.is_(False))
        .group_by(JOURNEYS.c.version)
    )
    return Counter(dict((await execute(session, query)).all()))


async def _reactions(session: Session, campaign: str) -> defaultdict[str, Counter[str]]:
    """How many messages of each version met with each kind of reaction, by people."""
    message = EVENTS.c.properties["message"].as_string()
    query = (
        select(EVENTS.c.name, JOURNEYS.c.version, func.count(func.distinct(MESSAGES.c.id)))
        .join(MESSAGES, MESSAGES.c.id == message)
        .join(JOURNEYS, JOURNEYS.c.id == MESSAGES.c.journey_id)
        .join(LEADS, LEADS.c.id == MESSAGES.c.lead_id)
        .where(EVENTS.c.name.in_(REACTIONS), EVENTS.c.machine.is_(False))
        .where(JOURNEYS.c.campaign == campaign, LEADS.c.test.is_(False))
        .group_by(EVENTS.c.name, JOURNEYS.c.version)
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, version, number in (await execute(session, query)).all():
        found[name][version] = number
    return found
