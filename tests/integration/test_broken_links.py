"""Links written in templates, asked for at a real server of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nurture.linting.reach import broken
from nurture.network import Network, is_public, reach
from nurture.settings import Settings

HERE = Network(reach(Settings(_env_file=None)))


@asynccontextmanager
async def site(asked: list[str]) -> AsyncIterator[str]:
    """A site that has a page at /there, and shows /members to nobody."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].decode()
        asked.append(path)
        status = {"/there?a=1": "200 OK", "/moved": "302 Found", "/members": "403 Forbidden"}.get(path, "404 Not Found")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_link_whose_page_is_gone_is_broken_and_each_is_asked_once() -> None:
    asked: list[str] = []
    async with site(asked) as here:
        paths = ("/there?a=1", "/moved", "/members", "/gone", "/gone")
        found = await broken([here + path for path in paths], HERE)

    assert found == {f"{here}/gone": "answers 404"}
    assert sorted(asked) == ["/gone", "/members", "/moved", "/there?a=1"]


async def test_a_link_to_nobody_is_broken() -> None:
    async with site([]) as here:
        pass

    assert await broken([here], HERE) == {here: "cannot be reached (ConnectError)"}


async def test_no_link_makes_us_knock_in_a_private_network() -> None:
    asked: list[str] = []
    async with site(asked) as here:
        found = await broken([here, "http://169.254.169.254/latest", "http://here:port/"], Network(is_public))

    assert found[here] == found["http://169.254.169.254/latest"] == "leads into a private network"
    assert found["http://here:port/"] == "is no address"
    assert asked == []
