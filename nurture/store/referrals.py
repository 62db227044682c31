"""The share codes of leads."""

from datetime import datetime
from hashlib import sha256

from sqlmodel import col, select

from nurture.store.database import Session
from nurture.store.models import ReferralRow
from nurture.store.upsert import insert

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that are read as another
LENGTH = 8


async def share_code(session: Session, lead_id: str, now: datetime) -> str:
    """The lead's own share code, made when it is first asked for."""
    known = select(ReferralRow.code).where(ReferralRow.lead_id == lead_id)
    known = known.order_by(col(ReferralRow.created_at), col(ReferralRow.code)).limit(1)
    if found := (await session.exec(known)).one_or_none():
        return found
    for salt in range(100):
        row = {"code": _code(lead_id, salt), "lead_id": lead_id, "created_at": now}
        adding = insert(session, ReferralRow).values(row).on_conflict_do_nothing()
        await session.exec(adding)
        if found := (await session.exec(known)).one_or_none():
            return found
    raise RuntimeError("no share code is free")


def _code(lead_id: str, salt: int) -> str:
    number = int.from_bytes(sha256(f"share/{lead_id}/{salt}".encode()).digest(), "big")
    return "".join(LETTERS[number // len(LETTERS) ** at % len(LETTERS)] for at in range(LENGTH))
