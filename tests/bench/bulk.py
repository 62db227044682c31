"""An audience enrolled while its worker is killed with SIGKILL again and again: each lead exactly once, and at what speed.

`python -m tests.bench.bulk --leads 20000 --rate 400/s --kills 3` runs it on a laptop stack of its own.
"""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func
from sqlmodel import col, select
from temporalio.client import Client

from nurture.audiences import Audience
from nurture.bulk import rate as leads_a_second
from nurture.laptop.ports import HOST
from nurture.laptop.stack import Stack
from nurture.lead import lead
from nurture.store import Store, bulk_runs
from nurture.store.bulk import insert_all
from nurture.store.models import BulkRunRow, JourneyRow, LeadRow, new_id

PATIENT = """
from nurture import Campaign, State, days, wait

campaign = Campaign("patient", [State("waiting", [wait(days(30))])])
"""
EVERYBODY = Audience(key="everybody", who=lead.source == "bench")
LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Outcome:
    """What became of the audience: journeys by lead, workflows, kills, and how long it took."""

    leads: int
    journeys: Counter[str]
    workflows: int
    status: str
    counts: dict[str, int]
    kills: int
    seconds: float

    @property
    def exactly_once(self) -> bool:
        """Whether every lead has one journey, every journey one workflow, and nobody else has any."""
        return set(self.journeys.values()) == {1} and len(self.journeys) == self.workflows == self.leads

    def __str__(self) -> str:
        return (
            f"{self.leads:,} leads: {len(self.journeys):,} with journeys, {self.journeys.total():,} journeys, "
            f"{self.workflows:,} workflows; run {self.status}, {self.counts}; {self.kills} kills; "
            f"{self.seconds:.1f} s, {self.leads / self.seconds:.0f} leads/s; exactly once: {self.exactly_once}"
        )


async def killed_on_the_way(folder: Path, leads: int, rate: str, kills: int) -> Outcome:
    """Enrol so many leads, the worker killed so often at even distances."""
    campaigns = folder / "campaigns"
    campaigns.mkdir()
    (campaigns / "patient.py").write_text(PATIENT)
    stack = Stack(folder / "stack", campaigns=campaigns)
    store = Store(stack.database_url)
    try:
        await stack.start()
        run_id = await _ordered(store, leads, leads_a_second(rate))
        begun = time.monotonic()
        for kill in range(1, kills + 1):
            await _until(store, leads * kill // (kills + 1))
            stack.kill_worker()
            stack.start_worker()
            await stack.worker_ready()
        await _until(store, leads, run_id)
        seconds = time.monotonic() - begun
        return await _outcome(stack, store, run_id, leads, kills, seconds)
    finally:
        await store.close()
        stack.stop()


async def _ordered(store: Store, leads: int, rate: float) -> str:
    now = datetime.now(UTC)
    row = LeadRow(profile={"source": "bench"}, created_at=now, updated_at=now).model_dump()
    written = {"audience": EVERYBODY.model_dump(mode="json"), "mailing": None}
    run = BulkRunRow(kind="enrol", what="patient", audience="everybody", written=written, rate=rate, ordered_at=now)
    async with store.write() as session:
        await insert_all(session, LeadRow, [{**row, "id": new_id()} for _ in range(leads)])
        await bulk_runs.order(session, run, now)
    return run.id


async def _until(store: Store, journeys: int, done: str | None = None) -> None:
    """Wait until so many journeys are under way, and the run named is done."""
    while True:
        async with store.read() as session:
            query = select(func.count()).select_from(JourneyRow).where(col(JourneyRow.status) == "active")
            ready = (await session.exec(query)).one() >= journeys
            if ready and (done is None or (await bulk_runs.get(session, done)).status == "done"):
                return
        await asyncio.sleep(LOOK_EVERY)


async def _outcome(stack: Stack, store: Store, run_id: str, leads: int, kills: int, seconds: float) -> Outcome:
    client = await Client.connect(f"{HOST}:{stack.ports.temporal}")
    async with store.read() as session:
        run = await bulk_runs.get(session, run_id)
        journeys = Counter((await session.exec(select(JourneyRow.lead_id))).all())
    started = (await client.count_workflows("WorkflowType = 'journey'")).count
    return Outcome(leads, journeys, started, run.status, run.counts, kills, seconds)


def main() -> None:
    """Run it and tell the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--rate", default="400/s")
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        print(asyncio.run(killed_on_the_way(Path(folder), given.leads, given.rate, given.kills)))  # noqa: T201  # to a person


if __name__ == "__main__":
    main()
