"""SQLite on the event loop: who writes waits for others, and the loop does not."""

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import select

from nurture.errors import Unavailable
from nurture.store import Store, on_the_loop
from nurture.store.models import MarkRow


async def _note(store: Store, mark: MarkRow) -> None:
    async with store.write() as session:
        session.add(mark)


async def _note_and_break(store: Store, mark: MarkRow) -> None:
    async with store.write() as session:
        session.add(mark)
        await session.flush()
        raise ZeroDivisionError


async def _names(store: Store) -> list[str]:
    async with store.read() as session:
        return list((await session.exec(select(MarkRow.name))).all())


async def test_who_writes_waits_for_another_process_while_the_loop_goes_on(sqlite_url: str, now: datetime) -> None:
    store, other = Store(sqlite_url), sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")), isolation_level=None)
    await _names(store)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(_note(store, MarkRow(name="ours", at=now)))

    done, _ = await asyncio.wait([writing], timeout=0.05)
    assert (done, await _names(store)) == (set(), [])
    other.execute("COMMIT")
    await writing

    assert await _names(store) == ["ours"]
    other.close()
    await store.close()


async def test_who_has_waited_too_long_for_another_process_is_told(
    sqlite_url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = Store(sqlite_url), sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")), isolation_level=None)
    await _names(store)
    monkeypatch.setattr(on_the_loop, "PATIENCE", 0.0)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable):
        await _note(store, MarkRow(name="ours", at=now))

    other.close()
    assert await _names(store) == []
    await store.close()


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_goes_on(sqlite_url: str, now: datetime) -> None:
    store = Store(sqlite_url)
    await _note(store, MarkRow(name="one", at=now))

    with pytest.raises(ZeroDivisionError):
        await _note_and_break(store, MarkRow(name="two", at=now))
    await _note(store, MarkRow(name="three", at=now))

    assert await _names(store) == ["one", "three"]
    await store.close()


async def test_many_at_once_write_one_after_the_other(sqlite_url: str, now: datetime) -> None:
    store = Store(sqlite_url)

    await asyncio.gather(*(_note(store, MarkRow(name=f"{at}", at=now)) for at in range(30)))

    assert len(await _names(store)) == 30
    await store.close()


async def test_a_database_in_memory_is_one_for_all(now: datetime) -> None:
    store = Store("sqlite://")
    async with store.engine.begin() as connection:
        await connection.run_sync(MarkRow.metadata.create_all)

    await _note(store, MarkRow(name="here", at=now))

    assert await _names(store) == ["here"]
    await store.close()
