"""How long a page of a timeline takes in a store with a million events, a tenth of them one lead's, on both databases."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from nurture.store import Store
from nurture.store.bulk import insert_all
from nurture.store.migrate import upgrade
from nurture.store.models import EventRow, LeadRow, ScoreChangeRow
from nurture.store.timeline import timeline
from tests.bench.intake import made, postgres
from tests.bench.rows import Row, quantile

EVENTS, LEADS, AT_ONCE = 1_000_000, 2_000, 10_000
BUSY_SHARE, PAGES, LIMIT = 0.1, 200, 50
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


async def measure(folder: Path, scale: float) -> list[Row]:
    """Page after page of the lead with the most events, and the first page of the others."""
    made(folder)
    found = await _run(f"sqlite:///{folder / 'nurture.db'}", "SQLite", scale)
    async with postgres(folder) as url:
        return found + await _run(url, "PostgreSQL", scale)


async def _run(url: str, database: str, scale: float) -> list[Row]:
    upgrade(url)
    store = Store(url)
    await _filled(store, int(EVENTS * scale))
    deep: list[float] = []
    before: str | None = None
    for _ in range(PAGES):
        took, before = await _page(store, "lead-0", before)
        deep.append(took)
    first = [(await _page(store, f"lead-{n}"))[0] for n in range(1, PAGES)]
    await store.close()
    what = f"{database}, {EVENTS * scale:,.0f} events, a page of {LIMIT}"
    return [
        Row(f"{what} of the busiest lead, 95th percentile", quantile(deep, 0.95), "ms", at_most=50),
        Row(f"{what} of any other, 95th percentile", quantile(first, 0.95), "ms", at_most=50),
    ]


async def _page(store: Store, lead_id: str, before: str | None = None) -> tuple[float, str | None]:
    begun = time.perf_counter()
    async with store.read() as session:
        page = await timeline(session, lead_id, before, LIMIT)
    took = (time.perf_counter() - begun) * 1000
    if len(page.entries) != LIMIT:
        raise AssertionError(f"{lead_id} has a page of {len(page.entries)} entries")
    return took, page.before


async def _filled(store: Store, number: int) -> None:
    """Events and points, in the order in which they would have come."""
    leads = [f"lead-{n}" for n in range(LEADS)]
    async with store.write() as session:
        await insert_all(
            session, LeadRow, [LeadRow(id=one, created_at=BEGUN, updated_at=BEGUN).model_dump() for one in leads]
        )
    events = _events(number)
    while some := list(islice(events, AT_ONCE)):
        points = [_points(one) for one in some[::10]]
        async with store.write() as session:
            await insert_all(session, EventRow, some)
            await insert_all(session, ScoreChangeRow, points)


def _events(number: int) -> Iterator[dict[str, Any]]:
    for n in range(number):
        lead = 0 if n % int(1 / BUSY_SHARE) == 0 else 1 + n * 7919 % (LEADS - 1)
        at = BEGUN + timedelta(seconds=n * 20)
        yield {
            "id": f"e-{n}", "lead_id": f"lead-{lead}", "name": ("visit", "price_list_downloaded")[n % 2],
            "properties": {"page": f"/prices/{n % 50}"}, "at": at, "received": at, "source": "api", "machine": False,
        }  # fmt: skip


def _points(event: dict[str, Any]) -> dict[str, Any]:
    about = {name: event[name] for name in ("lead_id", "at")}
    return {**about, "score": "interest", "rule": "on visit", "points": 1.0, "cause": event["id"]}
