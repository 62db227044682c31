"""The rows that a story is told from, read at once for one lead."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlmodel import SQLModel, col, select

from nurture.store import campaigns
from nurture.store.database import Session
from nurture.store.leads import get
from nurture.store.models import (
    EventRow,
    HandOffRow,
    JourneyRow,
    LeadRow,
    MessageRow,
    MoveRow,
    RefusalRow,
    ScoreChangeRow,
    VersionRow,
)
from nurture.version import Version

Row = TypeVar("Row", bound=SQLModel)
REACTIONS = ("message_opened", "message_clicked", "message_replied", "message_bounced", "message_complained")
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Rows:
    """One lead's rows: `mailed` are messages of mailings, `events` what journeys and refusals name; `reactions` by message."""

    lead: LeadRow
    journeys: Sequence[JourneyRow]
    moves: dict[str, list[MoveRow]]
    messages: dict[tuple[str, str], MessageRow]
    mailed: Sequence[MessageRow]
    hand_offs: dict[tuple[str, str], HandOffRow]
    refusals: Sequence[RefusalRow]
    events: dict[str, EventRow]
    reactions: dict[str, list[EventRow]]
    points: Sequence[ScoreChangeRow]
    versions: dict[str, Version]
    published: dict[str, VersionRow]

    def event(self, event_id: str | None) -> EventRow | None:
        """The event of that id, if it is one."""
        return self.events.get(event_id or "")


async def rows_of(session: Session, lead_id: str, campaign: str | None = None) -> Rows:
    """The lead's rows, of one campaign or of all."""
    lead = await get(session, lead_id)
    lead_id = lead.id
    journeys = await _journeys(session, lead_id, campaign)
    ids = [row.id for row in journeys]
    moves: dict[str, list[MoveRow]] = defaultdict(list)
    for move in await _all_of(session, MoveRow, ids):
        moves[move.journey_id].append(move)
    for theirs in moves.values():
        theirs.sort(key=lambda move: move.n)
    refusals = await _refusals(session, lead_id, campaign)
    return Rows(
        lead=lead,
        journeys=journeys,
        moves=moves,
        messages={(row.journey_id or "", row.occurrence): row for row in await _all_of(session, MessageRow, ids)},
        mailed=await _mailed(session, lead_id, campaign),
        hand_offs={(row.journey_id, row.occurrence): row for row in await _all_of(session, HandOffRow, ids)},
        refusals=refusals,
        events=await _events(session, _named(journeys, moves, refusals)),
        reactions=await _reactions(session, lead_id),
        points=await _points(session, lead_id),
        versions={row.version: await campaigns.version(session, row.version) for row in journeys},
        published={row.version: await session.get_one(VersionRow, row.version) for row in journeys},
    )


async def _journeys(session: Session, lead_id: str, campaign: str | None) -> Sequence[JourneyRow]:
    query = select(JourneyRow).where(JourneyRow.lead_id == lead_id)
    if campaign is not None:
        query = query.where(JourneyRow.campaign == campaign)
    return (await session.exec(query.order_by(col(JourneyRow.entered), col(JourneyRow.id)))).all()


async def _mailed(session: Session, lead_id: str, mailing: str | None) -> Sequence[MessageRow]:
    query = select(MessageRow).where(MessageRow.lead_id == lead_id, col(MessageRow.run_id).is_not(None))
    if mailing is not None:
        query = query.where(MessageRow.campaign == mailing)
    return (await session.exec(query.order_by(col(MessageRow.due_at), col(MessageRow.id)))).all()


async def _refusals(session: Session, lead_id: str, campaign: str | None) -> Sequence[RefusalRow]:
    query = select(RefusalRow).where(RefusalRow.lead_id == lead_id)
    if campaign is not None:
        query = query.where(RefusalRow.campaign == campaign)
    return (await session.exec(query.order_by(col(RefusalRow.at)))).all()


async def _all_of(session: Session, model: type[Row], journey_ids: Sequence[str]) -> list[Row]:
    column = model.__table__.c.journey_id  # type: ignore[attr-defined]  # SQLModel makes it for `table=True`
    found: list[Row] = []
    for start in range(0, len(journey_ids), MOST_AT_ONCE):
        query = select(model).where(column.in_(journey_ids[start : start + MOST_AT_ONCE]))
        found += (await session.exec(query)).all()
    return found


def _named(
    journeys: Sequence[JourneyRow], moves: dict[str, list[MoveRow]], refusals: Sequence[RefusalRow]
) -> list[str]:
    """The ids of events that are named as a cause."""
    named = {row.entry_event for row in journeys} | {row.event for row in refusals}
    named |= {move.reply.get("event") for theirs in moves.values() for move in theirs}
    return sorted(name for name in named if name)


async def _events(session: Session, ids: Collection[str]) -> dict[str, EventRow]:
    found: dict[str, EventRow] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), MOST_AT_ONCE):
        query = select(EventRow).where(col(EventRow.id).in_(wanted[start : start + MOST_AT_ONCE]))
        found |= {row.id: row for row in (await session.exec(query)).all()}
    return found


async def _reactions(session: Session, lead_id: str) -> dict[str, list[EventRow]]:
    query = select(EventRow).where(EventRow.lead_id == lead_id, col(EventRow.name).in_(REACTIONS))
    found: dict[str, list[EventRow]] = defaultdict(list)
    for row in (await session.exec(query.order_by(col(EventRow.received)))).all():
        found[str(row.properties.get("message", ""))].append(row)
    return found


async def _points(session: Session, lead_id: str) -> Sequence[ScoreChangeRow]:
    query = select(ScoreChangeRow).where(ScoreChangeRow.lead_id == lead_id)
    return (await session.exec(query.order_by(col(ScoreChangeRow.at), col(ScoreChangeRow.id)))).all()
