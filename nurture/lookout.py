"""A port of a process's own for those who watch it: `/live`, `/ready` and `/metrics`; loopback, unless told otherwise."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nurture.errors import BadSettings, Unavailable
from nurture.metrics import Metrics
from nurture.readiness import PATIENCE, Checklist, fit
from nurture.store import Store
from nurture.store.figures import figures

LOOK_EVERY = 15.0  # seconds; the figures count whole tables
log = structlog.get_logger()


class Lookout:
    """What a process shows of itself."""

    def __init__(self, metrics: Metrics, checklist: Checklist, store: Store) -> None:
        self.metrics, self._checklist, self._store = metrics, checklist, store
        self._looked: float | None = None

    def app(self) -> Starlette:
        """It as an app."""
        routes = [Route("/live", self._live), Route("/ready", self._ready), Route("/metrics", self._metrics)]
        return Starlette(routes=routes)

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        return readiness(await self._checklist.asked())

    async def _metrics(self, _: Request) -> Response:
        await self._look()
        return Response(self.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    async def _look(self) -> None:
        """See what is in the store; out of reach, what was seen last is shown, and what the process did itself."""
        passed = asyncio.get_running_loop().time()
        if self._looked is not None and passed - self._looked < LOOK_EVERY:
            return
        self._looked, now = passed, datetime.now(UTC)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(PATIENCE), self._store.read() as session:
                seen = await figures(session, now)
            self.metrics.saw(seen, (now - seen.oldest).total_seconds() if seen.oldest else 0.0)


def readiness(answers: dict[str, str]) -> JSONResponse:
    """What a process answers when it is asked whether it can do its work."""
    ready = fit(answers)
    return JSONResponse({"status": "ready" if ready else "not ready", "checks": answers}, 200 if ready else 503)


@asynccontextmanager
async def shown(lookout: Lookout, host: str, port: int | None, setting: str) -> AsyncIterator[None]:
    """Show it there meanwhile; without a port, nowhere. `setting` names what to change when the port is taken."""
    if port is None:
        yield
        return
    server = _Server(uvicorn.Config(lookout.app(), log_config=None, access_log=False, lifespan="off"))
    with _listening(host, port, setting) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        log.info("lookout.shown", host=host, port=listening.getsockname()[1])
        try:
            yield
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: they are for the process that is watched."""
        yield


@contextmanager
def _listening(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise BadSettings(f"{setting}: {host}:{port} cannot be listened on ({error.strerror}): set another") from error
    with listening:
        yield listening
