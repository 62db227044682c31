"""Events a second into the web process over HTTP: singly and in batches, on both databases, answered after the commit."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from nurture.store.models import EventRow
from tests.bench.rows import Row
from tests.bench.stage import EXAMPLES, Stage
from tests.bench.wire import Wire
from tests.embedded import get_server

SINGLE, IN_BATCHES, BATCH, CONNECTIONS = 6_000, 24_000, 100, 32
PEOPLE = 5_000


async def measure(folder: Path, scale: float) -> list[Row]:
    """SQLite first, then PostgreSQL as its server comes, with nothing switched off."""
    found: list[Row] = []
    async with Stage(folder / "sqlite", campaigns=EXAMPLES) as stage:
        found += await _run(stage, "SQLite", scale)
    async with postgres(folder) as url, Stage(folder / "postgres", database_url=url, campaigns=EXAMPLES) as stage:
        found += await _run(stage, "PostgreSQL", scale)
    return found


def made(folder: Path) -> None:
    """See that the folder is there."""
    folder.mkdir(parents=True, exist_ok=True)


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    """A PostgreSQL server as it comes."""
    with get_server(folder / "pgdata", cleanup_mode="delete") as server:
        yield server.get_uri()


async def _run(stage: Stage, database: str, scale: float) -> list[Row]:
    await stage.web()
    singly = await _rate(stage, _events("single", int(SINGLE * scale)), 202)
    batched = await _rate(stage, _batches(int(IN_BATCHES * scale)), 207) * BATCH
    async with stage.store.read() as session:
        query = select(func.count()).select_from(EventRow).where(col(EventRow.source) == "api")
        kept = (await session.exec(query)).one()
    if kept != int(SINGLE * scale) + int(IN_BATCHES * scale):
        raise AssertionError(f"{kept} events are in the store: not each that was sent, once")
    return [
        Row(f"{database}, one event a request, {CONNECTIONS} connections", singly, "events/s", at_least=1500),
        Row(f"{database}, {BATCH} events a request, {CONNECTIONS} connections", batched, "events/s", at_least=6000),
    ]


async def _rate(stage: Stage, requests: Iterator[Any], answer: int) -> float:
    """Requests a second over all connections, from the first to the last answer."""
    wires = [await Wire.open(stage.ports.web, stage.api_key) for _ in range(CONNECTIONS)]
    sent = 0

    async def send(wire: Wire) -> None:
        nonlocal sent
        for given in requests:
            sent += 1
            status = await wire.post("/v1/events", given)
            if status != answer:
                raise AssertionError(f"a request was answered with {status}")

    begun = time.monotonic()
    await asyncio.gather(*(send(wire) for wire in wires))
    took = time.monotonic() - begun
    for wire in wires:
        wire.close()
    return sent / took


def _events(run: str, number: int) -> Iterator[dict[str, Any]]:
    """Events that are each to be known again, to find or make their lead, and to give points."""
    names = ("visit", "price_list_downloaded", "webinar_registered", "question_asked")
    for at in range(number):
        email = f"person-{at * 7919 % PEOPLE}@example.com"
        yield {
            "id": f"{run}-{at}",
            "name": names[at % len(names)],
            "lead": {"email": email, "first_name": "Ann", "country": "DE"},
            "properties": {"page": f"/prices/{at % 50}", "referrer": "search"},
        }


def _batches(number: int) -> Iterator[list[dict[str, Any]]]:
    events = _events("batch", number)
    return iter(lambda: [one for _, one in zip(range(BATCH), events, strict=False)], [])
