"""A lean HTTP client for load: kept connections, one request at a time on each, and nothing that is not needed."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from nurture.laptop.ports import HOST

LENGTH = b"content-length: "


class Wire:
    """One connection to the web process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, api_key: str) -> None:
        self._reader, self._writer, self._key = reader, writer, api_key

    @classmethod
    async def open(cls, port: int, api_key: str) -> Self:
        """A new connection."""
        return cls(*await asyncio.open_connection(HOST, port), api_key)

    async def post(self, path: str, given: Any, headers: Mapping[str, str] | None = None) -> int:
        """Send it as JSON, or as the bytes it is, with the key or what the `headers` have in its place; the status of the
        answer, which is read to its end."""
        body = given if isinstance(given, bytes) else json.dumps(given, separators=(",", ":")).encode()
        own = {"authorization": f"Bearer {self._key}", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\n{lines}content-type: application/json\r\n"
        self._writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = answer.lower().partition(LENGTH)[2].partition(b"\r\n")[0]
        await self._reader.readexactly(int(length))
        return int(answer.split(b" ", 2)[1])

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()
