"""A stretch of network between two parts, on loopback: it can be cut, can hang, and can swallow the answers."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET

HOST = "127.0.0.1"
NO_LINGER = struct.pack("ii", 1, 0)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def tcp(port: int) -> Callable[[], Awaitable[Streams]]:
    """How to reach a port of this machine."""
    return lambda: asyncio.open_connection(HOST, port)


def unix(path: str) -> Callable[[], Awaitable[Streams]]:
    """How to reach a socket in the file system."""
    return lambda: asyncio.open_unix_connection(path)


class Proxy:
    """Carries bytes both ways, as long as the nemesis lets it."""

    def __init__(self, reach: Callable[[], Awaitable[Streams]]) -> None:
        self._reach = reach
        self._there, self._back, self._waiting = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.refused = 0
        self.port = 0
        self.heal()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._carry, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._refusing = True
        for writer in self._open:
            _reset(writer)

    def hang(self) -> None:
        """Let nothing through, and say nothing."""
        self._there.clear()
        self._back.clear()
        self._waiting.clear()

    def swallow_answers(self) -> None:
        """Let what is asked through, and no answer."""
        self._back.clear()
        self._waiting.clear()

    async def something_waits(self) -> None:
        """Wait until there is something that is not let through."""
        await self._waiting.wait()

    def heal(self) -> None:
        """As if nothing had been; what hung goes on."""
        self._refusing = False
        self._there.set()
        self._back.set()

    async def close(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            self.refused += 1
            _reset(writer)
            return
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            _reset(writer)
            return
        both = {writer, far_writer}
        self._open |= both
        with suppress(asyncio.CancelledError):  # the end of the run: asyncio would print what nobody waits for
            await asyncio.gather(
                self._pump(reader, far_writer, self._there), self._pump(far_reader, writer, self._back)
            )
        self._open -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passable: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not passable.is_set():
                    self._waiting.set()
                    await passable.wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    socket = writer.get_extra_info("socket")
    with suppress(OSError):
        socket.setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGER)
    writer.transport.abort()
