"""What one delay and one message cost in Temporal, read from the histories of a real server and from its own metric."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import httpx
from temporalio.client import Client

from nurture.laptop.ports import HOST
from nurture.store import Store
from tests.bench import leads
from tests.bench.rows import Row
from tests.bench.stage import HERE, Stage
from workflows.client import workflow_id

JOURNEYS = 20
ACTION = re.compile(r"^action\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)


class Cost(NamedTuple):
    """Of one journey."""

    events: float
    bytes: float
    activities: float
    timers: float
    workflow_tasks: float
    actions: float


async def measure(folder: Path, scale: float) -> list[Row]:
    """The costs of a journey with two delays and messages, less those of one with one; and what is left, the frame."""
    async with Stage(folder, speed="1d=1s") as stage:
        client = await stage.temporal()
        await stage.worker(HERE / "silent_worker.py")
        once, twice = [await _cost(stage, client, campaign) for campaign in ("once", "twice")]
    pair = Cost._make(more - less for more, less in zip(twice, once, strict=True))
    return [
        Row("one delay and message", pair.events, "events", at_most=11),
        Row("one delay and message", pair.bytes, "bytes", at_most=2000),
        Row("one delay and message", pair.activities, "activities", at_most=1),
        Row("one delay and message", pair.timers, "timers", at_most=1),
        Row("one delay and message", pair.workflow_tasks, "workflow tasks", at_most=2),
        Row("one delay and message", pair.actions, "billed actions", at_most=2),
        Row("the frame of a journey", once.events - pair.events, "events", at_most=7),
        Row("the frame of a journey", once.bytes - pair.bytes, "bytes"),
        Row("the frame of a journey", once.actions - pair.actions, "billed actions"),
    ]


async def _cost(stage: Stage, client: Client, campaign: str) -> Cost:
    before = await _actions(stage)
    journeys = await leads.enter(stage.store, campaign, await leads.settle(stage.store, JOURNEYS), pace=86400)
    await stage.until(f"the end of {campaign}", lambda: _ended(stage.store, campaign))
    histories = await asyncio.gather(*(_of_history(client, one) for one in journeys))
    actions = (await _actions(stage) - before) / JOURNEYS
    of_all = [sum(column) / JOURNEYS for column in zip(*histories, strict=True)]
    return Cost._make([*of_all, actions])


async def _ended(store: Store, campaign: str) -> bool:
    return await leads.standing(store, campaign, "ended") == JOURNEYS


async def _of_history(client: Client, journey_id: str) -> list[float]:
    handle = client.get_workflow_handle(workflow_id(journey_id))
    await handle.result()
    events = (await handle.fetch_history()).events
    kinds = Counter(str(event.WhichOneof("attributes")) for event in events)
    counted = (
        "activity_task_scheduled_event_attributes", "timer_started_event_attributes",
        "workflow_task_scheduled_event_attributes",
    )  # fmt: skip
    return [len(events), sum(event.ByteSize() for event in events), *(kinds[kind] for kind in counted)]


async def _actions(stage: Stage) -> float:
    """The server's own count of what Temporal Cloud would bill, once it stands still: it is told with a delay."""
    counts: list[float] = []
    async with httpx.AsyncClient(trust_env=False) as http:
        while len(set(counts[-3:])) != 1 or len(counts) < 3:
            told = (await http.get(f"http://{HOST}:{stage.ports.inbox}/metrics")).text
            counts.append(sum(float(count) for count in ACTION.findall(told)))
            await asyncio.sleep(1)
    return counts[-1]
