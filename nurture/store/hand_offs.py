"""Hand-offs in the store: assigned, reminded of, answered or taken back; each change is a deed that is kept.

Whoever changes one holds its lead's row first, then the hand-off's, then the team's turns.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from nurture.assignment import Assigned, Load, assign
from nurture.errors import NotFound, Refused
from nurture.hand_off_clock import Clock, Standing
from nurture.store import leads, outbox
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.hand_off_tables import HandOffDeedRow, TurnRow
from nurture.store.leases import alone
from nurture.store.models import HandOffRow, LeadRow, OutboxRow
from nurture.store.upsert import insert
from nurture.teams import LEAD, Team

# --- found ---


async def get(session: Session, hand_off_id: str) -> HandOffRow:
    """The hand-off of that id."""
    row = await session.get(HandOffRow, hand_off_id)
    if row is None:
        raise NotFound(f"there is no hand-off {hand_off_id[:64]!r}: nurture hand-offs list shows them")
    return row


async def look_up(session: Session, beginning: str) -> HandOffRow:
    """The hand-off whose id begins so, as lists show it."""
    query = select(HandOffRow).where(col(HandOffRow.id).startswith(beginning, autoescape=True)).limit(2)
    rows = (await session.exec(query)).all() if beginning else []
    if len(rows) != 1:
        raise NotFound(f"{'several hand-offs begin' if rows else 'no hand-off begins'} with {beginning[:64]!r}")
    return rows[0]


async def locked(session: Session, hand_off_id: str) -> tuple[HandOffRow, LeadRow]:
    """The hand-off of that id and its lead, both held until the end of the transaction."""
    lead = await leads.locked(session, (await get(session, hand_off_id)).lead_id)
    held = select(HandOffRow).where(col(HandOffRow.id) == hand_off_id).with_for_update()
    row = (await session.exec(held, execution_options={"populate_existing": True})).one_or_none()
    return row or await get(session, hand_off_id), lead


async def listed(
    session: Session, *, status: str | None = None, person: str | None = None, after: str = "", limit: int = 50
) -> list[HandOffRow]:
    """The newest first; `after` is the id of the last one seen."""
    query = select(HandOffRow).order_by(col(HandOffRow.created_at).desc(), col(HandOffRow.id)).limit(limit)
    if status is not None:
        query = query.where(HandOffRow.status == status)
    if person is not None:
        query = query.where(HandOffRow.assigned_to == person)
    if after:
        last = await get(session, after)
        older = col(HandOffRow.created_at) < last.created_at
        beside = (col(HandOffRow.created_at) == last.created_at) & (col(HandOffRow.id) > last.id)
        query = query.where(older | beside)
    return list((await session.exec(query)).all())


async def of_lead(session: Session, lead_id: str) -> list[HandOffRow]:
    """The lead's hand-offs, the newest first."""
    query = select(HandOffRow).where(HandOffRow.lead_id == lead_id)
    return list((await session.exec(query.order_by(col(HandOffRow.created_at).desc(), col(HandOffRow.id)))).all())


async def deeds(session: Session, hand_off_id: str) -> list[HandOffDeedRow]:
    """All that was done about it, in order."""
    query = select(HandOffDeedRow).where(HandOffDeedRow.hand_off_id == hand_off_id)
    return list((await session.exec(query.order_by(col(HandOffDeedRow.n)))).all())


async def untold(session: Session, hand_off_id: str) -> list[HandOffDeedRow]:
    """The deeds of which somebody, or the CRM, has yet to hear."""
    return [one for one in await deeds(session, hand_off_id) if one.told_at is None or one.called_at is None]


def standing(row: HandOffRow) -> Standing:
    """How it stands, for its clock."""
    stage: Any = row.stage
    return Standing(row.told_at, row.first_told_at, stage, with_lead=row.assigned_to == LEAD)


def clock_of(row: HandOffRow) -> Clock:
    """The clock it was handed over with."""
    return Clock.model_validate(row.clock)


# --- done ---


def wound(row: HandOffRow, now: datetime) -> OutboxRow:
    """The row of the outbox by which its clock looks again."""
    body = {"hand_off": row.id}
    return OutboxRow(lead_id=row.lead_id, kind="hand_off", body=body, due_at=now, created_at=now)


