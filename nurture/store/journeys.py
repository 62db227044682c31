"""Journeys in the store: where they stand, the orders to run them, and a person's stop."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, update
from sqlmodel import col, select

from nurture.bulk import is_bulk
from nurture.errors import NotFound, Refused
from nurture.journey import STOP, STOPPED, Journey
from nurture.orders import LAST, StartOrder
from nurture.pace import Pace
from nurture.store import campaigns, outbox
from nurture.store.database import Session
from nurture.store.models import JourneyRow, LeadRow, OutboxRow

RUNNING = ("starting", "active", "held")


async def get(session: Session, journey_id: str) -> JourneyRow:
    """The journey of that id."""
    row = await session.get(JourneyRow, journey_id)
    if row is None:
        raise NotFound(f"there is no journey {journey_id[:64]!r}")
    return row


async def look_up(session: Session, beginning: str) -> JourneyRow:
    """The journey whose id begins so, as lists show it."""
    query = select(JourneyRow).where(col(JourneyRow.id).startswith(beginning, autoescape=True)).limit(2)
    rows = (await session.exec(query)).all() if beginning else []
    if len(rows) != 1:
        raise NotFound(f"{'several journeys begin' if rows else 'no journey begins'} with {beginning[:64]!r}")
    return rows[0]


async def start_order(session: Session, journey_id: str) -> StartOrder | None:
    """The order to run the journey from where it stands; None when it has ended or is held out."""
    return await _order(session, await get(session, journey_id))


async def start_orders(session: Session, journey_ids: Collection[str]) -> dict[str, StartOrder]:
    """The same for many; what is not to be run is left out."""
    if not journey_ids:
        return {}
    rows = (await session.exec(select(JourneyRow).where(col(JourneyRow.id).in_(journey_ids)))).all()
    return {row.id: order for row in rows if (order := await _order(session, row))}


async def _order(session: Session, row: JourneyRow) -> StartOrder | None:
    if row.status not in RUNNING:
        return None
    version = await campaigns.version(session, row.version)
    return StartOrder(
        journey_id=row.id,
        lead_id=row.lead_id,
        version=version,
        position=Journey.model_validate(row.position),
        pace=Pace(origin=row.entered, factor=row.pace),
        campaign=row.campaign,
        priority=LAST if is_bulk(row.entry_event) else version.campaign.priority,
    )


async def starting(session: Session, causes: Mapping[str, str]) -> dict[str, list[str]]:
    """By lead, the journeys that its cause entered and that have not been handed to the engine."""
    query = select(JourneyRow.lead_id, JourneyRow.entry_event, JourneyRow.id).where(
        col(JourneyRow.lead_id).in_(causes), JourneyRow.status == "starting"
    )
    found: dict[str, list[str]] = {}
    for lead_id, cause, journey_id in (await session.exec(query)).all():
        if cause == causes[lead_id]:
            found.setdefault(lead_id, []).append(journey_id)
    return found


async def handed_over(session: Session, journey_ids: Collection[str]) -> None:
    """Note that the engine runs these journeys now."""
    if journey_ids:
        starting = col(JourneyRow.id).in_(journey_ids), col(JourneyRow.status) == "starting"
        await session.exec(update(JourneyRow).where(*starting).values(status="active"))


class Count(NamedTuple):
    """So many journeys of a campaign stand there."""

    campaign: str
    status: str
    state: str
    journeys: int


async def counts(session: Session, campaign: str | None = None) -> list[Count]:
    """The journeys by status and state, of one campaign or of all."""
    by = JourneyRow.campaign, JourneyRow.status, JourneyRow.state
    query = select(*by, func.count()).group_by(*by).order_by(*by)
    found = await session.exec(query if campaign is None else query.where(JourneyRow.campaign == campaign))
    return [Count(*row) for row in found.all()]


async def newest(
    session: Session, campaign: str | None, state: str | None, status: str | None, limit: int
) -> list[tuple[JourneyRow, str | None]]:
    """The journeys that moved last, each with its lead's address."""
    query = select(JourneyRow, LeadRow.email).join(LeadRow, col(LeadRow.id) == col(JourneyRow.lead_id))
    wanted = {JourneyRow.campaign: campaign, JourneyRow.state: state, JourneyRow.status: status}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(col(column) == value)
    query = query.order_by(col(JourneyRow.updated_at).desc(), col(JourneyRow.id)).limit(limit)
    return list((await session.exec(query)).all())


async def of_lead(session: Session, lead_id: str) -> list[JourneyRow]:
    """The lead's journeys that have not ended, the oldest first."""
    query = select(JourneyRow).where(JourneyRow.lead_id == lead_id, JourneyRow.status != "ended")
    return list((await session.exec(query.order_by(col(JourneyRow.entered), col(JourneyRow.id)))).all())


# --- a person's stop ---


async def stop(session: Session, journey_id: str, because: str, now: datetime) -> None:
    """Take the lead out of the journey; a hold-out ends at once, any other when the engine has heard of it.

    The reason stays in the journey's row: the engine is told no more than that it is stopped.
    """
    row = await get(session, journey_id)
    if row.status == "ended":
        raise Refused(f"journey {journey_id} has ended already: {row.ending}")
    row.stopped_because = because
    session.add(row)
    if row.status == "holdout":
        row.status, row.ending, row.ended_at, row.updated_at = "ended", ending(row, STOPPED), now, now
        return
    body = {"journey": journey_id, "arm": STOP}
    stopping = OutboxRow(lead_id=row.lead_id, kind="signal", body=body, due_at=now, created_at=now)
    await outbox.put(session, [stopping])


def ending(row: JourneyRow, how: str | None) -> str | None:
    """How the journey ended, with a person's reason for a stop."""
    return f"{STOPPED}: {row.stopped_because}" if how == STOPPED and row.stopped_because else how


async def remove_lead(session: Session, lead_id: str, because: str, now: datetime) -> int:
    """Take the lead out of all its journeys; how many there were."""
    present = await of_lead(session, lead_id)
    for row in present:
        await stop(session, row.id, because, now)
    return len(present)
