"""Journeys in the store: how leads come into them, what they listen for, and where they stand."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, update
from sqlmodel import col, select

from nurture.enrolment import Earlier, Enrolled, Refusal, held_out, may_enter
from nurture.errors import NotFound, Refused
from nurture.facts import Happening
from nurture.journey import STOP, Journey, begin, breaks_in, listened_arms
from nurture.orders import StartOrder
from nurture.pace import Pace
from nurture.store import campaigns, outbox
from nurture.store.database import Session
from nurture.store.models import JourneyRow, LeadRow, ListenerRow, OutboxRow, RefusalRow
from nurture.store.upsert import insert
from nurture.triggers import On, When
from nurture.version import Version

RUNNING = ("starting", "active", "held")


# --- entering ---


async def enrol(
    session: Session,
    version: Version,
    lead_id: str,
    *,
    key: str = "",
    by: str,
    event: Happening | None = None,
    now: datetime,
    pace_factor: float = 1.0,
    manual: bool = False,
) -> Enrolled | Refusal:
    """Give the lead a journey in the version, to be started once this is committed; a refusal is recorded.

    The same event (by its id) enters a lead once: asked again, the answer is the same journey.
    """
    lead = await session.get(LeadRow, lead_id)
    if lead is None:
        raise NotFound(f"lead {lead_id} is not in the store")
    rows = await _of_lead(session, version.campaign.key, lead_id)
    if event is not None and (before := next((row for row in rows if row.entry_event == event.id), None)):
        return Enrolled(before.id, started=before.status != "holdout")
    earlier = [Earlier(row.key, row.status, row.entered, row.ending) for row in rows]
    answer: Enrolled | Refusal | None = may_enter(version.campaign, earlier, key, manual, now, pace_factor)
    if answer is None:
        run = 1 + max((row.run for row in rows if row.key == key), default=0)
        entered = event.received if event is not None and event.received is not None else now
        # A test lead is there to see the campaign, and would only blur what the hold-out measures.
        status = "holdout" if held_out(version.campaign, lead_id) and not lead.test else "starting"
        position = begin(version, entered)
        row = JourneyRow(
            lead_id=lead_id,
            campaign=version.campaign.key,
            version=version.hash,
            key=key,
            run=run,
            status=status,
            state=position.state,
            position=position.model_dump(mode="json"),
            pace=pace_factor,
            entered=entered,
            entered_by=by,
            entry_event=event.id if event else None,
            updated_at=now,
        )
        answer = await _add(session, version, row)
    if isinstance(answer, Refusal):
        await refuse(session, lead_id, version.campaign.key, answer, event.id if event else "", now)
    return answer


async def _of_lead(session: Session, campaign: str, lead_id: str) -> list[JourneyRow]:
    query = select(JourneyRow).where(JourneyRow.lead_id == lead_id, JourneyRow.campaign == campaign)
    return list((await session.exec(query)).all())


async def _add(session: Session, version: Version, row: JourneyRow) -> Enrolled | Refusal:
    # Of two that enter the same lead at once, the second waits here for the first to commit, and then finds its row.
    adding = insert(session, JourneyRow).values(row.model_dump()).on_conflict_do_nothing()
    if (await session.exec(adding.returning(col(JourneyRow.id)))).first() is None:
        return Refusal("already in it")
    if row.status == "holdout":
        return Enrolled(row.id, started=False)
    arms = listened_arms(version, Journey.model_validate(row.position))
    await listen(session, row.id, row.lead_id, arms, row.entered, replace_waits=False)
    return Enrolled(row.id, started=True)


async def refuse(session: Session, lead_id: str, campaign: str, why: Refusal, event: str, now: datetime) -> None:
    """Record that the lead was kept out of the campaign, for its story."""
    row = {"lead_id": lead_id, "campaign": campaign, "event": event, "reason": why.reason, "at": now}
    adding = insert(session, RefusalRow).values(row)
    newest = {"reason": why.reason, "at": now}
    await session.exec(adding.on_conflict_do_update(index_elements=["lead_id", "campaign", "event"], set_=newest))


# --- listening ---


class Listener(NamedTuple):
    """A journey that listens, the arm that it does so for, and what is needed to tell whether it is meant."""

    journey_id: str
    arm: str
    since: datetime
    version: str
    pace: float
    heard: tuple[str, ...]


async def listen(
    session: Session,
    journey_id: str,
    lead_id: str,
    arms: Mapping[str, On | When],
    since: datetime,
    replace_waits: bool = True,
) -> None:
    """Listen for the arms from `since` on; with `replace_waits` for those of no other wait any more."""
    if replace_waits:
        listening = select(ListenerRow.arm).where(ListenerRow.journey_id == journey_id).distinct()
        over = {arm for arm in (await session.exec(listening)).all() if not breaks_in(arm)} - arms.keys()
        if over:
            await unlisten(session, journey_id, over)
    rows = [
        {
            "journey_id": journey_id,
            "arm": arm,
            "key": key,
            "lead_id": lead_id,
            "since": since,
            "timed": isinstance(trigger, When) and trigger.condition.timed,
        }
        for arm, trigger in arms.items()
        for key in sorted(trigger.depends_on())
    ]
    if rows:
        await session.exec(insert(session, ListenerRow).values(rows).on_conflict_do_nothing())


async def unlisten(session: Session, journey_id: str, arms: Collection[str] | None = None) -> None:
    """Listen for those arms no more; for none at all unless they are named."""
    query = delete(ListenerRow).where(col(ListenerRow.journey_id) == journey_id)
    await session.exec(query if arms is None else query.where(col(ListenerRow.arm).in_(arms)))


async def listened_keys(session: Session, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    """Every lead and key that some journey of theirs listens for."""
    query = select(ListenerRow.lead_id, ListenerRow.key).where(col(ListenerRow.lead_id).in_(lead_ids)).distinct()
    return {(lead_id, key) for lead_id, key in (await session.exec(query)).all()}


async def listeners_for(session: Session, lead_id: str, keys: Collection[str]) -> list[Listener]:
    """The lead's journeys that listen for a change of one of the keys, each arm once."""
    query = (
        select(ListenerRow.journey_id, ListenerRow.arm, ListenerRow.since, JourneyRow)
        .join(JourneyRow, col(JourneyRow.id) == col(ListenerRow.journey_id))
        .where(ListenerRow.lead_id == lead_id, col(ListenerRow.key).in_(keys))
        .order_by(col(JourneyRow.entered), col(JourneyRow.id))
    )
    found = {
        (journey_id, arm): Listener(journey_id, arm, since, row.version, row.pace, tuple(row.position["heard"]))
        for journey_id, arm, since, row in (await session.exec(query)).all()
    }
    return list(found.values())


