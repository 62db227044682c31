"""A door before Temporal, as Temporal Cloud has one: TLS, clients' certificates, and a key that is asked for."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hpack import Decoder, Encoder

from tests.temporal.keys import Pair

HOST = "127.0.0.1"
PREFACE = 24
DATA, HEADERS, SETTINGS = 0, 1, 4
ACK = END_STREAM = 1
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
NO_ENTRY = [
    (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "16"), ("grpc-message", "no such key"),
]  # fmt: skip


@dataclass
class Door:
    """Lets in who has a certificate of `clients`, and whose calls bring the `key`, where these are asked for."""

    behind: str
    own: Pair
    clients: Path | None = None
    key: str | None = None
    passed: int = 0
    turned_away: int = 0
    address: str = ""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.clients)
        context.load_cert_chain(self.own.certificate, self.own.key)
        context.set_alpn_protocols(["h2"])
        if self.clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        server = await asyncio.start_server(self._comes, HOST, 0, ssl=context)
        self.address = f"{HOST}:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _comes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            line = Line(reader)
            headers = await line.called() if self.key is not None else {}
            if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
                self.turned_away += 1
                await _turned_away(line, writer)
                return
            self.passed += 1
            host, _, port = self.behind.rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            self._writers.add(far_writer)
            far_writer.write(bytes(line.read))
            await asyncio.gather(_pumped(reader, far_writer), _pumped(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


class Line:
    """What a client says, frame by frame (RFC 9113); `read` is all of it so far."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader, self._decoder, self.read, self.stream = reader, Decoder(), bytearray(), 0

    async def called(self) -> dict[str, str]:
        """The headers of the next call; they come in one frame, as they are short."""
        if not self.read:
            await self._take(PREFACE)
        while True:
            head = await self._take(9)
            length, kind, flags, self.stream = int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:])
            body = await self._take(length)
            if kind == HEADERS:
                assert flags & END_HEADERS
                body = body[1 : len(body) - body[0]] if flags & PADDED else body
                body = body[5:] if flags & PRIORITY else body
                return {str(name): str(value) for name, value in self._decoder.decode(body)}

    async def _take(self, number: int) -> bytes:
        taken = await self._reader.readexactly(number)
        self.read += taken
        return taken


async def _turned_away(line: Line, writer: asyncio.StreamWriter) -> None:
    """Answer every call that there is no entry."""
    writer.write(_frame(SETTINGS, 0, 0, b"") + _frame(SETTINGS, ACK, 0, b""))
    encoder = Encoder()
    while True:
        writer.write(_frame(HEADERS, END_HEADERS | END_STREAM, line.stream, encoder.encode(NO_ENTRY)))
        await writer.drain()
        await line.called()


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + body


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
