"""A house to live in: PostgreSQL behind a gate, Temporal, a web process and workers, and a relay that takes mail.

Each process is started, ended and killed on its own; the gate and the relay live in the test's own loop.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy.engine import make_url
from sqlmodel import col, select

from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports
from nurture.laptop.stack import dev_server
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade
from nurture.store.models import JourneyRow, LeadRow, MessageRow

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "tests" / "templates"
PATIENCE = 90.0
HELLO = """
from nurture import Campaign, State, days, leave, on, send, wait

campaign = Campaign("hello", enters=[on("asked")], states=[
    State("one", [send("test/one", legal_basis="the lead asked for it"), wait(days(1)), leave("done")]),
])
"""


async def until(holds: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait until it holds; what is `told` else says what there is instead."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"did not come about in {PATIENCE:.0f} s: {told()}"
        await asyncio.sleep(0.05)


@dataclass
class Gate:
    """A port before the database's socket; shut, it is as if the database were away."""

    socket: str
    port: int
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, HOST, self.port)

    def shut(self) -> None:
        """Let nobody in, and cut every line."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self.socket)
        pair = {writer, far_writer}
        self._writers |= pair
        await asyncio.gather(_pumped(reader, far_writer), _pumped(far_reader, writer))
        self._writers -= pair


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@dataclass
class Relay:
    """A mail server that keeps what it took, and the line on which it is asked whether it took a message."""

    port: int
    lookup_port: int
    took: list[tuple[str, str]] = field(default_factory=list)
    """To whom, and its Message-ID."""
    handed: int = 0
    open_hand: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _desk: asyncio.Server | None = None
    _lines: list[SMTP] = field(default_factory=list)

    async def open(self) -> None:
        self.open_hand.set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._line, HOST, self.port)
        self._desk = await asyncio.start_server(self._answer, HOST, self.lookup_port)

    def shut(self) -> None:
        """Let nobody in, and hang up on who is in."""
        for server in (self._server, self._desk):
            assert server is not None
            server.close()
        for line in self._lines:
            if isinstance(line.transport, asyncio.WriteTransport):
                line.transport.abort()
        self._lines.clear()

    def _line(self) -> SMTP:
        line = SMTP(self, hostname="relay", loop=asyncio.get_running_loop())
        self._lines.append(line)
        return line

    def to(self, who: str) -> int:
        """How many mails that lead got."""
        return sum(address == who for address, _ in self.took)

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        content = message_from_bytes(bytes(envelope.original_content or b""), policy=default)
        self.handed += 1
        await self.open_hand.wait()
        self.took += [(to, str(content["Message-ID"])) for to in envelope.rcpt_tos]
        return "250 2.0.0 Ok"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = unquote((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()).removeprefix("/")
        found = any(message_id == f"<{asked}>" for _, message_id in self.took)
        writer.write(f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()


class House:
    """All of it; `folder` keeps logs and what Temporal knows."""

    def __init__(self, folder: Path, database_url: str, ports: Ports, gate: int, lookup: int) -> None:
        self.folder, self.ports = folder, ports
        self.store = Store(database_url)
        self.children = Children(folder)
        socket = make_url(database_url).query["host"]
        self.gate = Gate(f"{socket}/.s.PGSQL.5432", gate)
        self.relay = Relay(ports.smtp, lookup)
        self.web = httpx.AsyncClient(base_url=f"http://{HOST}:{ports.web}", trust_env=False, timeout=10)
        through = make_url(database_url).set(host=HOST, port=gate, query={})
        self._env = self._environment(through.render_as_string(hide_password=False))

    def _environment(self, database_url: str) -> dict[str, str]:
        alien = ("NURTURE_", "TEMPORAL_", "PYTHONDONTWRITEBYTECODE")
        return {name: value for name, value in os.environ.items() if not name.startswith(alien)} | {
            "NO_PROXY": HOST,
            "NURTURE_DATABASE_URL": database_url,
            "NURTURE_CAMPAIGNS": str(self.folder / "campaigns"),
            "NURTURE_TEMPLATES": str(TEMPLATES),
            "NURTURE_SMTP_PORT": str(self.relay.port),
            "NURTURE_SMTP_LOOKUP_URL": f"http://{HOST}:{self.relay.lookup_port}",
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
        }

    async def furnish(self) -> None:
        """Tables, the campaign and an API key."""
        (self.folder / "campaigns").mkdir()
        (self.folder / "campaigns" / "hello.py").write_text(HELLO)
        upgrade(self.store.url)
        now = datetime.now(UTC)
        async with self.store.write() as session:
            for version in load(self.folder / "campaigns", TEMPLATES).campaigns.values():
                await campaigns.publish(session, version, by="test", now=now)
            self.web.headers["Authorization"] = f"Bearer {await make_key(session, 'test', SCOPES, now)}"

    # --- its processes ---

    def start_temporal(self) -> None:
        self.children.start("temporal", dev_server(self.ports, self.folder / "temporal.db"), self._env, self.folder)

    def start_web(self) -> None:
        where = ["--app-dir", str(ROOT), "--host", HOST, "--port", str(self.ports.web)]
        self._run("web", "-m", "uvicorn", "web.app:create", "--factory", *where)

    def start_worker(self, name: str = "worker") -> None:
        self._run(name, str(ROOT / "worker.py"))

    async def takes_in(self, name: str) -> None:
        """Start a worker, and wait until it works."""
        self.start_worker(name)
        await until(lambda: self.children.said(name, "worker.ready"), lambda: self.children.log(name).read_text())

    def _run(self, name: str, *arguments: str) -> None:
        self.children.start(name, [sys.executable, *arguments], self._env, self.folder)

    async def says(self, name: str, words: str, times: int = 1) -> None:
        """Wait until that process has written these words as often as that."""
        await until(lambda: self.count(name, words) >= times, lambda: self.children.log(name).read_text())

    def count(self, name: str, words: str) -> int:
        """How often a process has written these words."""
        return self.children.log(name).read_text().count(words)

    async def ended(self, name: str) -> int:
        """The exit code of that process, once it has ended."""
        process = self.children._processes[name]
        await until(lambda: process.poll() is not None, lambda: self.children.log(name).read_text())
        self.children.end(name)
        return int(process.returncode)

    async def end(self, *names: str) -> None:
        """End these processes; in a thread, as they still need the gate and the relay."""
        await asyncio.to_thread(self.children.end, *names)

    async def close(self) -> None:
        """End all of it, the worker first."""
        await self.end("worker")
        await asyncio.to_thread(self.children.close)
        self.relay.shut()
        self.gate.shut()
        await self.web.aclose()
        await self.store.close()

    # --- its life ---

    async def asks(self, *who: str) -> httpx.Response:
        """These leads ask for something, in one request."""
        events = [{"id": f"asked-{one}", "name": "asked", "lead": {"email": one}} for one in who]
        return await self.web.post("/v1/events", json=events if len(events) > 1 else events[0])

    async def messages(self, *who: str) -> list[tuple[str, str]]:
        """Each message of these leads: how its journey stands, and the message."""
        query = select(JourneyRow.status, MessageRow.status).join(LeadRow, col(LeadRow.id) == col(JourneyRow.lead_id))
        query = query.join(MessageRow, col(MessageRow.journey_id) == col(JourneyRow.id), isouter=True)
        async with self.store.read() as session:
            return [(row[0], row[1]) for row in await session.exec(query.where(col(LeadRow.email).in_(who)))]

    async def rests(self, *who: str) -> None:
        """Wait until each of these leads is in one journey, of which one message was accepted."""
        end = time.monotonic() + PATIENCE
        while await self.messages(*who) != [("active", "accepted")] * len(who):
            assert time.monotonic() < end, f"there is {await self.messages(*who)}"
            await asyncio.sleep(0.1)
