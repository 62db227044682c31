"""Leads in the store, one at a time: by id, or as a person names them."""

from typing import Literal

import sqlalchemy
from sqlalchemy import bindparam, tuple_
from sqlmodel import col, select

from nurture.errors import BadInput, NotFound
from nurture.fields import validated
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.held import Key
from nurture.store.loaded import loaded
from nurture.store.models import IdentityRow, LeadRow
from nurture.store.plain import Statement

LEADS = table(LeadRow)
HELD = Statement(sqlalchemy.select(LEADS).where(LEADS.c.id == bindparam("lead")).with_for_update())
HELD_ADDRESS = Statement(sqlalchemy.select(LEADS.c.email).where(LEADS.c.id == bindparam("lead")).with_for_update())


async def get(session: Session, lead_id: str) -> LeadRow:
    """The lead of that id."""
    lead = await session.get(LeadRow, lead_id)
    if lead is None:
        raise NotFound(f"there is no lead {lead_id[:64]!r}")
    return lead


async def locked(session: Session, lead_id: str) -> LeadRow:
    """The lead of that id, its row held until the end of the transaction."""
    found = await HELD.named(session, lead=lead_id)
    if not found:
        raise NotFound(f"there is no lead {lead_id[:64]!r}")
    return loaded(session, LeadRow, found[0])


async def held_address(session: Session, lead_id: str) -> str | None:
    """The lead's e-mail address, its row held until the end of the transaction."""
    found = await HELD_ADDRESS.first(session, lead=lead_id)
    if found is None:
        raise NotFound(f"there is no lead {lead_id[:64]!r}")
    address: str | None = found[0]
    return address


async def look_up(session: Session, name: str) -> LeadRow:
    """The lead that a person means: by id, e-mail address, external id or phone number."""
    lead = await session.get(LeadRow, name)
    if lead is not None:
        return lead
    wanted: list[Key] = [("external", name), *_as_contact("email", name), *_as_contact("phone", name)]
    known_by = tuple_(col(IdentityRow.kind), col(IdentityRow.value))
    asked = select(IdentityRow.lead_id).where(known_by.in_(wanted))
    lead_id = (await session.exec(asked)).first()
    if lead_id is None:
        raise NotFound(f"no lead goes by {name[:254]!r}: give its id, e-mail address, external id or phone number")
    return await get(session, lead_id)


def _as_contact(kind: Literal["email", "phone"], text: str) -> list[Key]:
    try:
        return [(kind, str(value)) for _, value in validated({kind: text}).says]
    except BadInput:
        return []
