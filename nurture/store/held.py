"""Leads whose rows one transaction holds, many at a time: by which keys they are known, and what becomes of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from nurture.identity import Key
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.models import IdentityRow, LeadRow
from nurture.store.plain import Statement

# Made once: on the way in, putting a statement together takes longer than running it.
LEADS, IDENTITIES = table(LeadRow), table(IdentityRow)
BY_KEYS = Statement(
    select(IDENTITIES.c.value, IDENTITIES.c.lead_id).where(
        IDENTITIES.c.kind == bindparam("kind"), among(IDENTITIES.c.value, "given")
    )
)
KINDS = Statement(select(IDENTITIES.c.lead_id, IDENTITIES.c.kind).where(among(IDENTITIES.c.lead_id, "given")))
EXISTING = Statement(select(LEADS.c.id).where(among(LEADS.c.id, "given")))
OF_LEAD = ("id", "profile", "written", "scores", "fading", "stage", "test", "last_received")
HELD = Statement(
    select(*(LEADS.c[name] for name in OF_LEAD))
    .where(among(LEADS.c.id, "given"))
    .order_by(LEADS.c.id)
    .with_for_update()
)


@dataclass(slots=True)
class HeldLead:
    """A lead whose row this transaction holds: what is changed here is written by `save`."""

    id: str
    profile: dict[str, Any] = field(default_factory=dict)
    written: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    fading: dict[str, Any] = field(default_factory=dict)
    stage: str = "need"
    test: bool = False
    last_received: datetime | None = None
    is_new: bool = False
    profile_changed: bool = False
    recounted: bool = False  # its scores are to be counted anew


def by_keys(connection: Connection, keys: Collection[Key]) -> dict[Key, str]:
    """The leads known by those keys; a key that nobody has is left out."""
    found: dict[Key, str] = {}
    for kind in sorted({kind for kind, _ in keys}):
        values = [value for one, value in keys if one == kind]
        for value, lead_id in BY_KEYS.on(connection, kind=kind, given=values):
            found[kind, value] = lead_id
    return found


def kinds_of(connection: Connection, lead_ids: Collection[str]) -> dict[str, set[str]]:
    """Of which kinds each lead's keys are."""
    found: dict[str, set[str]] = {lead_id: set() for lead_id in lead_ids}
    if found:
        for lead_id, kind in KINDS.on(connection, given=list(found)):
            found[lead_id].add(kind)
    return found


def existing(connection: Connection, lead_ids: Collection[str]) -> set[str]:
    """Those of the ids that are leads."""
    return {row[0] for row in EXISTING.on(connection, given=lead_ids)} if lead_ids else set()


def held(connection: Connection, lead_ids: Collection[str]) -> dict[str, HeldLead]:
    """The leads, their rows held until the end of the transaction; always in the same order, so that none deadlocks."""
    if not lead_ids:
        return {}
    return {row[0]: HeldLead(*row) for row in HELD.on(connection, given=lead_ids)}


def save(connection: Connection, leads: Iterable[HeldLead], now: datetime) -> None:
    """Write the held leads: the new ones, and what changed of the others."""
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    touched: list[dict[str, Any]] = []
    for lead in leads:
        row = _touched(lead, now)
        if lead.is_new:
            new.append(row | _whole(lead) | {"created_at": now})
        elif lead.profile_changed:
            changed.append(row | _whole(lead))
        else:
            touched.append(row)
    insert_rows(connection, LeadRow, new)
    update_rows(connection, LeadRow, changed)
    update_rows(connection, LeadRow, touched)


def _touched(lead: HeldLead, now: datetime) -> dict[str, Any]:
    row = {"id": lead.id, "last_received": lead.last_received, "updated_at": now}
    return {**row, "scores": lead.scores, "fading": lead.fading}


def _whole(lead: HeldLead) -> dict[str, Any]:
    copies = {name: lead.profile.get(name) for name in ("email", "language", "time_zone")}
    return {**copies, "profile": lead.profile, "written": lead.written, "stage": lead.stage, "test": lead.test}


def settle(connection: Connection, lead: HeldLead, now: datetime) -> None:
    """Write a new lead at once, for rows that are about to refer to it."""
    if lead.is_new:
        save(connection, [lead], now)
        lead.is_new, lead.profile_changed = False, True


def name_them(connection: Connection, keys: Iterable[tuple[Key, str]]) -> None:
    """Note by which keys leads are known from now on; in one order always, so that two writers cannot deadlock."""
    rows = [{"kind": kind, "value": value, "lead_id": lead_id} for (kind, value), lead_id in sorted(keys)]
    insert_rows(connection, IdentityRow, rows)


def rename(connection: Connection, keys: Iterable[tuple[Key, str]]) -> None:
    """Let keys that stood for one lead stand for another."""
    for (kind, value), lead_id in sorted(keys):
        which = (IDENTITIES.c.kind == kind) & (IDENTITIES.c.value == value)
        connection.execute(update(IDENTITIES).where(which).values(lead_id=lead_id))
