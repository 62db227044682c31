"""What a provider reports of our messages, written down once: the ledger, the lead's events, suppression and consent."""

from datetime import datetime

from sqlalchemy import bindparam, func, select

from nurture.addresses import EMAIL, hash_of
from nurture.channels.reports import Fault, Kind, Report
from nurture.errors import NotFound
from nurture.intake.incoming import stable_id
from nurture.ledger import Status
from nurture.store.bulk import table
from nurture.store.consents import record_consent
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.loaded import made
from nurture.store.messages import found_out
from nurture.store.models import LeadRow, MessageRow
from nurture.store.plain import Statement
from nurture.store.suppressions import suppress

MESSAGES = table(MessageRow)
NAMED = Statement(select(MESSAGES).where(func.substr(MESSAGES.c.message_id, 2, 32) == bindparam("name")))


async def record_report(session: Session, provider: str, report: Report, now: datetime) -> bool:
    """Write the report down; False when it is of no message of ours, of an erased lead, or was written before.

    Whatever it says, it shows that the provider has the message: one in doubt is in doubt no more.
    """
    found = await NAMED.named(session, name=report.message)
    if not found:
        return False
    message = made(MessageRow, found[0])
    try:
        lead = await locked(session, message.lead_id) if message.lead_id else None
    except NotFound:
        return False
    if message.status == Status.UNKNOWN:
        await found_out(session, message, Status.ACCEPTED, f"reported by {provider}", now)
    if lead is None:
        return True
    about = {"template": message.template, "campaign": message.campaign, "message": message.id}
    if report.fault is not None:
        about["fault"] = report.fault.value
    if report.kind is Kind.UNSUBSCRIBED:
        about["topic"] = message.topic
    event_id = stable_id("report", provider, report.id)
    when = min(report.at, now)
    if not await record_own_event(
        session, lead, report.kind.value, about, event_id, now, at=when, machine=report.machine
    ):
        return False
    await _followed(session, report, lead, message, now)
    return True


async def _followed(session: Session, report: Report, lead: LeadRow, message: MessageRow, now: datetime) -> None:
    """What it means for what is sent from now on: never more than was said, and never anything for our own fault."""
    address = report.address or (lead.email if message.channel == EMAIL else None)
    match report.kind:
        case Kind.BOUNCED if report.fault is Fault.ADDRESS and address:
            await suppress(session, hash_of(message.channel, address), "all", "the address does not exist", now)
        case Kind.COMPLAINED if address:
            await suppress(session, hash_of(message.channel, address), "marketing", "complained", now)
        case Kind.UNSUBSCRIBED:
            await record_consent(session, lead.id, message.topic, False, "provider", now, address=lead.email)
        case _:
            pass
