"""A crew: PostgreSQL, Temporal, a mail catcher, and several web processes and workers, each on its own."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
from sqlmodel import col, func, select

from nurture.laptop.ports import HOST, Ports, settled
from nurture.store import Store
from nurture.store.models import JourneyRow, MessageRow
from tests.system.processes import Processes, until

TWO = ("one", "two")


class Crew:
    """All of it; `folder` keeps logs, mails and what Temporal knows."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.store, ports = Store(database_url), settled(Ports())
        self.children = Processes(folder, ports, database_url)
        more = [settled(Ports()) for _ in TWO]
        self.web_ports = {name: one.web for name, one in zip(TWO, more, strict=True)}
        self.lookouts = {name: (one.worker_metrics, one.temporal_metrics) for name, one in zip(TWO, more, strict=True)}
        self.client = httpx.AsyncClient(trust_env=False, timeout=20)

    async def muster(self) -> None:
        """Start all of it."""
        self.client.headers["Authorization"] = f"Bearer {await self.children.prepare(self.store)}"
        self.children.start_temporal()
        ports = ["--smtp-port", str(self.children.ports.smtp), "--http-port", str(self.children.ports.inbox)]
        self.children.run("catcher", "-m", "nurture.laptop.catcher", *ports, "--log", str(self.mail_log))
        for name in TWO:
            self.children.start_web(f"web-{name}", self.web_ports[name])
            self.start_worker(name)
        for name in TWO:
            await self.ready(f"http://{HOST}:{self.web_ports[name]}")
            await self.ready(f"http://{HOST}:{self.lookouts[name][0]}")

    def start_worker(self, name: str) -> None:
        """Start that worker (again)."""
        watched, temporal = map(str, self.lookouts[name])
        env = {"NURTURE_WORKER_METRICS_PORT": watched, "NURTURE_TEMPORAL_METRICS_PORT": temporal}
        self.children.start_worker(f"worker-{name}", **env)

    async def ready(self, url: str) -> None:
        """Wait until a process says that it is ready."""

        async def said() -> bool:
            try:
                return (await self.client.get(f"{url}/ready")).is_success
            except httpx.HTTPError:
                return False

        await until(said, lambda: url)

    async def dismiss(self) -> None:
        """End all of it, the workers first."""
        await asyncio.to_thread(self.children.end, *(f"worker-{name}" for name in TWO))
        await asyncio.to_thread(self.children.close)
        await self.client.aclose()
        await self.store.close()

    # --- what happens ---

    @property
    def mail_log(self) -> Path:
        """Every mail that was taken: the ground truth."""
        return self.children.folder / "mails.jsonl"

    def mails(self, who: Sequence[str]) -> Counter[str]:
        """How many mails each of these leads got."""
        written = self.mail_log.read_text() if self.mail_log.exists() else ""
        lines = written.rpartition("\n")[0].splitlines()  # the last one may be half written
        return Counter(to for line in lines if (to := json.loads(line)["recipient"]) in who)

    async def ask(self, web: str, who: Sequence[str]) -> int:
        """These leads ask for something, at that web process; the status of its answer."""
        events = [{"id": f"asked-{one}", "name": "asked", "lead": {"email": one}} for one in who]
        return (await self.client.post(f"http://{HOST}:{self.web_ports[web]}/v1/events", json=events)).status_code

    async def ledger(self) -> dict[str, int]:
        """How many messages stand where."""
        query = select(MessageRow.status, func.count()).group_by(MessageRow.status)
        async with self.store.read() as session:
            return dict((await session.exec(query)).all())

    async def journeys(self) -> int:
        """How many journeys there are, each of a lead of its own."""
        query = select(func.count(), func.count(func.distinct(col(JourneyRow.lead_id))))
        async with self.store.read() as session:
            journeys, leads = (await session.exec(query.select_from(JourneyRow))).one()
        assert journeys == leads
        return int(journeys)
