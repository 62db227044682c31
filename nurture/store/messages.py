"""The send ledger's rows: found or planned, claimed, committed, settled; each change only from the status it may follow."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update

from nurture.errors import NotFound, Refused
from nurture.ledger import FOLLOWS, SENDABLE, Status
from nurture.store.bulk import insert_all, table
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.loaded import made
from nurture.store.models import LeadRow, MessageRow, new_id
from nurture.store.plain import Statement

# Made once: putting a statement together takes longer than running it.
MESSAGES = table(MessageRow)
FOUND = Statement(
    select(MESSAGES).where(
        MESSAGES.c.journey_id == bindparam("journey"), MESSAGES.c.occurrence == bindparam("occurrence")
    )
)
FOUND_OF_RUN = Statement(
    select(MESSAGES).where(MESSAGES.c.run_id == bindparam("run"), MESSAGES.c.occurrence == bindparam("occurrence"))
)
SENT = [one.value for one in (Status.ACCEPTED, Status.COMMITTING, Status.UNKNOWN)]  # as far as anybody knows
FOUND_OF_NO_ONE = Statement(
    select(MESSAGES).where(
        MESSAGES.c.journey_id.is_(None), MESSAGES.c.run_id.is_(None), MESSAGES.c.occurrence == bindparam("occurrence")
    )
)
RECENT = Statement(
    select(MESSAGES.c.committed_at, MESSAGES.c.channel)
    .where(
        MESSAGES.c.lead_id == bindparam("lead"),
        MESSAGES.c.purpose == "marketing",
        MESSAGES.c.status.in_(SENT),
        MESSAGES.c.committed_at > bindparam("since"),
    )
    .order_by(MESSAGES.c.committed_at)
)
OTHERS_BY_CHANNEL = Statement(
    select(MESSAGES.c.id)
    .where(
        MESSAGES.c.lead_id == bindparam("lead"),
        MESSAGES.c.channel == bindparam("channel"),
        MESSAGES.c.status.in_(SENT),
        MESSAGES.c.id != bindparam("message"),
    )
    .limit(1)
)
LATEST = Statement(
    select(MESSAGES)
    .where(
        MESSAGES.c.lead_id == bindparam("lead"),
        MESSAGES.c.channel == bindparam("channel"),
        MESSAGES.c.status.in_(SENT),
    )
    .order_by(MESSAGES.c.committed_at.desc())
    .limit(1)
)
BY_HAND = "by hand: "
OF_JOURNEY = update(MESSAGES).where(MESSAGES.c.journey_id == bindparam("owner"))
OF_RUN = update(MESSAGES).where(MESSAGES.c.run_id == bindparam("owner"))
IN_DOUBT = Statement(
    select(MESSAGES)
    .where(MESSAGES.c.status == Status.UNKNOWN.value)
    .order_by(MESSAGES.c.committed_at)
    .limit(bindparam("most"))
)
WITH_REASON: dict[str, Any] = {"reason": bindparam("why"), "updated_at": bindparam("now")}


OF_A_HAND_OFF = "hand-off"
"""The topic of what is said about a hand-off, which outlives its journey's step: its own clock sees to it."""


def _ended(of_owner: Update) -> tuple[Statement, Statement]:
    """Cancel what was not handed over; what was caught in it is unknown."""
    of_owner = of_owner.where(MESSAGES.c.topic != OF_A_HAND_OFF)
    open_ones = [one.value for one in (*SENDABLE, Status.CLAIMED)]
    caught = MESSAGES.c.status == Status.COMMITTING.value, MESSAGES.c.claimed_until < bindparam("now")
    return (
        Statement(
            of_owner.where(MESSAGES.c.status.in_(open_ones)).values(status=Status.CANCELLED.value, **WITH_REASON)
        ),
        Statement(of_owner.where(*caught).values(status=Status.UNKNOWN.value, **WITH_REASON)),
    )


ENDED_OF_JOURNEY, ENDED_OF_RUN = _ended(OF_JOURNEY), _ended(OF_RUN)


async def find(
    session: Session, journey_id: str | None, occurrence: str, run_id: str | None = None
) -> MessageRow | None:
    """The message of that step and visit, or of that lead in a bulk run; without either, a notice about a campaign."""
    if run_id is not None:
        found = await FOUND_OF_RUN.named(session, run=run_id, occurrence=occurrence)
    elif journey_id is not None:
        found = await FOUND.named(session, journey=journey_id, occurrence=occurrence)
    else:
        found = await FOUND_OF_NO_ONE.named(session, occurrence=occurrence)
    return made(MessageRow, found[0]) if found else None


def planned(now: datetime, **said: Any) -> MessageRow:
    """A new message that nothing was done about yet."""
    unsaid = dict.fromkeys(MESSAGES.c.keys())
    return made(
        MessageRow,
        {
            **unsaid,
            "id": new_id(),
            "status": Status.PLANNED.value,
            "reason": "",
            "attempts": 0,
            "updated_at": now,
            **said,
        },
    )


