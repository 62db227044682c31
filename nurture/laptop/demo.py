"""The demo: scripted people walk the example campaigns on the whole stack, one day a second, and an audit at the end."""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlmodel import col, func, select

from nurture.laptop.audit import Audit, Entry, audit
from nurture.laptop.people import People
from nurture.laptop.stack import Stack
from nurture.store import Store, journeys
from nurture.store.models import EventRow, HandOffRow, JourneyRow, MessageRow, OutboxRow

LONGEST = 88.0
LEAST = 12.0
SETTLED = ("ended", "holdout")
ARRIVALS_AT_ONCE = 8


@dataclass
class Demo:
    """What is asked for."""

    leads: int = 200
    seed: int = 1
    speed: str = "1d=1s"
    chaos: bool = False
    longest: float = LONGEST

    async def run(self, stack: Stack, out: Console) -> Audit:
        """Let everybody walk; answers the audit."""
        people = People(stack.web_url, stack.inbox_url, stack.api_key.get_secret_value(), self.seed)
        store = Store(stack.database_url)
        stop = asyncio.Event()
        kills = 0
        async with httpx.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as group:
            reading = group.create_task(people.read(client, stop))
            with Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
                TimeElapsedColumn(), console=out,
            ) as progress:  # fmt: skip
                await self._arrive(people, client, progress)
                kills = await self._walk(stack, store, progress)
            stop.set()
            await reading
        if kills:
            out.print(f"The worker was killed {kills} times on the way (SIGKILL).")
        result = await self._report(stack, store, people, out)
        await store.close()
        return result

    async def _arrive(self, people: People, client: httpx.AsyncClient, progress: Progress) -> None:
        task = progress.add_task("people arrive  ", total=self.leads)
        places = asyncio.Semaphore(ARRIVALS_AT_ONCE)

        async def one(number: int) -> None:
            async with places:
                await people.arrive(client, number)
                progress.advance(task)

        await asyncio.gather(*(one(number) for number in range(1, self.leads + 1)))

    async def _walk(self, stack: Stack, store: Store, progress: Progress) -> int:
        """Until every journey has ended, or time is up; with chaos the worker dies several times on the way."""
        task = progress.add_task("journeys end   ", total=self.leads)
        dice = random.Random(self.seed)  # noqa: S311  # a script, no secret
        begun = time.monotonic()
        deaths = sorted(dice.uniform(3, min(40, self.longest * 0.6)) for _ in range(5)) if self.chaos else []
        kills = 0
        while (passed := time.monotonic() - begun) < self.longest:
            if deaths and passed > deaths[0]:
                deaths.pop(0)
                stack.kill_worker()
                stack.start_worker()
                kills += 1
            stack.check()
            ended, left = await self._standing(store)
            progress.update(task, completed=ended, total=max(self.leads, ended + left))
            if not left and passed > LEAST and not deaths and await self._idle(store):
                break
            await asyncio.sleep(0.25)
        end = time.monotonic() + 40
        while not await self._idle(store) and time.monotonic() < end:  # noqa: ASYNC110  # it is another process's work
            await asyncio.sleep(0.25)
        return kills

    async def _standing(self, store: Store) -> tuple[int, int]:
        async with store.read() as session:
            counts = await journeys.counts(session)
        ended = sum(one.journeys for one in counts if one.status in SETTLED)
        return ended, sum(one.journeys for one in counts) - ended

    async def _idle(self, store: Store) -> bool:
        """Whether nothing is on its way: no row in the outbox, no message at the point of being sent."""
        moving = col(MessageRow.status).in_(["planned", "claimed", "committing"])
        async with store.read() as session:
            waiting = (await session.exec(select(func.count()).select_from(OutboxRow))).one()
            sending = (await session.exec(select(func.count()).select_from(MessageRow).where(moving))).one()
        return waiting == 0 and sending == 0

    async def _report(self, stack: Stack, store: Store, people: People, out: Console) -> Audit:
        async with store.read() as session:
            rows = (await session.exec(select(MessageRow))).all()
            states = (await session.exec(select(JourneyRow))).all()
            known = select(func.count()).select_from(EventRow).where(col(EventRow.id).in_(people.acknowledged))
            stored = (await session.exec(known)).one()
            hand_offs = (await session.exec(select(func.count()).select_from(HandOffRow))).one()
        out.print(_journeys(states), "", _messages(rows), "")
        did = ", ".join(f"{what} {times}" for what, times in people.did.most_common())
        out.print(f"People: {did}.\nHand-offs to sales: {hand_offs}.")
        out.print(f"Events acknowledged {len(people.acknowledged)}, stored once {stored}.")
        arrived = [json.loads(line)["key"] for line in stack.mail_log.read_text().splitlines()]
        result = audit(arrived, [Entry(f"{row.journey_id}/{row.occurrence}", row.status) for row in rows])
        out.print(result.verdict(), style="green" if result.holds else "red")
        return result if stored == len(people.acknowledged) else result._replace(unaccounted=("an event",))


def _journeys(rows: Sequence[JourneyRow]) -> Table:
    table = Table("campaign", "how it stands", "journeys", title="Journeys", title_justify="left", box=None)
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.campaign, row.ending or f"{row.status} in {row.state}"] += 1
    for (campaign, standing), count in sorted(counts.items()):
        table.add_row(campaign, standing, str(count))
    return table


def _reason(row: MessageRow) -> str:
    return "" if row.status == "accepted" else row.reason


def _messages(rows: Sequence[MessageRow]) -> Table:
    table = Table("message", "status", "count", title="Messages", title_justify="left", box=None)
    counts = Counter((row.template, row.status, _reason(row)) for row in rows)
    for (template, status, reason), count in sorted(counts.items()):
        table.add_row(template, status + (f": {reason}" if reason else ""), str(count))
    return table


@asynccontextmanager
async def laptop(speed: str, folder: Path | None = None) -> AsyncIterator[Stack]:
    """The stack, started and stopped; in a folder of its own unless one is given."""
    with tempfile.TemporaryDirectory(prefix="nurture-") as made:
        stack = Stack(folder or Path(made), speed)
        try:
            await stack.start()
            yield stack
        finally:
            stack.stop()
