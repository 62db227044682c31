"""Where a lead is reached, by the kind of key that a channel goes by: its address as it is now."""

from sqlalchemy import bindparam, select

from nurture.addresses import KINDS, hash_of
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import IdentityRow, LeadRow
from nurture.store.plain import Statement

LEADS, IDENTITIES = table(LeadRow), table(IdentityRow)
CHAT = "messenger.telegram"
PROFILE = Statement(select(LEADS.c.email, LEADS.c.profile).where(LEADS.c.id == bindparam("lead")))
KEYS = Statement(
    select(IDENTITIES.c.value).where(IDENTITIES.c.lead_id == bindparam("lead"), IDENTITIES.c.kind == bindparam("kind"))
)


ALL_KEYS = Statement(select(IDENTITIES.c.kind, IDENTITIES.c.value).where(IDENTITIES.c.lead_id == bindparam("lead")))
OWNER = Statement(
    select(IDENTITIES.c.lead_id).where(IDENTITIES.c.kind == bindparam("kind"), IDENTITIES.c.value == bindparam("value"))
)


async def owner_of(session: Session, kind: str, address: str) -> str | None:
    """The lead that goes by that key."""
    found = await OWNER.first(session, kind=kind, value=address)
    return None if found is None else found[0]


async def hashes_of(session: Session, lead_id: str) -> dict[str, str]:
    """What is kept of each of the lead's addresses that takes nothing, with the channel that it is kept for."""
    keys = await ALL_KEYS.rows(session, lead=lead_id)
    found: dict[str, str] = {}
    for kind, value in keys:
        own = [channel for channel, one in KINDS.items() if one == kind]
        found |= {hash_of(channel, value): channel for channel in own or [kind.partition(".")[2]] if channel}
    return found


async def address_of(session: Session, lead_id: str, kind: str) -> str | None:
    """The lead's address of that kind; of several ids in one messenger the greatest, which is the newest account."""
    if kind in ("email", "phone"):
        found = await PROFILE.first(session, lead=lead_id)
        if found is None:
            return None
        email, profile = found
        return email if kind == "email" else (profile or {}).get("phone")
    ids = [value for (value,) in await KEYS.rows(session, lead=lead_id, kind=kind) if kind != CHAT or value.isdigit()]
    return max(ids, key=lambda value: (len(value), value), default=None)