async def write(session: Session, row: MessageRow) -> None:
    """Write a new message."""
    await insert_all(session, MessageRow, [row.model_dump()])


async def change(
    session: Session,
    message_id: str,
    to: Status,
    now: datetime,
    *,
    was: Status | None = None,
    held_by: str | None = None,
    **values: Any,
) -> bool:
    """Move the message to a status, from one that it may follow, or from the one it `was` at; `held_by` only if that claim
    still holds it.

    False when another attempt was there first.
    """
    new = {"status": to.value, "updated_at": now, **values}
    query = _change(to, tuple(new), was, held=held_by is not None)
    given = {f"new_{name}": value for name, value in new.items()}
    return await query.changes(session, message=message_id, holder=held_by, **given) == 1


@lru_cache
def _change(to: Status, names: tuple[str, ...], was: Status | None, *, held: bool) -> Statement:
    before = [status.value for status, following in FOLLOWS.items() if to in following and was in (None, status)]
    query = update(MESSAGES).where(MESSAGES.c.id == bindparam("message"), MESSAGES.c.status.in_(before))
    if held:
        query = query.where(MESSAGES.c.claim == bindparam("holder"))
    return Statement(query.values({name: bindparam(f"new_{name}") for name in names}))


async def unknown_ones(session: Session, limit: int) -> list[MessageRow]:
    """Messages of which nobody knows whether they were sent, the oldest first."""
    return [made(MessageRow, found) for found in await IN_DOUBT.named(session, most=limit)]


async def settle(session: Session, message_id: str, to: Status, known_from: str, now: datetime) -> None:
    """Write down what a person found out about an unknown message, and where that is known from."""
    row = await session.get(MessageRow, message_id)
    if row is None:
        raise NotFound(f"there is no message {message_id[:64]!r}: nurture unknown list shows those in doubt")
    if not await found_out(session, row, to, BY_HAND + known_from, now):
        raise Refused(f"message {message_id} is not in doubt: it is {row.status}")


async def found_out(session: Session, row: MessageRow, to: Status, reason: str, now: datetime) -> bool:
    """Write down what became of an unknown message, and tell of one that was sent; False when it is in doubt no more."""
    lead = await locked(session, row.lead_id) if row.lead_id else None  # first, as in a walk
    values: dict[str, Any] = {"accepted_at": row.committed_at} if to is Status.ACCEPTED else {}
    if not await change(session, row.id, to, now, was=Status.UNKNOWN, held_by=row.claim, reason=reason, **values):
        return False
    if lead is not None and to is Status.ACCEPTED:
        await tell_of(session, lead, "message_sent", row, now, at=row.committed_at)
    return True


async def tell_of(
    session: Session,
    lead: LeadRow,
    name: str,
    row: MessageRow,
    now: datetime,
    *,
    at: datetime | None = None,
    **more: str,
) -> None:
    """Record what became of a message as an event (`message_sent`, `message_bounced`) of its lead, which is held; once."""
    facts = {"template": row.template, "campaign": row.campaign, "message": row.id, "channel": row.channel, **more}
    event_id = f"{name.removeprefix('message_')}/{row.id}"
    await record_own_event(session, lead, name, facts, event_id, now, at=at)


async def recent_marketing(session: Session, lead_id: str, since: datetime) -> list[tuple[datetime, str]]:
    """When marketing messages to the lead were accepted (or may have been) and by which channel, the oldest first."""
    return [(at, by) for at, by in await RECENT.rows(session, lead=lead_id, since=since) if at is not None]


async def is_first(session: Session, row: MessageRow) -> bool:
    """Whether no other message has gone to its lead by its channel."""
    asked = {"lead": row.lead_id, "channel": row.channel, "message": row.id}
    return await OTHERS_BY_CHANNEL.first(session, **asked) is None


async def latest(session: Session, lead_id: str, channel: str) -> MessageRow | None:
    """The last message that went to the lead by that channel."""
    found = await LATEST.named(session, lead=lead_id, channel=channel)
    return made(MessageRow, found[0]) if found else None


async def cancel_open(
    session: Session, journey_id: str | None, reason: str, now: datetime, run_id: str | None = None
) -> None:
    """Cancel the journey's messages, or a bulk run's, that were not handed over.

    One caught in *committing* becomes unknown: nobody will come back to ask after it.
    """
    owner = journey_id if run_id is None else run_id
    for ending in ENDED_OF_JOURNEY if run_id is None else ENDED_OF_RUN:
        await ending.changes(session, owner=owner, why=reason, now=now)


def longest(periods: Iterable[timedelta]) -> timedelta:
    """The longest of the periods, nothing when there are none."""
    return max(periods, default=timedelta(0))
