"""A house to live in: PostgreSQL behind a gate, Temporal, a web process and workers, and a relay that takes mail.

Each process is started, ended and killed on its own; the gate and the relay live in the test's own loop.
"""

import asyncio
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy.engine import make_url
from sqlmodel import col, select

from nurture.laptop.ports import HOST, Ports
from nurture.store import Store
from nurture.store.models import JourneyRow, LeadRow, MessageRow
from tests.system.processes import PATIENCE, Processes, until


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
        self.store = Store(database_url)
        socket = make_url(database_url).query["host"]
        self.gate = Gate(f"{socket}/.s.PGSQL.5432", gate)
        self.relay = Relay(ports.smtp, lookup)
        self.web = httpx.AsyncClient(base_url=f"http://{HOST}:{ports.web}", trust_env=False, timeout=10)
        through = make_url(database_url).set(host=HOST, port=gate, query={}).render_as_string(hide_password=False)
        self.children = Processes(folder, ports, through, NURTURE_SMTP_LOOKUP_URL=f"http://{HOST}:{lookup}")

    async def furnish(self) -> None:
        """Tables, the campaign and an API key."""
        self.web.headers["Authorization"] = f"Bearer {await self.children.prepare(self.store)}"

    # --- its processes ---

    async def takes_in(self, name: str) -> None:
        """Start a worker, and wait until it works."""
        self.children.start_worker(name)
        await until(lambda: self.children.said(name, "worker.ready"), lambda: self.children.log(name).read_text())

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
