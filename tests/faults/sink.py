"""The sink: a mail server that fails as it is told to, and a log of every mail it took: what the world received.

    python -m tests.faults.sink --folder FOLDER --smtp-port 2525 --http-port 8025

The log is `arrivals.jsonl`, with an fsync before the reply. HTTP sets rules, and tells whether a Message-ID was taken (unless
silenced).
"""

import argparse
import asyncio
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.faults.records import Record, entries
from tests.faults.rules import Rule, Rules, Stage

NO_LINGER = struct.pack("ii", 1, 0)
ADDRESS = re.compile(rb"<([^>]*)>")


class Reset(Exception):
    """The connection was torn down."""


class Sink:
    """What arrived, what is held, and the rules."""

    def __init__(self, folder: Path) -> None:
        self.rules = Rules()
        self.silent = "(?!)"
        self.taken = {entry["message_id"] for entry in entries(folder / "arrivals.jsonl")}
        self.recipients: dict[str, str] = {}
        self.holding: dict[str, int] = {}
        self._released: dict[str, asyncio.Event] = {}
        self._log = Record(folder / "arrivals.jsonl")

    def take(self, recipient: str, content: bytes, rule: str) -> None:
        """The mail has arrived."""
        mail = message_from_bytes(content.partition(b"\r\n\r\n")[0])
        message_id = str(mail["Message-ID"] or "").strip("<> ")
        self._log.add(
            to=recipient, message_id=message_id, key=mail["X-Nurture-Key"], subject=mail["Subject"], rule=rule
        )
        self.taken.add(message_id)

    def seen(self, recipient: str, content: bytes) -> None:
        """A mail was offered, whatever becomes of it."""
        mail = message_from_bytes(content.partition(b"\r\n\r\n")[0])
        self.recipients[str(mail["Message-ID"] or "").strip("<> ")] = recipient

    async def hold(self, name: str) -> None:
        """Wait until that rule's mails are released."""
        self.holding[name] = self.holding.get(name, 0) + 1
        await self._released.setdefault(name, asyncio.Event()).wait()

    def release(self, name: str) -> None:
        """Let those go on that the rule holds; it is forgotten."""
        self.rules.drop(name)
        self._released.pop(name, asyncio.Event()).set()

    # --- SMTP ---

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP session."""
        with suppress(Reset, ConnectionError, asyncio.IncompleteReadError):
            await Conversation(self, reader, writer).run()
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()


class Conversation:
    """One client's session, from greeting to good-bye."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._recipient = ""

    async def run(self) -> None:
        """Answer command after command."""
        if await self._by_rule("banner"):
            return
        self._say("220 sink ready")
        while line := await self._reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                self._say("221 2.0.0 bye")
                return
            await self._answer(verb, line)

    async def _answer(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO" | b"HELO":
                self._say("250-sink\r\n250 SIZE 10000000")
            case b"RCPT":
                found = ADDRESS.search(line)
                self._recipient = found[1].decode() if found else ""
                if not await self._by_rule("rcpt"):
                    self._say("250 2.1.5 ok")
            case b"DATA":
                self._say("354 go ahead")
                await self._writer.drain()
                await self._by_rule("go-ahead")
                await self._content()
            case _:
                self._say("250 2.0.0 ok")

    async def _content(self) -> None:
        content = await self._reader.readuntil(b"\r\n")
        self._sink.seen(self._recipient, content)
        await self._by_rule("content")
        content += await self._reader.readuntil(b"\r\n.\r\n")
        self._sink.seen(self._recipient, content)
        rule = self._sink.rules.at("reply", self._recipient)
        if rule is None or rule.taken:
            self._sink.take(self._recipient, content, rule.name if rule else "")
        if rule is None or not await self._obey(rule):
            self._say("250 2.0.0 Ok: queued as sunk-mail")

    async def _by_rule(self, stage: Stage) -> bool:
        """Do what the rules say here; whether that was an answer."""
        rule = self._sink.rules.at(stage, self._recipient)
        return rule is not None and await self._obey(rule)

    async def _obey(self, rule: Rule) -> bool:
        await asyncio.sleep(rule.seconds)
        if rule.held:
            await self._sink.hold(rule.name)
        if rule.reset:
            self._writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGER)
            self._writer.transport.abort()
            raise Reset
        if rule.reply:
            self._say(rule.reply)
        return bool(rule.reply)

    def _say(self, words: str) -> None:
        self._writer.write(words.encode() + b"\r\n")


# --- HTTP ---


def control(sink: Sink, smtp_port: int) -> Starlette:
    """How the nemesis speaks to the sink, and our side of the provider's HTTP."""

    async def put_rule(request: Request) -> Response:
        sink.rules.put(Rule.model_validate_json(await request.body()))
        return JSONResponse({})

    async def release(request: Request) -> Response:
        sink.release(request.path_params["name"])
        return JSONResponse({})

    async def counts(_: Request) -> Response:
        return JSONResponse({"held": sink.holding, "met": sink.rules.counts})

    async def silence(request: Request) -> Response:
        sink.silent = (await request.body()).decode() or "(?!)"
        return JSONResponse({})

    async def look_up(request: Request) -> Response:
        message_id = request.path_params["message_id"]
        if re.fullmatch(sink.silent, sink.recipients.get(message_id, "")):
            return JSONResponse({}, 503)
        return JSONResponse({}, 200 if message_id in sink.taken else 404)

    @asynccontextmanager
    async def serving(_: Starlette) -> AsyncIterator[None]:
        server = await asyncio.start_server(sink.serve, "127.0.0.1", smtp_port, backlog=512, limit=1_000_000)
        yield
        server.close()

    routes = [
        Route("/rules", put_rule, methods=["POST"]),
        Route("/release/{name}", release, methods=["POST"]),
        Route("/counts", counts),
        Route("/silence", silence, methods=["POST"]),
        Route("/lookup/{message_id}", look_up),
    ]
    return Starlette(routes=routes, lifespan=serving)


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    given = parser.parse_args()
    app = control(Sink(given.folder), given.smtp_port)
    uvicorn.run(app, host="127.0.0.1", port=given.http_port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
