"""What came of a campaign, state by state: who came, what they heard and were sent, who went to sales, how it ended."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, distinct, func, select

from nurture.campaign import Campaign, State
from nurture.steps import Escalate, Message
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import EventRow, HandOffRow, JourneyRow, LeadRow, MessageRow, MoveRow
from nurture.store.plain import execute

JOURNEYS, MOVES, MESSAGES = table(JourneyRow), table(MoveRow), table(MessageRow)
HAND_OFFS, EVENTS, LEADS = table(HandOffRow), table(EventRow), table(LeadRow)
ANSWERED = ("accepted", "rejected", "recycled")


class Count(NamedTuple):
    """So many journeys of which this is true; `state` is where, empty for the campaign as a whole."""

    state: str
    what: str
    journeys: int


class Happened(NamedTuple):
    """Numbers of journeys by state: those that came, those that are there, those that heard each event, those that were sent
    each template, those that were handed over, and what sales said to these.
    """

    came: dict[tuple[Any, ...], int]
    there: dict[tuple[Any, ...], int]
    heard: dict[tuple[Any, ...], int]
    sent: dict[tuple[Any, ...], int]
    handed: dict[tuple[Any, ...], int]
    answered: dict[tuple[Any, ...], int]


async def counts(session: Session, campaign: Campaign, since: datetime | None = None) -> list[Count]:
    """The counts in the order of the road, of journeys entered since then; those of test leads are left out.

    A journey counts once for each, however often it came by.
    """
    theirs = (JOURNEYS.c.campaign == campaign.key) & (JOURNEYS.c.lead_id == LEADS.c.id) & LEADS.c.test.is_(False)
    if since is not None:
        theirs &= JOURNEYS.c.entered >= since
    happened = await _happened(session, theirs, [state.name for state in campaign.states])
    statuses = await _by(session, theirs, JOURNEYS.c.status)
    found = [Count("", "entered", sum(statuses.values()))]
    if held_out := statuses.get(("holdout",)):
        found.append(Count("", "held out", held_out))
    for state in campaign.states:
        found += _of_state(state, happened)
    goals = await _by(session, theirs & JOURNEYS.c.goal_at.is_not(None), JOURNEYS.c.campaign)
    endings = await _by(session, theirs & JOURNEYS.c.ended_at.is_not(None), JOURNEYS.c.ending)
    found.append(Count("", "reached the goal", sum(goals.values())))
    return found + [Count("", f"ended: {how}", number) for (how,), number in endings.items()]


def share(one: Count, found: Sequence[Count]) -> float | None:
    """The count's share of all that entered."""
    return one.journeys / found[0].journeys if found[0].journeys else None


async def _happened(session: Session, theirs: ColumnElement[bool], states: Sequence[str]) -> Happened:
    moved = theirs & (MOVES.c.journey_id == JOURNEYS.c.id)
    heard = moved & (EVENTS.c.id == MOVES.c.reply["event"].as_string())
    accepted = theirs & (MESSAGES.c.journey_id == JOURNEYS.c.id) & (MESSAGES.c.status == "accepted")
    handed, handed_in = theirs & (HAND_OFFS.c.journey_id == JOURNEYS.c.id), _state_of(HAND_OFFS.c.occurrence, states)
    return Happened(
        came=await _by(session, moved, MOVES.c.state),
        there=await _by(session, theirs & JOURNEYS.c.ended_at.is_(None), JOURNEYS.c.state),
        heard=await _by(session, heard, MOVES.c.state, EVENTS.c.name),
        sent=await _by(session, accepted, _state_of(MESSAGES.c.occurrence, states), MESSAGES.c.template),
        handed=await _by(session, handed, handed_in),
        answered=await _by(session, handed, handed_in, HAND_OFFS.c.status),
    )


def _state_of(occurrence: ColumnElement[str], states: Sequence[str]) -> ColumnElement[Any]:
    """The state that an occurrence begins with."""
    return case(*((occurrence.startswith(f"{name}/", autoescape=True), name) for name in states))


async def _by(session: Session, which: ColumnElement[bool], *by: ColumnElement[Any]) -> dict[tuple[Any, ...], int]:
    """So many journeys by these columns."""
    named = [
        one.label(f"by_{at}") for at, one in enumerate(by)
    ]  # a value of its own in each place has no place in GROUP BY
    counted = select(*named, func.count(distinct(JOURNEYS.c.id))).where(which).group_by(*named).order_by(*named)
    return {tuple(values): number for *values, number in (await execute(session, counted)).all()}


def _of_state(state: State, happened: Happened) -> Iterator[Count]:
    name, there = state.name, happened.there.get((state.name,), 0)
    yield Count(name, "came", max(happened.came.get((name,), 0), there))
    for template in dict.fromkeys(step.template for step in state.steps if isinstance(step, Message)):
        yield Count(name, f"were sent {template}", happened.sent.get((name, template), 0))
    for (where, event), number in happened.heard.items():
        if where == name:
            yield Count(name, event, number)
    if any(isinstance(step, Escalate) for step in state.steps):
        yield Count(name, "were handed to sales", happened.handed.get((name,), 0))
        answered = {status: happened.answered.get((name, status), 0) for status in ANSWERED}
        yield from (Count(name, f"{status} by sales", number) for status, number in answered.items() if number)
    if there:
        yield Count(name, "are there now", there)
