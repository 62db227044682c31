"""Approvals: who agreed to a template as it was, and whether what is to be sent is what was agreed to."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from nurture.ledger import Status
from nurture.store.approval_tables import ApprovalRow
from nurture.store.database import Session
from nurture.store.models import MessageRow
from nurture.store.plain import Statement

AWAITS = "waits for approval"
"""What the reason of a message begins with that is held for this."""

APPROVED = Statement(select(col(ApprovalRow.hash)).where(col(ApprovalRow.template) == bindparam("template")))


async def approve(session: Session, template: str, hash_: str, by: str, now: datetime) -> bool:
    """Note that somebody agrees to the template as it is; False when somebody did before."""
    if await session.get(ApprovalRow, (template, hash_)) is not None:
        return False
    session.add(ApprovalRow(template=template, hash=hash_, by=by, at=now))
    return True


async def unapproved(session: Session, template: str, hashes: Collection[str]) -> str:
    """Why a message is held, as one of these states of its template is not agreed to; empty when all are."""
    agreed = {hash_ for (hash_,) in await APPROVED.rows(session, template=template)}
    if agreed.issuperset(hashes):
        return ""
    what = "was changed since it was approved" if agreed else "was never approved"
    return f"{AWAITS}: template {template} {what}"


async def latest(session: Session) -> Mapping[str, Mapping[str, ApprovalRow]]:
    """All approvals, by template and by hash, the newest last."""
    found: dict[str, dict[str, ApprovalRow]] = {}
    for row in (await session.exec(select(ApprovalRow).order_by(col(ApprovalRow.at)))).all():
        found.setdefault(row.template, {})[row.hash] = row
    return found


async def waiting(session: Session) -> Counter[str]:
    """How many messages of each template are held until it is approved."""
    held = (col(MessageRow.status) == Status.DEFERRED.value, col(MessageRow.reason).contains(AWAITS))
    query = select(MessageRow.template, func.count()).where(*held).group_by(col(MessageRow.template))
    return Counter(dict((await session.exec(query)).all()))
