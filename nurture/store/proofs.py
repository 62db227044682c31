"""Consents that were given on a form and still have to be confirmed by mail."""

from datetime import datetime, timedelta

from sqlmodel import col, func, select

from nurture.steps import Confirm
from nurture.store.capture_tables import ConsentProofRow
from nurture.store.database import Session
from nurture.store.models import MessageRow

CONFIRMED_WITHIN = timedelta(days=7)
"""So long a consent can be confirmed after it was given."""

MOST_A_DAY = 3
"""Mails that ask one address to confirm: whoever types it in, its owner is not flooded."""


async def unconfirmed(session: Session, lead_id: str, form: str) -> ConsentProofRow | None:
    """The newest consent that the lead gave on that form and has not confirmed."""
    asked = select(ConsentProofRow).where(ConsentProofRow.lead_id == lead_id, ConsentProofRow.form == form)
    newest = asked.order_by(col(ConsentProofRow.at).desc(), ConsentProofRow.id).limit(1)
    proof = (await session.exec(newest)).first()
    return proof if proof is not None and proof.confirmed_at is None else None


async def may_ask(session: Session, lead_id: str, step: Confirm, now: datetime) -> str:
    """Why the lead is not asked to confirm what it said on the form; empty when it may be asked."""
    proof = await unconfirmed(session, lead_id, step.form)
    if proof is None or now >= proof.at + CONFIRMED_WITHIN:
        return f"there is nothing to confirm on {step.form}"
    sent = select(func.count(col(MessageRow.id))).where(
        MessageRow.lead_id == lead_id,
        MessageRow.template == step.template,
        col(MessageRow.committed_at) > now - timedelta(days=1),
    )
    asked = (await session.exec(sent)).one()
    return f"asked {asked} times within a day to confirm already" if asked >= MOST_A_DAY else ""
