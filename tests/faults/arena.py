"""The arena: every part of nurture as a process of its own, the sink in place of the world, and stretches of network."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports, settled
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade
from tests.faults.crowd import HOOK_SECRET
from tests.faults.databases import Database, Postgres, Sqlite
from tests.faults.proxy import Proxy, tcp
from tests.faults.records import Record
from tests.faults.rules import Rule

HERE = Path(__file__).parent
TODAY = "tests.faults.this_build"
ROOT = HERE.parent.parent
SPEED = "1d=1s"
PATIENCE = 60.0


class Arena:
    """One run's processes in one folder; the nemesis acts on them by name."""

    def __init__(self, folder: Path, database: Database, *, temporal_settings: Mapping[str, str] | None = None) -> None:
        self.folder, self.database = folder, database
        self.children = Children(folder)
        self.ports = settled(Ports())
        self.timeline = Record(folder / "faults.jsonl")
        self.to_web = Proxy(tcp(self.ports.web))
        self.to_temporal = Proxy(tcp(self.ports.temporal))
        self.to_sink = Proxy(tcp(self.ports.smtp))
        self.to_database = database.proxy() if isinstance(database, Postgres) else None
        self.campaigns = folder / "campaigns"
        self.key = ""
        self._temporal_settings = temporal_settings or {}
        self._http = httpx.AsyncClient(trust_env=False, timeout=10)

    async def start(self) -> None:
        """Start all of it, and wait until it is ready."""
        shutil.copytree(HERE / "campaigns", self.campaigns)
        for proxy in (self.to_web, self.to_temporal, self.to_sink, self.to_database):
            if proxy is not None:
                await proxy.start()
        self.start_temporal()
        self.start_sink()
        await self.prepare_store()
        self.start_web()
        await self.temporal_ready()
        await self.start_worker()
        await self.web_answers()
        await self.sink_answers()

    async def prepare_store(self) -> None:
        """Make the tables, publish the campaigns, and make a key."""
        await asyncio.to_thread(upgrade, self.database.url)
        store, now = Store(self.database.url), datetime.now(UTC)
        async with store.write() as session:
            for version in load(self.campaigns, ROOT / "tests" / "templates").campaigns.values():
                await campaigns.publish(session, version, by="tests", now=now)
            self.key = await make_key(session, "tests", SCOPES, now)
        await store.close()
        if isinstance(self.database, Postgres):
            await self.database.prepare()

    # --- processes ---

    def environment(self, **changes: str) -> dict[str, str]:
        """What a process of nurture is told, with these changes."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("NURTURE_", "TEMPORAL_"))}
        if ours.pop("PYTHONDONTWRITEBYTECODE", ""):  # or each start compiles everything anew, for seconds
            ours["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir(), "nurture-faults-pycache"))
        return ours | {
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": f"{HOST},localhost",
            "NURTURE_DATABASE_URL": self.database.url,
            "NURTURE_CAMPAIGNS": str(self.campaigns),
            "NURTURE_TEMPLATES": str(ROOT / "tests" / "templates"),
            "NURTURE_BASE_URL": f"http://{HOST}:{self.ports.web}",
            "NURTURE_SMTP_HOST": HOST,
            "NURTURE_SMTP_PORT": str(self.ports.smtp),
            "NURTURE_SMTP_LOOKUP_URL": f"http://{HOST}:{self.ports.inbox}/lookup",
            "NURTURE_SPEED": SPEED,
            # All leads have one receiver here: it takes as much as the sink does.
            "NURTURE_EMAIL_RECEIVERS": json.dumps({"example.com": 1000}),
            "NURTURE_EMAIL_CONNECTIONS_PER_RECEIVER": "8",
            # Scenarios share a campaign: what comes back in one is no reason to pause the others.
            "NURTURE_FUSES": '{"complaints": null, "bounces": null}',
            "NURTURE_RULES": '{"quiet": null}',  # at this speed there would be a night in every second
            "NURTURE_HOOK_SECRETS": json.dumps({"shop": HOOK_SECRET}),
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
        } | changes  # fmt: skip

    def start_temporal(self) -> None:
        """Start Temporal's server on its file (again)."""
        command = [str(Path(sys.executable).parent / "temporal"), "server", "start-dev", "--ip", HOST, "--headless"]
        command += ["--port", str(self.ports.temporal), "--log-level", "error"]
        command += ["--db-filename", str(self.folder / "temporal.db")]
        command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        for name, value in self._temporal_settings.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        self.children.start("temporal", command, self.environment(), self.folder)

    def start_sink(self) -> None:
        """Start the sink (again); its log goes on."""
        ports = ["--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.inbox)]
        command = [sys.executable, "-m", "tests.faults.sink", "--folder", str(self.folder), *ports]
        self.children.start("sink", command, self.environment(), ROOT)

    def start_web(self, name: str = "web", port: int = 0, **changes: str) -> None:
        """Start a web process (again)."""
        command = [sys.executable, "-m", "web", "--host", HOST, "--port", str(port or self.ports.web)]
        self.children.start(name, command, self.environment(**changes), self.folder)

    async def start_worker(self, name: str = "worker", build: str = TODAY, **changes: str) -> None:
        """Start a worker (again), of today's build or of another (a module), and wait until it works."""
        self.children.start(name, [sys.executable, "-m", build], self.environment(**changes), self.folder)
        await self.until(lambda: self._said(name, "worker.ready"), f"{name} is ready")

    async def start_far_worker(self) -> None:
        """Start a worker that reaches everything over the network."""
        assert isinstance(self.database, Postgres)
        assert self.to_database is not None
        far = {
            "TEMPORAL_ADDRESS": f"{HOST}:{self.to_temporal.port}",
            "NURTURE_SMTP_PORT": str(self.to_sink.port),
            "NURTURE_DATABASE_URL": self.database.far_url(self.to_database),
        }
        await self.start_worker("far-worker", **far)

    def kill(self, name: str) -> None:
        """End it at once: SIGKILL."""
        self.note("kill -9", name)
        self.children.kill(name)

    async def end(self, *names: str) -> None:
        """Let them finish what they have begun: SIGTERM."""
        self.note("SIGTERM", ", ".join(names))
        await asyncio.to_thread(self.children.end, *names)

    def note(self, fault: str, of: str = "") -> None:
        """Write into the nemesis's timeline."""
        self.timeline.add(fault=fault, of=of)

    async def command(self, *words: str) -> str:
        """Give a command of the command line, as an operator does."""
        program = str(Path(sys.executable).parent / "nurture")
        process = await asyncio.create_subprocess_exec(
            program, *words, env=self.environment(), cwd=self.folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def stop(self) -> None:
        """End everything, politely where that works."""
        for name in ("worker", "far-worker"):
            self.children.end(name, patience=1)
        self.children.close()
        for proxy in (self.to_web, self.to_temporal, self.to_sink, self.to_database):
            if proxy is not None:
                await proxy.close()
        await self._http.aclose()
        self.timeline.close()
        self.database.close()

    # --- the sink ---

    async def rule(self, rule: Rule) -> None:
        """Have the sink do that from now on."""
        self.note("sink", rule.model_dump_json(exclude_defaults=True))
        await self._sink("POST", "rules", rule.model_dump_json())

    async def release(self, name: str) -> None:
        """Have the sink forget the rule, and let go what it holds by it."""
        await self._sink("POST", f"release/{name}")

    async def silence(self, recipients: str) -> None:
        """Have the sink tell nothing about mails to these (a pattern)."""
        await self._sink("POST", "silence", recipients)

    async def holds(self, name: str, mails: int) -> None:
        """Wait until the sink holds so many mails by that rule."""
        await self.until(lambda: self._counts("held", name, mails), f"the sink holds {mails} by {name}")

    async def met(self, name: str, times: int) -> None:
        """Wait until the rule has held so often."""
        await self.until(lambda: self._counts("met", name, times), f"the rule {name} was met {times} times")

    async def _counts(self, kind: str, name: str, least: int) -> bool:
        answer = await self._sink("GET", "counts")
        return bool(answer.json()[kind].get(name, 0) >= least)

    async def _sink(self, method: str, path: str, body: str = "") -> httpx.Response:
        answer = await self._http.request(method, f"http://{HOST}:{self.ports.inbox}/{path}", content=body)
        answer.raise_for_status()
        return answer

    # --- whether something is so ---

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, patience: float = PATIENCE) -> None:
        """Wait until it is so, and not for ever."""
        end = time.monotonic() + patience
        while not await holds():
            self.children.check()
            assert time.monotonic() < end, f"not within {patience:.0f} s: {what}; see {self.folder}"
            await asyncio.sleep(0.1)

    async def temporal_ready(self) -> None:
        """Wait until Temporal answers."""
        await self.until(self._temporal_answers, "Temporal answers")

    async def web_answers(self, port: int = 0) -> None:
        """Wait until a web process is ready."""
        await self.until(lambda: self._answers(f"http://{HOST}:{port or self.ports.web}/ready"), "the web is ready")

    async def web_lives(self, port: int) -> None:
        """Wait until a web process is there, fit or not."""
        await self.until(lambda: self._answers(f"http://{HOST}:{port}/live"), "the web lives")

    async def sink_answers(self) -> None:
        """Wait until the sink is ready."""
        await self.until(lambda: self._answers(f"http://{HOST}:{self.ports.inbox}/counts"), "the sink is ready")

    async def temporal(self) -> Client:
        """A plain client of Temporal, which knows nothing of nurture."""
        return await Client.connect(f"{HOST}:{self.ports.temporal}")

    async def _temporal_answers(self) -> bool:
        try:
            return await (await self.temporal()).service_client.check_health()
        except (RuntimeError, RPCError):
            return False

    async def _answers(self, url: str) -> bool:
        try:
            return (await self._http.get(url)).is_success
        except httpx.HTTPError:
            return False

    async def _said(self, name: str, words: str) -> bool:
        return self.children.said(name, words)


def sqlite_arena(folder: Path) -> Arena:
    """An arena over SQLite, whose histories continue as new early."""
    return Arena(folder, Sqlite(folder), temporal_settings={"limit.historyCount.suggestContinueAsNew": "200"})


def postgres_arena(folder: Path) -> Arena:
    """An arena over a PostgreSQL server of its own."""
    return Arena(folder, Postgres(f"nurture-faults-{os.getpid()}"))
