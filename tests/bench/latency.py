"""From an event's request to the next action of the journey that waited for it, at a hundred events a second."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.bench import leads
from tests.bench.rows import Row, quantile
from tests.bench.sink import noted
from tests.bench.stage import Stage
from tests.bench.wire import Wire
from workflows.client import workflow_id

RATE = 100
HEARD, EXITS = 1000, 300


async def measure(folder: Path, scale: float) -> list[Row]:
    """Real processes: web, worker, Temporal, and a mail sink whose notes tell when an action was."""
    heard, exits = int(HEARD * scale), int(EXITS * scale)
    async with Stage(folder) as stage:
        client = await stage.temporal()
        notes = await stage.sink()
        await stage.web()
        await stage.worker()
        people = await leads.settle(stage.store, heard + heard // 10 + exits)
        journeys = dict(zip(people, await leads.enter(stage.store, "ask", people), strict=True))

        async def all_listen() -> bool:
            return await leads.standing(stage.store, "ask", "active", "listen") == len(people)

        await stage.until("waiting of all journeys", all_listen, patience=600)
        some, many, leaving = people[: heard // 10], people[heard // 10 : -exits], people[-exits:]
        tenth = await _asked(stage, journeys, notes, some, idle=9)
        each = await _asked(stage, journeys, notes, many)

        async def ended() -> bool:
            return (await client.count_workflows("ExecutionStatus = 'Running'")).count <= exits

        await stage.until("end of all that answered", ended, patience=300)  # its rest is no part of an exit
        left = await _left(stage, client, journeys, leaving)
    return [
        Row(f"event to action, {RATE} events/s, all heard, p95", quantile(each, 0.95), "s", at_most=1),
        Row(f"event to action, {RATE} events/s, all heard, median", quantile(each, 0.5), "s"),
        Row(f"event to action, {RATE} events/s, one in ten heard, p95", quantile(tenth, 0.95), "s", at_most=1),
        Row(f"exit in the middle of a wait, {RATE} events/s, p99", quantile(left, 0.99), "s", at_most=2),
        Row(f"exit in the middle of a wait, {RATE} events/s, median", quantile(left, 0.5), "s"),
    ]


async def _asked(
    stage: Stage, journeys: Mapping[str, str], notes: Path, people: list[str], idle: int = 0
) -> list[float]:
    """The seconds from each event to the mail that it brought about; `idle` events for each one concern nobody."""
    events = [(who, name) for who in people for name in ["bench_asked", *["bench_seen"] * idle]]
    sent = await _send(stage, events)
    keys = {who: f"{journeys[who]}/answer/0/1" for who in people}

    async def all_came() -> bool:
        there = noted(notes)
        return all(key in there for key in keys.values())

    await stage.until("the last mail", all_came, patience=300)
    there = noted(notes)
    return [there[keys[who]] - sent[who, "bench_asked"] for who in people]


async def _left(stage: Stage, client: Client, journeys: Mapping[str, str], people: list[str]) -> list[float]:
    """The seconds from each event to the end of the workflow, by the server's own clock."""
    sent = await _send(stage, [(who, "bench_left") for who in people])
    took = []
    for who in people:
        handle = client.get_workflow_handle(workflow_id(journeys[who]))
        await handle.result()
        closed = (await handle.describe()).close_time
        assert closed is not None  # it has answered
        took.append(closed.timestamp() - sent[who, "bench_left"])
    return took


async def _send(stage: Stage, events: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Send the events at the rate, whatever the answers take; when each was sent."""
    free: asyncio.Queue[Wire] = asyncio.Queue()
    wires = [await Wire.open(stage.ports.web, stage.api_key) for _ in range(64)]
    for wire in wires:
        free.put_nowait(wire)
    sent: dict[tuple[str, str], float] = {}

    async def send(event: tuple[str, str], due: float) -> None:
        await asyncio.sleep(due - time.monotonic())
        who, name = event
        given: dict[str, Any] = {"name": name, "lead": {"email": leads.address(who)}}
        sent[event] = time.time()
        wire = await free.get()
        if await wire.post("/v1/events", given) != 202:
            raise AssertionError("an event was not taken")
        free.put_nowait(wire)

    begun = time.monotonic() + 0.1
    await asyncio.gather(*(send(event, begun + at / RATE) for at, event in enumerate(events)))
    for wire in wires:
        wire.close()
    return sent
