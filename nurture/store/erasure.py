"""A lead erased: all that the store knows of it, and the orders to end and forget its journeys, in one transaction.

What stays are hashes: the address is suppressed, and what the lead was known by does not come in again unasked. Every
writer about a lead holds its row first, as this does: what was about to be sent finds nobody there any more.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, CursorResult, delete
from sqlalchemy import select as select_columns
from sqlmodel import SQLModel, select

from nurture.identity import Key
from nurture.profile import address_hash, key_hash
from nurture.store import merges, outbox, retargets
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.leads import locked
from nurture.store.leases import alone
from nurture.store.models import ErasureRow, HandOffRow, IdentityRow, JourneyRow, OutboxRow, SuppressionRow
from nurture.store.personal import PERSONAL
from nurture.store.plain import Statement
from nurture.store.suppressions import suppress
from nurture.store.upsert import insert

ERASED = "erased"
"""The reason of the suppression that an erasure leaves."""
ERASURES, SUPPRESSIONS = table(ErasureRow), table(SuppressionRow)
AMONG = Statement(select_columns(ERASURES.c.hash).where(among(ERASURES.c.hash, "given")))


class Erased(NamedTuple):
    """What an erasure took away: so many rows, so many journeys that the engine is to forget."""

    rows: int
    journeys: int


async def erase(session: Session, lead_id: str, by: str, now: datetime) -> Erased:
    """Erase the lead: from the commit on nothing more is sent to it, and nothing that comes late finds it."""
    lead = await locked(session, lead_id)
    lead_id = lead.id
    if session.get_bind().dialect.name == "sqlite":
        await (await session.connection()).exec_driver_sql("PRAGMA secure_delete=ON")  # the file forgets, too
    await alone(session, "outbox")  # so that no dispatcher claims what is taken away here
    known = select(IdentityRow.kind, IdentityRow.value).where(IdentityRow.lead_id == lead_id)
    keys = {(kind, value) for kind, value in (await session.exec(known)).all() if _kept_out(kind)}
    addresses = {value for kind, value in keys if kind == "email"} | {one for one in (lead.email,) if one}
    for address in sorted(addresses):
        await suppress(session, address_hash(address), "all", ERASED, now)
    ids = [lead_id, *(one.gone_id for one in await merges.of_lead(session, lead_id))]
    await _noted(session, [*(("lead", one) for one in ids), *keys, *(("email", one) for one in addresses)], by, now)
    journeys = (await session.exec(select(JourneyRow.id).where(JourneyRow.lead_id == lead_id))).all()
    hand_offs = (await session.exec(select(HandOffRow.id).where(HandOffRow.lead_id == lead_id))).all()
    rows = await retargets.let_go(session, lead_id)
    # Not what a dispatcher works on: that is its to take away, and is done before the journeys are forgotten.
    free = outbox.free(now)
    await outbox.hold(session, PERSONAL[OutboxRow](lead_id), free)
    for model in PERSONAL:
        rows += await _deleted(session, model, lead_id, *([free] if model is OutboxRow else []))
    session.expunge_all()  # what is gone must not be written again
    body = {"journeys": sorted(journeys), "hand_offs": sorted(hand_offs)}
    forgetting = OutboxRow(lead_id=lead_id, kind="forget", body=body, due_at=now, created_at=now)
    await outbox.put(session, [forgetting])
    return Erased(rows, len(journeys))


def _kept_out(kind: str) -> bool:
    """Whether an erased lead does not come in again by such a key: it names one person, and its hash is not soon guessed, as
    a number's is."""
    return kind.partition(".")[0] in ("lead", "email", "external")


async def _noted(session: Session, keys: Iterable[tuple[str, str]], by: str, now: datetime) -> None:
    rows = [{"hash": hashed, "at": now, "by": by} for hashed in sorted({key_hash(*key) for key in keys})]
    newest = insert(session, ErasureRow)
    again = newest.on_conflict_do_update(
        index_elements=["hash"], set_={"at": newest.excluded.at, "by": newest.excluded.by}
    )
    await (await session.connection()).execute(again, rows)


async def sweep_up(session: Session, lead_id: str) -> None:
    """Delete what somebody wrote about an erased lead who had looked for it just before."""
    for model in PERSONAL:
        if model is not OutboxRow:
            await _deleted(session, model, lead_id)


async def _deleted(session: Session, model: type[SQLModel], lead_id: str, *also: ColumnElement[bool]) -> int:
    result = await session.exec(delete(model).where(PERSONAL[model](lead_id), *also))
    assert isinstance(result, CursorResult)
    return result.rowcount


def erased(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Those of the keys that belonged to an erased lead."""
    hashes = {key_hash(*key): key for key in keys if _kept_out(key[0])}
    if not hashes:
        return set()
    return {hashes[row[0]] for row in AMONG.on(connection, given=hashes)}


def welcome_back(connection: Connection, keys: Collection[Key]) -> None:
    """Let in again who came back of their own accord: their address takes mail again, unless it was refused for more."""
    if not keys:
        return
    addresses = [address_hash(value) for kind, value in keys if kind == "email"]
    connection.execute(delete(ERASURES).where(ERASURES.c.hash.in_([key_hash(*key) for key in keys])))
    connection.execute(
        delete(SUPPRESSIONS).where(SUPPRESSIONS.c.address_hash.in_(addresses), SUPPRESSIONS.c.reason == ERASED)
    )
