"""A crew: PostgreSQL, Temporal, a mail catcher, and several web processes and workers, each on its own."""

import asyncio
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlmodel import col, func, select

from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports, settled
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade
from nurture.store.models import JourneyRow, MessageRow

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "tests" / "templates"
PATIENCE = 60.0
TWO = ("one", "two")
HELLO = """
from nurture import Campaign, State, days, leave, on, send, wait

campaign = Campaign("hello", enters=[on("asked")], states=[
    State("one", [
        send("test/one", legal_basis="the lead asked for it", on_unknown="hold"), wait(days(1)), leave("done"),
    ]),
])
"""


async def until(holds: Callable[[], Awaitable[bool]], told: Callable[[], str] = str) -> None:
    """Wait until it holds; what is `told` else says what there is instead."""
    end = time.monotonic() + PATIENCE
    while not await holds():
        assert time.monotonic() < end, f"did not come about in {PATIENCE:.0f} s: {told()}"
        await asyncio.sleep(0.05)


class Crew:
    """All of it; `folder` keeps logs, mails and what Temporal knows."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.store = folder, Store(database_url)
        self.children = Children(folder)
        self.ports = settled(Ports())
        more = [settled(Ports()) for _ in TWO]
        self.web_ports = {name: one.web for name, one in zip(TWO, more, strict=True)}
        self.lookouts = {name: (one.worker_metrics, one.temporal_metrics) for name, one in zip(TWO, more, strict=True)}
        self.client = httpx.AsyncClient(trust_env=False, timeout=20)
        alien = ("NURTURE_", "TEMPORAL_", "PYTHONDONTWRITEBYTECODE")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(alien)} | {
            "NO_PROXY": HOST,
            "NURTURE_DATABASE_URL": database_url,
            "NURTURE_CAMPAIGNS": str(folder / "campaigns"),
            "NURTURE_TEMPLATES": str(TEMPLATES),
            "NURTURE_SMTP_PORT": str(self.ports.smtp),
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
        }

    async def muster(self) -> None:
        """Start all of it."""
        (self.folder / "campaigns").mkdir()
        (self.folder / "campaigns" / "hello.py").write_text(HELLO)
        upgrade(self.store.url)
        now = datetime.now(UTC)
        async with self.store.write() as session:
            for version in load(self.folder / "campaigns", TEMPLATES).campaigns.values():
                await campaigns.publish(session, version, by="test", now=now)
            self.client.headers["Authorization"] = f"Bearer {await make_key(session, 'test', SCOPES, now)}"
        temporal = str(shutil.which("temporal", path=str(Path(sys.executable).parent)))
        ports = ["--port", str(self.ports.temporal), "--ui-port", str(self.ports.temporal_ui)]
        self.children.start(
            "temporal", [temporal, "server", "start-dev", "--ip", HOST, *ports], self.env, self.folder
        )  # fmt: skip
        ports = ["--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.inbox)]
        self._run("catcher", "-m", "nurture.laptop.catcher", *ports, "--log", str(self.mail_log))
        for name in TWO:
            where = ["--app-dir", str(ROOT), "--host", HOST, "--port", str(self.web_ports[name])]
            self._run(f"web-{name}", "-m", "uvicorn", "web.app:create", "--factory", *where)
            self.start_worker(name)
        for name in TWO:
            await self.ready(f"http://{HOST}:{self.web_ports[name]}")
            await self.ready(f"http://{HOST}:{self.lookouts[name][0]}")

    def start_worker(self, name: str) -> None:
        """Start that worker (again)."""
        watched, temporal = self.lookouts[name]
        env = {"NURTURE_WORKER_METRICS_PORT": str(watched), "NURTURE_TEMPORAL_METRICS_PORT": str(temporal)}
        self.children.start(f"worker-{name}", [sys.executable, str(ROOT / "worker.py")], self.env | env, self.folder)

    def _run(self, name: str, *arguments: str) -> None:
        self.children.start(name, [sys.executable, *arguments], self.env, self.folder)

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
        return self.folder / "mails.jsonl"

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
