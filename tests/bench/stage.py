"""The stage of a benchmark: Temporal, web, worker and mail sink as processes of their own, on free ports, ended with it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import httpx
import psutil
from temporalio.client import Client
from temporalio.service import RPCError

from nurture.campaign import Cap
from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports, settled
from nurture.loader import load
from nurture.permission import HouseRules
from nurture.settings import Settings
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade
from workflows.client import register_search_attributes
from workflows.payloads import data_converter

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = ROOT / "campaigns"
PATIENCE = 60.0
# Asked after before each message, and never in the way.
RULES = HouseRules(quiet=None, caps=(Cap(messages=1000, period=timedelta(days=1)),))


@dataclass
class Stage:
    """What a benchmark plays on; it is taken down at the end, whatever happened."""

    folder: Path
    database_url: str = ""
    campaigns: Path = HERE / "campaigns"
    speed: str = ""
    hook_secrets: Mapping[str, str] = field(default_factory=dict)
    ports: Ports = field(default_factory=lambda: settled(Ports()))
    api_key: str = ""

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database_url = self.database_url or f"sqlite:///{self.folder / 'nurture.db'}"
        self._children = Children(self.folder)
        upgrade(self.database_url)
        self.store, now = Store(self.database_url), datetime.now(UTC)
        catalogue = load(self.campaigns, ROOT / "templates")
        async with self.store.write() as session:
            for version in catalogue.campaigns.values():
                await campaigns.publish(session, version, by="bench", now=now)
            self.api_key = await make_key(session, "bench", SCOPES, now)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._children.end("worker", "by-hand")
        self._children.close()
        await self.store.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the processes inherit."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": HOST,
            "NURTURE_DATABASE_URL": self.database_url,
            "NURTURE_CAMPAIGNS": str(self.campaigns),
            "NURTURE_TEMPLATES": str(ROOT / "templates"),
            "NURTURE_SMTP_HOST": HOST,
            "NURTURE_SMTP_PORT": str(self.ports.smtp),
            "NURTURE_SPEED": self.speed,
            "NURTURE_HOOK_SECRETS": json.dumps(dict(self.hook_secrets)),
            "NURTURE_RULES": RULES.model_dump_json(),
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
        }

    @property
    def settings(self) -> Settings:
        """The settings that the processes read, for a part of them in this one."""
        return Settings(campaigns=self.campaigns, templates=ROOT / "templates", smtp_port=self.ports.smtp, rules=RULES)

    # --- the processes ---

    async def temporal(self) -> Client:
        """Temporal's dev server on a file, as the laptop stack has it; its metrics are on the inbox's port."""
        command = [str(Path(sys.executable).parent / "temporal"), "server", "start-dev", "--ip", HOST]
        command += [
            "--log-level",
            "error",
            "--port",
            str(self.ports.temporal),
            "--headless",
            "--metrics-port",
            str(self.ports.inbox),
        ]
        command += ["--db-filename", str(self.folder / "temporal.db")]
        command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        command += ["--dynamic-config-value", "matching.enableFairness=true"]
        self._start("temporal", command)
        await self.until("Temporal", self._temporal_answers)
        client = await Client.connect(f"{HOST}:{self.ports.temporal}", data_converter=data_converter(self._content))
        await register_search_attributes(client)
        return client

    async def web(self) -> None:
        """The web process, as it is served."""
        self._start("web", [sys.executable, "-m", "web", "--host", HOST, "--port", str(self.ports.web)])
        await self.until("web", self._web_answers)

    async def worker(self, script: Path = ROOT / "worker.py", name: str = "worker") -> None:
        """The worker: the real one, or one with a channel that takes everything."""
        self._start(name, [sys.executable, str(script)])
        await self.until(name, partial(self._said, name, "worker.ready"))

    async def sink(self) -> Path:
        """The mail sink; answers where it notes what came."""
        notes = self.folder / "notes.txt"
        command = [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"{HOST}:{self.ports.smtp}"]
        self._start("sink", [*command, "--class", "tests.bench.sink.Noting", str(notes)])
        await self.until("the mail sink", self._sink_answers)
        return notes

    def stop(self, name: str) -> None:
        """End one of them."""
        self._children.end(name)

    def _start(self, name: str, command: list[str]) -> None:
        self._children.start(name, command, self.environment, ROOT)

    # --- what is read off them ---

    def cpu(self, name: str) -> float:
        """The seconds of CPU that a process has taken."""
        taken = psutil.Process(self._children.pid(name)).cpu_times()
        return taken.user + taken.system

    def memory(self, name: str) -> float:
        """The megabytes that a process alone holds in memory."""
        return psutil.Process(self._children.pid(name)).memory_full_info().uss / 1e6

    def file_size(self, name: str) -> int:
        """The bytes of a file of the stage, its write-ahead log among them."""
        files = (self.folder / name, self.folder / f"{name}-wal")
        return sum(file.stat().st_size for file in files if file.exists())

    async def until(self, name: str, ready: Callable[[], Awaitable[bool]], patience: float = PATIENCE) -> None:
        """Wait for it; a process that ended, or that takes too long, is an error."""
        end = time.monotonic() + patience
        while not await ready():
            self._children.check()
            if time.monotonic() > end:
                raise TimeoutError(f"{name} did not come about in {patience:.0f} s: see the logs in {self.folder}")
            await asyncio.sleep(0.05)

    async def _content(self, version_hash: str) -> str:
        async with self.store.read() as session:
            return await campaigns.content(session, version_hash)

    async def _said(self, name: str, words: str) -> bool:
        return self._children.said(name, words)

    async def _temporal_answers(self) -> bool:
        try:
            client = await Client.connect(f"{HOST}:{self.ports.temporal}")
            return await client.service_client.check_health()
        except (RuntimeError, RPCError):
            return False

    async def _web_answers(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://{HOST}:{self.ports.web}/ready")).is_success
        except httpx.HTTPError:
            return False

    async def _sink_answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, self.ports.smtp)
        except OSError:
            return False
        writer.close()
        return True
