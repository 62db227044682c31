"""Statements past SQLAlchemy's execution give and find what its own way does, on each database in turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from nurture.store import Session, Store
from nurture.store.among import among
from nurture.store.bulk import insert_all, insert_new, table, update_all
from nurture.store.leads import get, locked
from nurture.store.models import EventRow, LeadRow
from nurture.store.plain import Statement

LEADS = table(LeadRow)
BY_STAGE = Statement(
    select(LEADS).where(
        LEADS.c.created_at <= bindparam("until"),
        LEADS.c.stage.in_(["need", "buy"]),
        LEADS.c.stage == bindparam("now_in"),
    )
)
MOVED = Statement(update(LEADS).where(LEADS.c.id == bindparam("lead")).values(stage=bindparam("to")))


@dataclass
class Kept:
    """A lead as it was written."""

    store: Store
    row: dict[str, Any]

    async def as_read(self) -> dict[str, Any]:
        """The lead by the session's own way."""
        async with self.store.read() as session:
            return (await session.get_one(LeadRow, self.row["id"])).model_dump()


def a_lead(now: datetime, **values: Any) -> dict[str, Any]:
    return LeadRow(created_at=now, updated_at=now, **values).model_dump()


async def kept(store: Store, now: datetime, **values: Any) -> Kept:
    row = a_lead(now, **values)
    async with store.write() as session:
        await insert_all(session, LeadRow, [row])
    return Kept(store, row)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"email": "ann@example.org", "test": True, "language": "ru"},
        {"profile": {"company": {"turnover": 1.5e6}, "tags": ["a", "Ж"]}, "scores": {"interest": 12.5}},
        {"last_received": datetime(2026, 3, 29, 2, 30, 0, 7, tzinfo=UTC)},
        {"last_received": datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))},
    ],
)
async def test_what_is_given_and_found_is_what_a_session_would(
    store: Store, now: datetime, values: Mapping[str, Any]
) -> None:
    one = await kept(store, now, **values)

    async with store.read() as session:
        found = await BY_STAGE.named(session, until=now, now_in="need")

    assert found == [one.row] == [await one.as_read()]


async def test_what_is_asked_for_is_asked_for_each_time(store: Store, now: datetime) -> None:
    await kept(store, now)

    async with store.read() as session:
        answers = [
            len(await BY_STAGE.rows(session, until=until, now_in=stage))
            for until, stage in ((now, "need"), (now, "buy"), (now - timedelta(microseconds=1), "need"))
        ]

    assert answers == [1, 0, 0]


async def test_it_tells_how_many_rows_it_changed(store: Store, now: datetime) -> None:
    one = await kept(store, now)

    async with store.write() as session:
        changed = [await MOVED.changes(session, lead=lead, to="buy") for lead in (one.row["id"], "nobody")]

    assert (changed, (await one.as_read())["stage"]) == ([1, 0], "buy")


async def test_a_row_that_is_there_is_not_inserted_again(store: Store, now: datetime) -> None:
    one = await kept(store, now)
    event = {"id": "e1", "lead_id": one.row["id"], "name": "visit", "properties": {}, "at": now, "received": now}
    event |= {"source": "api", "machine": False}

    async with store.write() as session:
        inserted = [await insert_new(session, EventRow, given) for given in (event, event | {"name": "other"})]
    async with store.read() as session:
        name = (await session.get_one(EventRow, "e1")).name

    assert (inserted, name) == ([True, False], "visit")


async def test_what_goes_wrong_is_an_error_of_sqlalchemy_that_tells_no_value(store: Store, now: datetime) -> None:
    one = await kept(store, now, email="secret@example.org")

    with pytest.raises(IntegrityError) as caught:
        async with store.write() as session:
            await insert_all(session, LeadRow, [one.row])

    assert "secret@example.org" not in str(caught.value)


async def test_a_transaction_that_fails_leaves_nothing_of_it(store: Store, now: datetime) -> None:
    one = await kept(store, now)

    with pytest.raises(RuntimeError, match="half way"):
        await _bought_half_way(store, one.row["id"])

    assert await one.as_read() == one.row


async def _bought_half_way(store: Store, lead_id: str) -> None:
    async with store.write() as session:
        await update_all(session, LeadRow, [{"id": lead_id, "stage": "buy"}])
        raise RuntimeError("half way")


async def test_a_row_found_so_is_the_sessions_own(store: Store, now: datetime) -> None:
    one = await kept(store, now)

    async with store.write() as session:
        lead = await locked(session, one.row["id"])
        assert await get(session, one.row["id"]) is lead
        lead.stage = "buy"
        session.add(lead)

    assert (await one.as_read())["stage"] == "buy"


async def test_a_row_the_session_holds_is_brought_up_to_date(store: Store, now: datetime) -> None:
    one = await kept(store, now)

    async with store.write() as session:
        lead = await get(session, one.row["id"])
        await _moved_past(session, lead)
        afresh = await locked(session, lead.id)

        assert afresh is lead
        assert lead.stage == "buy"


async def _moved_past(session: Session, lead: LeadRow) -> None:
    """Another part of the transaction moves the lead, and does not tell the session."""
    await MOVED.changes(session, lead=lead.id, to="buy")


async def test_one_of_a_list_is_found_by_the_index(store: Store) -> None:
    asked = select(LEADS.c.id, LEADS.c.stage).where(among(LEADS.c.id, "given"))
    async with store.read() as session:
        connection = await session.connection()
        if store.sqlite:
            explained = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {asked.compile(store.engine.sync_engine)}", ("[]",)
            )
            plan = "\n".join(row[-1] for row in explained)
        else:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explained = await connection.exec_driver_sql(f"EXPLAIN {asked.compile(store.engine.sync_engine)}", (["a"],))
            plan = "\n".join(row[0] for row in explained)

    assert "INDEX" in plan.upper()
