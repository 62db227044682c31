"""Addresses that take nothing, kept as hashes (`nurture.addresses.hash_of`), so that erasure keeps the promise."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import bindparam, select
from sqlmodel import col, delete

from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import SuppressionRow
from nurture.store.plain import Statement, execute
from nurture.store.upsert import insert

Scope: TypeAlias = Literal["all", "marketing"]
SUPPRESSIONS = table(SuppressionRow)
SUPPRESSED = Statement(
    select(SUPPRESSIONS.c.scope, SUPPRESSIONS.c.reason).where(SUPPRESSIONS.c.address_hash == bindparam("address"))
)
SUPPRESSED_AMONG = select(SUPPRESSIONS.c.address_hash, SUPPRESSIONS.c.reason).where(
    among(SUPPRESSIONS.c.address_hash, "addresses")
)


async def suppress(session: Session, address_hash: str, scope: Scope, reason: str, now: datetime) -> None:
    """Send nothing of that scope to the address any more; the first reason stays."""
    row = {"address_hash": address_hash, "scope": scope, "reason": reason, "at": now}
    await session.exec(insert(session, SuppressionRow).values(row).on_conflict_do_nothing())


async def suppressed(session: Session, address_hash: str) -> dict[str, str]:
    """The scopes in which the address takes nothing, each with its reason."""
    return {row[0]: row[1] for row in await SUPPRESSED.rows(session, address=address_hash)}


async def suppressed_among(session: Session, hashes: Collection[str]) -> dict[str, str]:
    """Those of the addresses that take no mail, or no marketing, each with a reason."""
    rows = (await execute(session, SUPPRESSED_AMONG, {"addresses": list(hashes)})).all()
    return {row[0]: row[1] for row in rows}


async def lift(session: Session, address_hash: str, scope: Scope) -> None:
    """Let the address take that scope again; a person decides that: one of ours, or its owner."""
    which = (col(SuppressionRow.address_hash) == address_hash) & (col(SuppressionRow.scope) == scope)
    await session.exec(delete(SuppressionRow).where(which))
