"""What became of messages, counted: by campaign and template, and for a mailing by its run. Machines do not count."""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from nurture.ledger import Status
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import BulkRunRow, EventRow, MessageRow
from nurture.store.plain import execute
from nurture.store.return_tables import ReturnRow

MESSAGES, EVENTS, RETURNS, RUNS = table(MessageRow), table(EventRow), table(ReturnRow), table(BulkRunRow)
BY = MESSAGES.c.campaign, MESSAGES.c.template, MESSAGES.c.run_id
OF_READERS = {
    "message_delivered": "delivered",
    "message_opened": "opened",
    "message_clicked": "clicked",
    "message_replied": "replied",
    "unsubscribed": "unsubscribed",
}
BACK = {"bounced": "bounced", "soft": "soft", "complained": "complained"}


class Mailed(NamedTuple):
    """Messages that are counted together; a mailing has a run, ordered at a time."""

    campaign: str
    template: str
    run_id: str | None
    ordered_at: datetime | None = None


@dataclass(slots=True)
class Outcomes:
    """How many messages were handed over, and of how many each is known; `soft` came back from a full or closed mailbox."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    replied: int = 0
    bounced: int = 0
    soft: int = 0
    complained: int = 0
    unsubscribed: int = 0


NAMES = tuple(one.name for one in fields(Outcomes))


async def outcomes(session: Session, since: datetime, until: datetime) -> dict[Mailed, Outcomes]:
    """Of the messages to leads handed over in that time, in order of their campaigns, each message counted once."""
    theirs = MESSAGES.c.lead_id.is_not(None), MESSAGES.c.committed_at >= since, MESSAGES.c.committed_at < until
    found: dict[tuple[Any, ...], Outcomes] = defaultdict(Outcomes)
    sent = select(*BY, func.count()).where(*theirs, MESSAGES.c.status == Status.ACCEPTED.value).group_by(*BY)
    for *by, count in (await execute(session, sent)).all():
        found[tuple(by)].sent = count
    for *by, name, count in (await execute(session, _told(*theirs))).all():
        setattr(found[tuple(by)], OF_READERS[name], count)
    back = select(*BY, RETURNS.c.kind, func.count()).join(RETURNS, RETURNS.c.message_id == MESSAGES.c.id)
    back = back.where(*theirs, RETURNS.c.kind.in_(BACK)).group_by(*BY, RETURNS.c.kind)
    for *by, kind, count in (await execute(session, back)).all():
        setattr(found[tuple(by)], BACK[kind], count)
    ordered = dict((await execute(session, select(RUNS.c.id, RUNS.c.ordered_at).where(RUNS.c.kind == "mailing"))).all())
    in_order = sorted(found, key=lambda one: (*one[:2], one[2] or ""))
    return {
        Mailed(campaign, template, run, ordered.get(run)): found[campaign, template, run]
        for campaign, template, run in in_order
    }


def _told(*theirs: ColumnElement[bool]) -> Any:
    message = EVENTS.c.properties["message"].as_string()
    query = select(*BY, EVENTS.c.name, func.count(MESSAGES.c.id.distinct())).join(EVENTS, message == MESSAGES.c.id)
    people = EVENTS.c.name.in_(OF_READERS), EVENTS.c.machine.is_(False), EVENTS.c.lead_id == MESSAGES.c.lead_id
    return query.where(*theirs, *people).group_by(*BY, EVENTS.c.name)
