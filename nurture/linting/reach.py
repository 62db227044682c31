"""Whether the links written in templates lead anywhere."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence

import httpcore
import httpx

from nurture.network import Network, PrivateAddress

URL = re.compile(r"https?://[^\s\"'<>{}|\\^`]+")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
AT_ONCE = 8
PATIENCE = 10.0  # seconds
REFUSE_TO_SAY = frozenset({401, 403, 405, 429, 999})  # a page that is there and does not show itself to programs


def links_of(source: str) -> Iterator[tuple[int, str]]:
    """The addresses written out in a template, with their lines."""
    spoken = COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source)
    for number, line in enumerate(spoken.split("\n"), 1):
        for found in URL.finditer(line):
            if "xmlns" not in line[: found.start()].rpartition("<")[2]:
                yield number, found[0].rstrip(".,;:!?)")


async def broken(urls: Sequence[str], network: Network) -> Mapping[str, str]:
    """Of these addresses those that lead nowhere, and how that shows; each is asked once, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)
    async with httpcore.AsyncConnectionPool(network_backend=network, max_connections=AT_ONCE) as pool:

        async def ask(url: str) -> str:
            async with turns:
                return await _trouble(pool, url)

        unique = list(dict.fromkeys(urls))
        answers = await asyncio.gather(*map(ask, unique))
    return {url: answer for url, answer in zip(unique, answers, strict=True) if answer}


async def _trouble(pool: httpcore.AsyncConnectionPool, url: str) -> str:
    try:
        target = httpx.URL(url)
        headers = [(b"host", target.netloc), (b"user-agent", b"nurture lint"), (b"accept", b"*/*")]
        place = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        async with asyncio.timeout(PATIENCE), pool.stream("GET", place, headers=headers) as response:
            status = response.status
    except PrivateAddress:
        return "leads into a private network"
    except (httpx.InvalidURL, httpcore.UnsupportedProtocol):
        return "is no address"
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError) as error:
        return f"cannot be reached ({type(error).__name__})"
    return f"answers {status}" if status >= 400 and status not in REFUSE_TO_SAY else ""
