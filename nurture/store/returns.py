"""What came back, written down once, and what follows for the address: the same whoever tells of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, func, or_, select

from nurture.ledger import Status
from nurture.returns.bounces import COUNTED, Fault, given_up
from nurture.store.among import among
from nurture.store.bulk import insert_missing, table
from nurture.store.models import EventRow, MessageRow, SuppressionRow
from nurture.store.return_tables import ReturnRow

Kind: TypeAlias = Literal["bounced", "soft", "put_off", "complained"]
RETURNS, MESSAGES, EVENTS = table(ReturnRow), table(MessageRow), table(EventRow)
SHOWS_THAT_IT_ARRIVED = ("message_delivered", "message_opened", "message_clicked", "message_replied")
GIVEN_UP = "its messages came back again and again"
# One that was put off, and taken at a later try, came back from nowhere.
SOFT = (
    select(RETURNS.c.address_hash, RETURNS.c.lead_id, RETURNS.c.at)
    .join(MESSAGES, MESSAGES.c.id == RETURNS.c.message_id)
    .where(
        among(RETURNS.c.address_hash, "addresses"),
        or_(
            RETURNS.c.kind == "soft",
            (RETURNS.c.kind == "put_off") & (MESSAGES.c.status != Status.ACCEPTED.value),
        ),
    )
)
ARRIVED = (
    select(EVENTS.c.lead_id, func.max(EVENTS.c.at))
    .where(among(EVENTS.c.lead_id, "leads"), EVENTS.c.name.in_(SHOWS_THAT_IT_ARRIVED), EVENTS.c.machine.is_(False))
    .group_by(EVENTS.c.lead_id)
)


@dataclass(frozen=True, slots=True)
class CameBack:
    """One message of a lead that came back; a `reason` is kept with the address where that is given up."""

    message_id: str
    kind: Kind
    lead_id: str
    campaign: str
    run_id: str | None
    fault: str
    address_hash: str
    at: datetime
    sent_at: datetime


def kind_of(fault: Fault | None) -> Kind | None:
    """As what a bounce is written down; None when it means nothing."""
    if fault is None or fault in COUNTED:
        return "bounced"
    return "soft" if fault is Fault.MAILBOX else None


def note(connection: Connection, came: Sequence[CameBack], now: datetime, reason: str = "") -> None:
    """Write down what came back, and write no more to the addresses that it speaks against; a `reason` says why not.

    The leads are held by this transaction.
    """
    insert_missing(connection, ReturnRow, [asdict(one) for one in came])
    no_more = [_suppressed(one.address_hash, "all", reason or "the address does not exist", now)
               for one in came if one.kind == "bounced" and one.fault == Fault.ADDRESS]  # fmt: skip
    no_more += [_suppressed(one.address_hash, "marketing", "complained", now)
                for one in came if one.kind == "complained"]  # fmt: skip
    soft = {one.address_hash for one in came if one.kind in ("soft", "put_off")}
    no_more += [_suppressed(address, "all", GIVEN_UP, now) for address in _given_up(connection, soft)]
    insert_missing(connection, SuppressionRow, [one for one in no_more if one["address_hash"]])


def _suppressed(address_hash: str, scope: str, reason: str, now: datetime) -> dict[str, Any]:
    return {"address_hash": address_hash, "scope": scope, "reason": reason, "at": now}


def _given_up(connection: Connection, addresses: Collection[str]) -> Iterable[str]:
    """Those of the addresses whose mailbox took nothing for too long."""
    if not addresses:
        return
    rows = connection.execute(SOFT, {"addresses": sorted(addresses)}).all()
    arrived = dict(connection.execute(ARRIVED, {"leads": sorted({row.lead_id for row in rows})}).all())
    for address in sorted(addresses):
        theirs = [row for row in rows if row.address_hash == address]
        last = max((arrived[row.lead_id] for row in theirs if row.lead_id in arrived), default=None)
        if given_up([row.at for row in theirs], last):
            yield address
