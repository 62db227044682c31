"""What grows with the number of leads: the worker's memory, the store, and the time that each thing takes."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import text

from nurture.store import Store
from tests.bench import intake, journeys, leads, mail, simulating
from tests.bench.rows import Row
from tests.bench.stage import Stage

Benchmark: TypeAlias = Callable[[Path, float], Coroutine[Any, Any, list[Row]]]

SIZES, SHORT = (1_000, 5_000, 20_000), (1_000, 2_500, 4_000)  # the last two are more than a worker caches
TEN_TIMES: Mapping[str, Benchmark] = {"simulate": simulating.measure, "mail": mail.measure, "intake": intake.measure}
TEN_TIMES_AT_LENGTH: Mapping[str, Benchmark] = {**TEN_TIMES, "journeys": journeys.measure}
RATES = frozenset({"events/s", "messages/s", "journeys/s"})
SETTLING = 3.0  # seconds in which a worker comes to rest after its last start


async def measure(folder: Path, scale: float) -> list[Row]:
    """With so many waiting journeys, in one worker; then the other benchmarks at a size and at ten times that."""
    found = await _waiting(folder / "waiting", SIZES if scale >= 1 else SHORT)
    size, others = (1.0, TEN_TIMES_AT_LENGTH) if scale >= 1 else (0.1, TEN_TIMES)
    for name, benchmark in others.items():
        small = await benchmark(folder / f"{name}-1", size)
        large = await benchmark(folder / f"{name}-10", 10 * size)
        found += [_longer(name, *rows) for rows in zip(small, large, strict=True) if _tells_time(rows[0])]
    return found


async def _waiting(folder: Path, sizes: Sequence[int]) -> list[Row]:
    found: list[Row] = []
    async with Stage(folder) as stage:
        await stage.temporal()
        await stage.worker()
        empty, server = await _bytes(stage.store), stage.file_size("temporal.db")
        people = await leads.settle(stage.store, sizes[-1])
        settled = await _bytes(stage.store)
        used: list[float] = []
        waiting = 0
        for size in sizes:
            await leads.enter(stage.store, "rest", people[waiting:size])
            await _until_waiting(stage, size)
            waiting = size
            used.append(stage.memory("worker"))
            found.append(Row(f"worker's memory, {size:,} waiting journeys", used[-1], "MB"))
        entered = await _bytes(stage.store)
        temporal = stage.file_size("temporal.db") - server
    return [
        *found,
        Row(f"worker's memory, {sizes[-1]:,} to {sizes[-2]:,} waiting", used[-1] / used[-2], "ratio", at_most=1.1),
        Row("store, a lead", (settled - empty) / sizes[-1], "bytes"),
        Row("store, a waiting journey", (entered - settled) / sizes[-1], "bytes"),
        Row("Temporal's file, a waiting journey", temporal / sizes[-1], "bytes"),
    ]


async def _until_waiting(stage: Stage, number: int) -> None:
    async def all_wait() -> bool:
        return await leads.parked(stage.store, "rest") == number

    await stage.until(f"waiting of {number:,} journeys", all_wait, patience=1800)
    await asyncio.sleep(SETTLING)


async def _bytes(store: Store) -> int:
    """What the database takes of its file."""
    async with store.read() as session:
        size, pages, free = [
            (await (await session.connection()).execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("page_size", "page_count", "freelist_count")
        ]
    return int(size * (pages - free))


def _tells_time(row: Row) -> bool:
    return row.unit in RATES or row.what.endswith("90 days")


def _longer(name: str, small: Row, large: Row) -> Row:
    """How much longer one takes when there are ten times as many."""
    ratio = small.measured / large.measured if small.unit in RATES else large.measured / 10 / small.measured
    what = "leads, 90 days" if name == "simulate" else small.what
    return Row(f"{name}: {what}, each at ten times the number", ratio, "× the time")
