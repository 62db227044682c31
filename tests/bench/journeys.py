"""Whole journeys a second and the worker's CPU for each, beside a workflow written by hand, on the same server."""

import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench import leads
from tests.bench.rows import Row
from tests.bench.stage import HERE, Stage

JOURNEYS, ROUNDS = 200, 2


class Run(NamedTuple):
    """One run's journeys a second, and milliseconds of CPU a journey of the worker and of the server."""

    rate: float
    worker: float
    server: float


async def measure(folder: Path, scale: float) -> list[Row]:
    """Ours and the one by hand in turn, each with its worker started anew; the medians of the rounds."""
    ours: list[Run] = []
    by_hand: list[Run] = []
    async with Stage(folder, speed="1d=1s") as stage:
        await stage.temporal()
        for _ in range(ROUNDS):
            await stage.worker(HERE / "silent_worker.py")
            ours.append(await _run(stage, "worker", int(JOURNEYS * scale), start=True))
            stage.stop("worker")
            await stage.worker(HERE / "by_hand.py", "by-hand")
            by_hand.append(await _run(stage, "by-hand", int(JOURNEYS * scale), start=False))
            stage.stop("by-hand")
    our, their = _middle(ours), _middle(by_hand)
    return [
        Row("journeys a second, ours to by hand", our.rate / their.rate, "ratio", at_least=0.8),
        Row("worker's CPU a journey, ours to by hand", our.worker / their.worker, "ratio", at_most=1.5),
        Row("ours", our.rate, "journeys/s"),
        Row("by hand", their.rate, "journeys/s"),
        Row("ours, the worker's CPU", our.worker, "ms a journey"),
        Row("by hand, the worker's CPU", their.worker, "ms a journey"),
        Row("ours, the server's CPU", our.server, "ms a journey"),
        Row("by hand, the server's CPU", their.server, "ms a journey"),
    ]


async def _run(stage: Stage, worker: str, number: int, *, start: bool) -> Run:
    people = await leads.settle(stage.store, number)
    before = await leads.standing(stage.store, "road", "ended")
    cpu, server, begun = stage.cpu(worker), stage.cpu("temporal"), time.monotonic()
    await leads.enter(stage.store, "road", people, pace=86400, start=start)

    async def all_over() -> bool:
        return await leads.standing(stage.store, "road", "ended") == before + number

    await stage.until("the end of the journeys", all_over, patience=300)
    took = time.monotonic() - begun
    spent, by_server = stage.cpu(worker) - cpu, stage.cpu("temporal") - server
    return Run(number / took, 1000 * spent / number, 1000 * by_server / number)


def _middle(runs: list[Run]) -> Run:
    return Run._make(median(column) for column in zip(*runs, strict=True))
