"""What journeys listen for: the keys under which a change may be for one of their arms."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, not_
from sqlmodel import col, select

from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.merges import stand_for
from nurture.store.models import JourneyRow, ListenerRow
from nurture.store.plain import Statement, execute, run
from nurture.store.upsert import insert
from nurture.triggers import On, When

LISTENERS = table(ListenerRow)
# Only the arms of a wait name its occurrence: what breaks in has no stroke in it, see `nurture.journey.breaks_in`.
OF_JOURNEY = delete(LISTENERS).where(LISTENERS.c.journey_id == bindparam("journey"))
OTHER_WAITS = Statement(OF_JOURNEY.where(LISTENERS.c.arm.contains("/"), not_(among(LISTENERS.c.arm, "arms"))))
EVERYTHING = Statement(OF_JOURNEY)


class Listener(NamedTuple):
    """A journey that listens for a key, the arm that it does so for, and what tells whether it is meant."""

    journey_id: str
    journey_key: str
    arm: str
    key: str
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
        await OTHER_WAITS.changes(session, journey=journey_id, arms=arms)
    await add_all(session, rows(journey_id, lead_id, arms, since))


def rows(journey_id: str, lead_id: str, arms: Mapping[str, On | When], since: datetime) -> list[dict[str, Any]]:
    """A row for each key of each arm."""
    return [
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


async def add_all(session: Session, new: list[dict[str, Any]]) -> None:
    """Write the rows; those that are there already stay as they are."""
    if new:
        await execute(session, insert(session, ListenerRow).on_conflict_do_nothing(), new)


async def unlisten(session: Session, journey_id: str) -> None:
    """Listen for nothing any more."""
    await EVERYTHING.changes(session, journey=journey_id)


async def listened_keys(session: Session, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    """Every lead and key that some journey of theirs listens for; of one that was merged, those of the lead that it is now."""
    found = await _listened_keys(session, lead_ids)
    # Asked after, not before: a merge that the first look came too late for is seen here.
    if now_are := await run(session, stand_for, lead_ids):
        theirs = await _listened_keys(session, set(now_are.values()))
        found |= {(gone, key) for gone, kept in now_are.items() for lead_id, key in theirs if lead_id == kept}
    return found


async def _listened_keys(session: Session, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    query = select(ListenerRow.lead_id, ListenerRow.key).where(col(ListenerRow.lead_id).in_(lead_ids)).distinct()
    return {(lead_id, key) for lead_id, key in (await session.exec(query)).all()}


async def listeners_for(
    session: Session, lead_ids: Collection[str], keys: Collection[str]
) -> dict[str, list[Listener]]:
    """By lead, the journeys that listen for one of the keys, the oldest journey first; see `listened_keys` for merges."""
    found = await _listeners_for(session, lead_ids, keys)
    if now_are := await run(session, stand_for, lead_ids):
        theirs = await _listeners_for(session, set(now_are.values()), keys)
        found |= {gone: theirs.get(kept, []) for gone, kept in now_are.items()}
    return found


async def _listeners_for(
    session: Session, lead_ids: Collection[str], keys: Collection[str]
) -> dict[str, list[Listener]]:
    query = (
        select(ListenerRow, JourneyRow)
        .join(JourneyRow, col(JourneyRow.id) == col(ListenerRow.journey_id))
        .where(col(ListenerRow.lead_id).in_(lead_ids), col(ListenerRow.key).in_(keys))
        .order_by(col(JourneyRow.entered), col(JourneyRow.id))
    )
    found: dict[str, list[Listener]] = {}
    for row, one in (await session.exec(query)).all():
        heard = tuple(one.position["heard"])
        listener = Listener(one.id, one.key, row.arm, row.key, row.since, one.version, one.pace, heard)
        found.setdefault(row.lead_id, []).append(listener)
    return found
