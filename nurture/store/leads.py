"""Leads in the store, one at a time: by id, or as a person names them."""

from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy
from sqlalchemy import bindparam, tuple_
from sqlmodel import col, select

from nurture.errors import BadInput, NotFound
from nurture.fields import validated
from nurture.identity import SYSTEMS, Key, in_order, popped_keys
from nurture.store import merges
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.loaded import loaded
from nurture.store.models import IdentityRow, LeadRow
from nurture.store.plain import Row, Statement

LEADS = table(LeadRow)
HELD = Statement(sqlalchemy.select(LEADS).where(LEADS.c.id == bindparam("lead")).with_for_update())
HELD_ADDRESSEE = Statement(
    sqlalchemy.select(LEADS.c.id, LEADS.c.email, LEADS.c.merged_at)
    .where(LEADS.c.id == bindparam("lead"))
    .with_for_update()
)
MOST_MERGES = 5  # at one moment, one after the other


class Addressee(NamedTuple):
    """Whom a message goes to: the lead as it is now, where it takes mail, and when another became it."""

    lead_id: str
    address: str | None
    merged_at: datetime | None


async def find(session: Session, lead_id: str) -> LeadRow | None:
    """The lead of that id, or the one that it has become; None when there is none."""
    lead = await session.get(LeadRow, lead_id)
    if lead is None and (now_is := await merges.stands_for(session, lead_id)):
        lead = await session.get(LeadRow, now_is)
    return lead


async def get(session: Session, lead_id: str) -> LeadRow:
    """The lead of that id, or the one that it has become."""
    lead = await find(session, lead_id)
    if lead is None:
        raise NotFound(f"there is no lead {lead_id[:64]!r}")
    return lead


async def locked(session: Session, lead_id: str) -> LeadRow:
    """The lead of that id, or the one that it has become, its row held until the end of the transaction."""
    return loaded(session, LeadRow, dict(zip(HELD.names, await _held(session, HELD, lead_id), strict=True)))


async def held_addressee(session: Session, lead_id: str) -> Addressee:
    """Whom a message to the lead goes to, the row held until the end of the transaction."""
    return Addressee(*await _held(session, HELD_ADDRESSEE, lead_id))


async def _held(session: Session, statement: Statement, lead_id: str) -> Row:
    """What the statement finds of the lead, or of the one that it has become, be it while one waits for its row."""
    wanted: str | None = lead_id
    for _ in range(MOST_MERGES):
        if wanted is None:
            break
        found = await statement.first(session, lead=wanted)
        if found is not None:
            return found
        wanted = await merges.stands_for(session, lead_id)
    raise NotFound(f"there is no lead {lead_id[:64]!r}")


async def look_up(session: Session, name: str) -> LeadRow:
    """The lead that a person means: by id, e-mail address, external id or phone number."""
    lead = await find(session, name)
    if lead is not None:
        return lead
    wanted = keys_meant(name)
    known_by = tuple_(col(IdentityRow.kind), col(IdentityRow.value))
    asked = select(IdentityRow.lead_id).where(known_by.in_(wanted))
    lead_id = (await session.exec(asked)).first()
    if lead_id is None:
        raise NotFound(f"no lead goes by {name[:254]!r}: give its id, e-mail address, external id or phone number")
    return await get(session, lead_id)


def keys_meant(name: str) -> list[Key]:
    """The keys that a person may mean by that name."""
    return [("external", name), *_as_contact("email", name), *_as_contact("phone", name), *_by_system(name)]


def _by_system(name: str) -> list[Key]:
    """An id with its system before it: `crm:17`, `telegram:ann`."""
    system, _, value = name.partition(":")
    found: list[Key] = []
    for field in SYSTEMS:
        try:
            found += in_order(popped_keys({field: {system: value}}))
        except BadInput:
            continue
    return found


def _as_contact(kind: Literal["email", "phone"], text: str) -> list[Key]:
    try:
        return [(kind, str(value)) for _, value in validated({kind: text}).says]
    except BadInput:
        return []