# --- where they stand ---


async def get(session: Session, journey_id: str) -> JourneyRow:
    """The journey of that id."""
    row = await session.get(JourneyRow, journey_id)
    if row is None:
        raise NotFound(f"there is no journey {journey_id[:64]!r}")
    return row


async def start_order(session: Session, journey_id: str) -> StartOrder | None:
    """The order to run the journey from where it stands; None when it has ended or is held out."""
    row = await get(session, journey_id)
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
        priority=version.campaign.priority,
    )


async def starting(session: Session, lead_id: str, cause: str) -> list[str]:
    """The lead's journeys that were entered by that event and have not been handed to the engine."""
    query = select(JourneyRow.id).where(
        JourneyRow.lead_id == lead_id, JourneyRow.entry_event == cause, JourneyRow.status == "starting"
    )
    return list((await session.exec(query)).all())


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


# --- a person's stop ---


async def stop(session: Session, journey_id: str, note: str, now: datetime) -> None:
    """Take the lead out of the journey; a hold-out ends at once, any other when the engine has heard of it."""
    row = await get(session, journey_id)
    if row.status == "ended":
        raise Refused(f"journey {journey_id} has ended already: {row.ending}")
    if row.status == "holdout":
        row.status, row.ending, row.ended_at, row.updated_at = "ended", f"stopped: {note}", now, now
        session.add(row)
        return
    body = {"journey": journey_id, "arm": STOP, "note": note}
    stopping = OutboxRow(lead_id=row.lead_id, kind="signal", body=body, due_at=now, created_at=now)
    await outbox.put(session, [stopping])


async def remove_lead(session: Session, lead_id: str, note: str, now: datetime) -> int:
    """Take the lead out of all its journeys; how many there were."""
    query = select(JourneyRow.id).where(JourneyRow.lead_id == lead_id, JourneyRow.status != "ended")
    present = (await session.exec(query)).all()
    for journey_id in present:
        await stop(session, journey_id, note, now)
    return len(present)
