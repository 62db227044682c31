"""The mailings that came by a lead: what became of its message, and why there is none."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import col, select

from nurture.mailing import Mailing
from nurture.store.database import Session
from nurture.store.models import BulkRunRow, MessageRow
from nurture.store.story.journeys import by_ledger
from nurture.store.story.rows import Rows
from nurture.telling import Kind, Told

ON_ITS_WAY = ("planned", "claimed", "deferred")


def mailed(rows: Rows) -> tuple[Told, ...]:
    """The lead's messages by mailings, told; the mailing's key stands where a journey's state would."""
    return tuple(_told(rows, message) for message in rows.mailed)


def _told(rows: Rows, message: MessageRow) -> Told:
    open_kind: Kind = "put off" if message.status in ON_ITS_WAY else "not sent"
    told = Told(message.accepted_at or message.updated_at, message.campaign, open_kind, f"send {message.template}")
    if message.status in ON_ITS_WAY:
        how = message.reason or "it is being sent"
        return Told(told.at, told.state, told.kind, told.what, how, message.until)
    return by_ledger(message, told, rows.reactions.get(message.id, ()))


class Missed(NamedTuple):
    """A mailing of some message that has none for the lead, and why."""

    run: BulkRunRow
    why: str


async def missed(session: Session, rows: Rows, template: str) -> list[Missed]:
    """The mailings with that message that the lead has none of."""
    have = {message.run_id for message in rows.mailed}
    query = select(BulkRunRow).where(BulkRunRow.kind == "mailing").order_by(col(BulkRunRow.ordered_at))
    runs = [one for one in (await session.exec(query)).all() if one.id not in have]
    return [Missed(run, _why(run, rows.lead.id)) for run in runs if _template(run) == template]


async def mailing_templates(session: Session) -> Sequence[str]:
    """The messages that mailings sent."""
    query = select(BulkRunRow).where(BulkRunRow.kind == "mailing")
    return sorted({_template(run) for run in (await session.exec(query)).all()})


def _template(run: BulkRunRow) -> str:
    return Mailing.model_validate(run.written["mailing"]).template


def _why(run: BulkRunRow, lead_id: str) -> str:
    if run.exhausted or run.cursor >= lead_id:
        return f"it was not in the audience {run.audience} when the mailing came by"
    if run.status == "cancelled":
        return "the mailing was cancelled before it came by"
    return f"the mailing is {run.status}, and has not come by yet"
