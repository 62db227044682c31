"""What sales says to a hand-off: taken once, whatever way it comes, and heard by journeys at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from nurture.errors import BadInput, Refused
from nurture.intake import Internal, Recorder
from nurture.store import Session, hand_offs, leads, outbox
from nurture.store.models import HandOffRow
from nurture.store.plain import run

Answer: TypeAlias = Literal["accepted", "rejected"]
ANSWERS: Mapping[str, Answer] = {"sales_accepted": "accepted", "sales_rejected": "rejected"}
"""What sales may say, by the event that tells of it."""
ANSWERABLE = ("open", "recycled")
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of sales: by whom, and by what way it came."""

    answer: Answer
    reason: str = ""
    by: str = ""
    via: str = ""


async def answer(session: Session, recorder: Recorder, hand_off_id: str, said: Said, now: datetime) -> bool:
    """Take the answer; False when just that was said before. A second answer that says something else is refused.

    It is an event of the lead, with all that follows from one, and its clock ends. One that comes when the lead is back in
    nurture still counts: sales has it after all, or says why not.
    """
    row, _ = await hand_offs.locked(session, hand_off_id)
    if row.status not in ANSWERABLE:
        if row.status == said.answer:
            return False
        raise Refused(f"hand-off {row.id} {answered_so(row)}")
    clock = hand_offs.clock_of(row)
    row.status, row.reason, row.answered_at = said.answer, said.reason, now
    row.answered_by, row.answered_via, row.due_at = said.by, said.via, None
    row.answered_after = clock.passed(row.created_at, now).total_seconds()
    row.worked = clock.worked(row.created_at, now).total_seconds()
    hand_offs.done(session, row, said.answer, said.by, now, said.reason)
    await session.flush()
    about = {"hand_off": row.id, "definition": row.definition, "reason": said.reason, "by": said.by}
    event = Internal(
        id=event_of(row.id), name=f"sales_{said.answer}", lead={"id": row.lead_id}, properties=about, source=said.via
    )
    await run(session, recorder.record_own, event, now)
    await outbox.put(session, [hand_offs.wound(row, now)])
    return True


async def answer_about(
    session: Session, recorder: Recorder, lead_id: str, hand_off_id: str, said: Said, now: datetime
) -> tuple[HandOffRow, bool] | None:
    """Take an answer about a lead to the hand-off named, or to the one that is open longest.

    None when the lead was never handed over; False when all of its hand-offs were answered before.
    """
    await leads.locked(session, lead_id)
    rows = [row for row in await hand_offs.of_lead(session, lead_id) if hand_off_id in ("", row.id)]
    if not rows:
        return None
    waiting = [row for status in ANSWERABLE for row in reversed(rows) if row.status == status]
    if not waiting:
        return rows[0], False
    return waiting[0], await answer(session, recorder, waiting[0].id, said, now)


def event_of(hand_off_id: str) -> str:
    """The id of the event that tells of its answer."""
    return f"sales/{hand_off_id}"


def answered_so(row: HandOffRow) -> str:
    """What became of it, in words: it "was accepted on … by ann"."""
    by = f" by {row.answered_by}" if row.answered_by else ""
    because = f": {row.reason}" if row.reason else ""
    return f"was {row.status} on {row.answered_at:%Y-%m-%d %H:%M} UTC{by}{because}"


def a_reason(given: str, known: Sequence[str] = ()) -> str:
    """The reason for a no as it is kept; where some are known, one of them, with a word beside it or without."""
    reason = " ".join(given.split())[:LONGEST_REASON]
    if not reason.isprintable():
        raise BadInput("reason: give a text that can be printed", field="reason")
    if known and not any(reason == one or reason.startswith(f"{one}: ") for one in known):
        raise BadInput(f"reason: begin with one of these: {'; '.join(known)}", field="reason")
    return reason
