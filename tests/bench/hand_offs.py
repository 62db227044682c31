"""From an event's request to the salesperson's mail, while an audience of ten thousand is being mailed."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func
from sqlmodel import select

from nurture.audiences import Audience
from nurture.lead import lead
from nurture.store import Store, bulk_runs
from nurture.store.models import BulkRunRow, MessageRow
from tests.bench import leads
from tests.bench.rows import Row, quantile
from tests.bench.sink import noted
from tests.bench.stage import Stage
from tests.bench.wire import Wire

PENDING, MORE, ASKED, RATE = 10_000, 4_000, 200, 5
"""So many sends at least are pending all the while; so many more go out meanwhile; so many hand-offs, so many a second."""

CROWD = Audience(key="crowd", who=lead.source == "bench")


async def measure(folder: Path, scale: float) -> list[Row]:
    """Real processes: web, worker, Temporal, and a mail sink whose notes tell when a mail came."""
    asked = max(int(ASKED * scale), 20)
    async with Stage(folder) as stage:
        await stage.temporal()
        notes = await stage.sink()
        await stage.web()
        await stage.worker()
        people = await leads.settle(stage.store, 2 * asked)
        journeys = dict(zip(people, await leads.enter(stage.store, "sell", people), strict=True))

        async def all_listen() -> bool:
            return await leads.standing(stage.store, "sell", "active", "listen") == len(people)

        await stage.until("waiting of all journeys", all_listen, patience=300)
        quiet = await _handed_over(stage, journeys, notes, people[:asked])
        crowd = int((PENDING + MORE) * scale)
        await leads.settle(stage.store, crowd, source="bench")
        await _ordered(stage.store)

        async def under_way() -> bool:
            return await _sent(stage.store) > 0

        await stage.until("the first of the audience's mails", under_way, patience=300)
        before = crowd - await _sent(stage.store)
        busy = await _handed_over(stage, journeys, notes, people[asked:])
        after = crowd - await _sent(stage.store)
    return [
        Row("event to the salesperson's mail, sends pending, p99", quantile(busy, 0.99), "s", at_most=10),
        Row("event to the salesperson's mail, sends pending, median", quantile(busy, 0.5), "s"),
        Row("the same with nothing else to do, p99", quantile(quiet, 0.99), "s"),
        Row("the same with nothing else to do, median", quantile(quiet, 0.5), "s"),
        Row("sends pending at the first", before, "messages"),
        Row("sends pending at the last", after, "messages", at_least=PENDING * scale),
    ]


async def _ordered(store: Store) -> None:
    """An audience to be entered, as fast as it goes, into a campaign that sends at once."""
    now = datetime.now(UTC)
    written = {"audience": CROWD.model_dump(mode="json"), "mailing": None}
    run = BulkRunRow(kind="enrol", what="mass", audience="crowd", written=written, rate=1000, ordered_at=now)
    async with store.write() as session:
        await bulk_runs.order(session, run, now)


async def _sent(store: Store) -> int:
    query = select(func.count()).where(MessageRow.campaign == "mass", MessageRow.status == "accepted")
    async with store.read() as session:
        return (await session.exec(query)).one()


async def _handed_over(stage: Stage, journeys: dict[str, str], notes: Path, people: list[str]) -> list[float]:
    """The seconds from each event to the mail about its hand-off."""
    wire = await Wire.open(stage.ports.web, stage.api_key)
    sent: dict[str, float] = {}
    begun = time.monotonic()
    for at, who in enumerate(people):
        await asyncio.sleep(max(0, begun + at / RATE - time.monotonic()))
        sent[who] = time.time()
        if await wire.post("/v1/events", {"name": "bench_wanted", "lead": {"email": leads.address(who)}}) != 202:
            raise AssertionError("an event was not taken")
    wire.close()
    keys = {who: f"{journeys[who]}/sales/0/1:hand-off:1" for who in people}

    async def all_came() -> bool:
        there = noted(notes)
        return all(key in there for key in keys.values())

    await stage.until("the last mail to sales", all_came, patience=300)
    there = noted(notes)
    return [there[keys[who]] - sent[who] for who in people]
