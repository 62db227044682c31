"""Another system: a real HTTP server on this machine that keeps what is posted to it and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK, REFUSED, BROKEN = "204 No Content", "410 Gone", "503 Service Unavailable"


@dataclass
class Post:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Hook:
    """Answers with `answers` in turn, then with OK; an answer of "" never comes."""

    answers: list[str] = field(default_factory=list)
    took: list[Post] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @asynccontextmanager
    async def open(self, host: str = "127.0.0.1") -> AsyncIterator["Hook"]:
        """Take requests on a free port."""
        talks = set[asyncio.Task[None]]()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            try:
                await self._take(reader, writer)
            finally:
                writer.close()

        async with await asyncio.start_server(talk, host, 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = [line.partition(": ") for line in head[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.took.append(Post(head[0].split(" ")[1], headers, body.decode()))
        answer = self.answers.pop(0) if self.answers else OK
        if not answer:
            await asyncio.Event().wait()
        status, _, more = answer.partition("\n")
        writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
