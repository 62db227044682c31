"""The send ledger's rows: found or planned, claimed, committed, settled; each change only from the status it may follow."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update
from sqlmodel import col

from nurture.errors import NotFound, Refused
from nurture.ledger import FOLLOWS, SENDABLE, Status
from nurture.store.bulk import insert_all, table
from nurture.store.database import Session
from nurture.store.models import MessageRow
from nurture.store.plain import execute

# Made once: putting a statement together takes longer than running it.
MESSAGES = table(MessageRow)
FOUND = select(MESSAGES).where(
    MESSAGES.c.journey_id == bindparam("journey"), MESSAGES.c.occurrence == bindparam("occurrence")
)
FOUND_OF_RUN = select(MESSAGES).where(
    MESSAGES.c.run_id == bindparam("run"), MESSAGES.c.occurrence == bindparam("occurrence")
)
RECENT = (
    select(col(MessageRow.committed_at))
    .where(
        col(MessageRow.lead_id) == bindparam("lead"),
        col(MessageRow.purpose) == "marketing",
        col(MessageRow.status).in_([Status.ACCEPTED, Status.COMMITTING, Status.UNKNOWN]),
        col(MessageRow.committed_at) > bindparam("since"),
    )
    .order_by(col(MessageRow.committed_at))
)
OF_JOURNEY = update(MESSAGES).where(MESSAGES.c.journey_id == bindparam("owner"))
OF_RUN = update(MESSAGES).where(MESSAGES.c.run_id == bindparam("owner"))
WITH_REASON: dict[str, Any] = {"reason": bindparam("why"), "updated_at": bindparam("now")}


OF_A_HAND_OFF = "hand-off"
"""The topic of what is said about a hand-off, which outlives its journey's step: its own clock sees to it."""


def _ended(of_owner: Update) -> tuple[Update, Update]:
    """Cancel what was not handed over; what was caught in it is unknown."""
    of_owner = of_owner.where(MESSAGES.c.topic != OF_A_HAND_OFF)
    open_ones = [one.value for one in (*SENDABLE, Status.CLAIMED)]
    caught = MESSAGES.c.status == Status.COMMITTING.value, MESSAGES.c.claimed_until < bindparam("now")
    return (
        of_owner.where(MESSAGES.c.status.in_(open_ones)).values(status=Status.CANCELLED.value, **WITH_REASON),
        of_owner.where(*caught).values(status=Status.UNKNOWN.value, **WITH_REASON),
    )


ENDED_OF_JOURNEY, ENDED_OF_RUN = _ended(OF_JOURNEY), _ended(OF_RUN)


async def find(
    session: Session, journey_id: str | None, occurrence: str, run_id: str | None = None
) -> MessageRow | None:
    """The message of that step and visit, or of that lead in a bulk run."""
    query, asked = (FOUND, {"journey": journey_id}) if run_id is None else (FOUND_OF_RUN, {"run": run_id})
    found = (await execute(session, query, {**asked, "occurrence": occurrence})).mappings().one_or_none()
    return None if found is None else MessageRow(**found)


async def write(session: Session, row: MessageRow) -> None:
    """Write a new message."""
    await insert_all(session, MessageRow, [row.model_dump()])


async def change(
    session: Session, message_id: str, to: Status, now: datetime, *, held_by: str | None = None, **values: Any
) -> bool:
    """Move the message to a status, from one that it may follow; `held_by` only if that claim still holds it.

    False when another attempt was there first.
    """
    new = {"status": to.value, "updated_at": now, **values}
    query = _change(to, tuple(new), held=held_by is not None)
    given = {"message": message_id, "holder": held_by, **{f"new_{name}": value for name, value in new.items()}}
    return (await execute(session, query, given)).rowcount == 1


@lru_cache
def _change(to: Status, names: tuple[str, ...], *, held: bool) -> Update:
    before = [status.value for status, following in FOLLOWS.items() if to in following]
    query = update(MESSAGES).where(MESSAGES.c.id == bindparam("message"), MESSAGES.c.status.in_(before))
    if held:
        query = query.where(MESSAGES.c.claim == bindparam("holder"))
    return query.values({name: bindparam(f"new_{name}") for name in names})


async def unknown_ones(session: Session, limit: int) -> list[MessageRow]:
    """Messages of which nobody knows whether they were sent, the oldest first."""
    query = select(MESSAGES).where(MESSAGES.c.status == Status.UNKNOWN).order_by(MESSAGES.c.committed_at).limit(limit)
    return [MessageRow(**found) for found in (await execute(session, query)).mappings()]


async def settle(session: Session, message_id: str, to: Status, note: str, now: datetime) -> None:
    """Write down what a person found out about an unknown message."""
    row = await session.get(MessageRow, message_id)
    if row is None:
        raise NotFound(f"there is no message {message_id[:64]!r}: nurture unknown list shows those in doubt")
    values: dict[str, Any] = {"accepted_at": row.committed_at} if to is Status.ACCEPTED else {}
    if row.status != Status.UNKNOWN or not await change(session, message_id, to, now, reason=note, **values):
        raise Refused(f"message {message_id} is not in doubt: it is {row.status}")


async def recent_marketing(session: Session, lead_id: str, since: datetime) -> list[datetime]:
    """When marketing messages to the lead were accepted (or may have been), over all campaigns, oldest first."""
    found = await execute(session, RECENT, {"lead": lead_id, "since": since})
    return [at for at in found.scalars() if at is not None]


async def cancel_open(
    session: Session, journey_id: str | None, reason: str, now: datetime, run_id: str | None = None
) -> None:
    """Cancel the journey's messages, or a bulk run's, that were not handed over.

    One caught in *committing* becomes unknown: nobody will come back to ask after it.
    """
    given = {"owner": journey_id if run_id is None else run_id, "why": reason, "now": now}
    for ending in ENDED_OF_JOURNEY if run_id is None else ENDED_OF_RUN:
        await execute(session, ending, given)


def longest(periods: Iterable[timedelta]) -> timedelta:
    """The longest of the periods, nothing when there are none."""
    return max(periods, default=timedelta(0))