def done(session: Session, row: HandOffRow, deed: str, person: str, now: datetime, note: str = "") -> HandOffDeedRow:
    """Note what was done about it."""
    row.deeds += 1
    row.updated_at = now
    noted = HandOffDeedRow(hand_off_id=row.id, n=row.deeds, deed=deed, person=person, note=note, at=now)
    session.add(row)
    session.add(noted)
    return noted


async def given(
    session: Session, row: HandOffRow, team: Team, wanted: str | None, today: date, now: datetime
) -> Assigned:
    """Give it to somebody of the team by its rule, to none who had it before; the turn is theirs alone."""
    had = {one.person for one in await deeds(session, row.id) if one.deed in ("assigned", "reassigned")}
    await alone(session, f"team/{team.key}")
    chosen = assign(team, await _loads(session, team.key), wanted, today, had)
    await _has(session, row, chosen, now)
    return chosen


async def put_with(session: Session, row: HandOffRow, person: str, because: str, now: datetime) -> None:
    """Give it to that person, whatever the rule says."""
    if row.status != "open":
        raise Refused(f"hand-off {row.id} is {row.status} already")
    if row.assigned_to == person:
        raise Refused("they have it already")
    await alone(session, f"team/{row.team}")
    await _has(session, row, Assigned(person, because), now)
    await outbox.put(session, [wound(row, now)])


async def _has(session: Session, row: HandOffRow, chosen: Assigned, now: datetime) -> None:
    deed = done(session, row, "reassigned" if row.deeds else "assigned", chosen.person, now, chosen.because)
    row.assigned_to, row.because, row.assigned_n = chosen.person, chosen.because, deed.n
    row.stage, row.told_at = "assigned", None
    if chosen.person != LEAD:
        last = (await session.exec(select(func.max(TurnRow.turn)).where(TurnRow.team == row.team))).one() or 0
        turn = insert(session, TurnRow).values(team=row.team, person=chosen.person, turn=last + 1)
        await session.exec(turn.on_conflict_do_update(index_elements=["team", "person"], set_={"turn": last + 1}))


async def _loads(session: Session, team: str) -> dict[str, Load]:
    open_ones = (
        select(HandOffRow.assigned_to, func.count())
        .where(HandOffRow.team == team, HandOffRow.status == "open")
        .group_by(HandOffRow.assigned_to)
    )
    turns = select(TurnRow.person, TurnRow.turn).where(TurnRow.team == team)
    found = {person: Load(open=count) for person, count in (await session.exec(open_ones)).all()}
    for person, turn in (await session.exec(turns)).all():
        found[person] = found.get(person, Load())._replace(turn=turn)
    return found


# --- taken back ---


async def recycle(session: Session, row: HandOffRow, lead: LeadRow, now: datetime) -> None:
    """Take it back into nurture, as nobody answered: an event that journeys hear."""
    row.status, row.due_at = "recycled", None
    done(session, row, "recycled", LEAD, now, "nobody answered")
    about = {"hand_off": row.id, "definition": row.definition, "assigned_to": row.assigned_to}
    await record_own_event(session, lead, "hand_off_recycled", about, f"hand_off_recycled/{row.id}", now)


# --- watched ---


async def owed(session: Session, after: str, limit: int) -> list[HandOffRow]:
    """Those for which a clock should run, after that id, in the order of their ids."""
    query = select(HandOffRow).where(col(HandOffRow.id) > after, *OWED).order_by(col(HandOffRow.id)).limit(limit)
    return list((await session.exec(query)).all())


async def still_owed(session: Session, ids: Collection[str]) -> list[HandOffRow]:
    """Those of them for which a clock should run, and that the outbox has nothing to do for."""
    on_its_way = select(OutboxRow.id).where(col(OutboxRow.lead_id) == col(HandOffRow.lead_id)).exists()
    query = select(HandOffRow).where(col(HandOffRow.id).in_(ids), *OWED, ~on_its_way).order_by(col(HandOffRow.id))
    return list((await session.exec(query)).all())


OWED = (col(HandOffRow.status) == "open", col(HandOffRow.due_at).is_not(None))
"""What a hand-off is like whose clock has something to do."""
