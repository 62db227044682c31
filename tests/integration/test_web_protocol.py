"""The head of a request has a bound, whether it comes at once or in pieces; what stays within it is read as ever."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from web.protocol import LONGEST_HEAD, BoundedHead

START = b"POST /here HTTP/1.1\r\nHost: x\r\n"
BODY = b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000


async def app(scope, receive, send):  # type: ignore[no-untyped-def]  # ASGI
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose requests are read so."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=BoundedHead, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        yield int(listening.getsockname()[1])
        server.should_exit = True
        await serving


async def answered(port: int, pieces: Sequence[bytes], answers: int = 1) -> list[int]:
    """The statuses that so many answers have."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    try:
        for piece in pieces:
            writer.write(piece)
        for _ in range(answers):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            found.append(int(head.split()[1]))
    finally:
        writer.close()
    return found


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([START + b"X: " + b"x" * 300_000 + b"\r\n\r\n"], id="one long header at once"),
        pytest.param([START + b"X: ", *[b"x" * 10_000] * 80], id="one that never ends"),
        pytest.param([START, *[b"X: " + b"x" * 990 + b"\r\n"] * 400], id="many of them"),
        pytest.param([b"GET /", *[b"x" * 10_000] * 80], id="an address that never ends"),
    ],
)
async def test_a_head_that_is_too_long_ends_the_connection_though_it_has_no_end(port: int, pieces: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(pieces)
    said = b""
    async with asyncio.timeout(20):
        with suppress(ConnectionError):  # while more is on its way, the answer may be lost
            said = await reader.read()
    writer.close()

    assert b" 200 " not in said


async def test_a_head_within_the_bound_and_a_body_beyond_it_are_read(port: int) -> None:
    long = b"X: " + b"x" * (LONGEST_HEAD - 1000) + b"\r\n"

    assert await answered(port, [START + long[:500], long[500:], BODY]) == [200]


async def test_requests_that_come_together_are_each_read(port: int) -> None:
    assert await answered(port, [(START + BODY) * 3], answers=3) == [200, 200, 200]
