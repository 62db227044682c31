"""Whether a process can do its work, on each database in turn, and on one that is not there."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nurture import readiness
from nurture.readiness import Check, Checklist, database, fit, going, room, rounds, saying, tables
from nurture.store import Store
from nurture.store.migrate import upgrade
from nurture.store.models import OutboxRow

GONE = "postgresql://me:secret@127.0.0.1:1/none"


async def answer(check: Check) -> str:
    return (await Checklist({"it": check}).asked())["it"]


async def test_a_store_with_room_is_fit(store: Store) -> None:
    answers = await Checklist({"database": database(store), "outbox": room(store, 1)}).asked()

    assert answers == {"database": "ok", "outbox": "ok"}
    assert fit(answers)


async def test_a_full_outbox_is_told(store: Store, now: datetime) -> None:
    async with store.write() as session:
        session.add(OutboxRow(lead_id="ann", kind="event", due_at=now, created_at=now))

    assert await answer(room(store, 1)) == "full with 1 rows: see that a worker runs and reaches Temporal"


async def test_tables_that_are_not_there_or_current_are_told(tmp_path: Path) -> None:
    store = Store(url := f"sqlite:///{tmp_path / 'bare.db'}")
    assert await answer(tables(store)) == (
        "the database has no tables of nurture yet: make them with nurture db upgrade"
    )
    upgrade(url)
    assert await answer(tables(store)) == "ok"
    await store.close()


async def test_without_a_database_each_says_so_and_none_its_password() -> None:
    store = Store(GONE)
    answers = await Checklist({"a": database(store), "b": tables(store), "c": room(store, 1)}).asked()

    assert answers == {
        "a": "cannot be reached: see the log, and NURTURE_DATABASE_URL",
        "b": "cannot be told without the database",
        "c": "cannot be told without the database",
    }
    assert not fit(answers)


async def test_what_does_not_answer_in_time_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(readiness, "PATIENCE", 0.01)
    assert await answer(never) == "did not answer within 0.01 s"


async def test_what_breaks_is_not_ready_and_its_text_is_kept_back() -> None:
    async def breaks() -> None:
        raise ValueError("a secret")

    assert await answer(breaks) == "cannot be told: ValueError"


async def test_a_dispatcher_that_stands_still_is_told(now: datetime) -> None:
    async def said(last: datetime | None) -> str:
        return await answer(rounds(lambda: last, lambda: now))

    assert await said(None) == "has not begun yet"
    assert await said(now - timedelta(seconds=30)) == "ok"
    assert await said(now - timedelta(seconds=31)) == (
        "did its last round at 2026-11-23 09:59:29 UTC: see the log for what it waits for"
    )


async def test_a_process_that_is_told_to_stop_is_not_ready_any_more() -> None:
    stop = asyncio.Event()
    assert await answer(going(stop)) == "ok"

    stop.set()
    assert await answer(going(stop)) == "is stopping"


async def test_a_check_can_take_the_place_of_another() -> None:
    checklist = Checklist({"temporal": saying("not yet")})
    assert await checklist.asked() == {"temporal": "not yet"}

    checklist.now_by("temporal", going(asyncio.Event()))
    assert await checklist.asked() == {"temporal": "ok"}
