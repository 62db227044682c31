"""The two databases of an arena, and what can be done to them: locked, filled, crashed, stopped at an exact instant."""

import asyncio
import resource
import signal
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.embedded import get_server
from tests.faults.proxy import Proxy, unix

STEPS = """
CREATE TABLE breakpoints (step text, recipients text, gate bigint);
CREATE FUNCTION stop_at_step() RETURNS trigger AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(b.gate) FROM breakpoints b JOIN leads l ON l.email LIKE b.recipients
    WHERE l.id = NEW.lead_id AND b.step = TG_ARGV[0] || coalesce(to_jsonb(NEW)->>'status', '');
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER stop_message BEFORE UPDATE OF status ON messages FOR EACH ROW EXECUTE FUNCTION stop_at_step('');
CREATE TRIGGER stop_event BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION stop_at_step('event');
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'nurture' AND pid <> pg_backend_pid()"


class Database(Protocol):
    """A database of the product, in the hands of the nemesis and of the checker."""

    url: str

    async def rows(self, query: str) -> Sequence[Any]:
        """What stands there, by plain SQL."""

    def close(self) -> None:
        """Be gone."""


class Sqlite:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "nurture.db"
        self.url = f"sqlite:///{self.path}"

    async def rows(self, query: str) -> Sequence[Any]:
        """What stands there, by plain SQL."""
        return await asyncio.to_thread(self._read, query)

    def _read(self, query: str) -> Sequence[Any]:
        engine = create_engine(f"sqlite:///{self.path}")
        with engine.connect() as connection:
            found = connection.execute(text(query)).all()
        engine.dispose()
        return found

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Nobody else may write, as when a backup or a person at a prompt forgot to let go."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            while True:
                try:
                    connection.execute("BEGIN EXCLUSIVE")
                    break
                except sqlite3.OperationalError:  # the product writes just now
                    await asyncio.sleep(0)
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    @asynccontextmanager
    async def full(self, *pids: int) -> AsyncIterator[None]:
        """These processes can make no file longer, as on a full disk: each write beyond fails."""
        before = [resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY)) for pid in pids]
        yield
        for pid, limits in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    def close(self) -> None:
        """Nothing runs."""


class Postgres:
    """A server of its own, reached by a socket, and by a stretch of network that can be cut."""

    def __init__(self, name: str) -> None:
        # Not below pytest's own folder: each pytest that starts shuts that to the user whom the server runs as.
        self._server = get_server(Path(tempfile.gettempdir(), name), cleanup_mode="delete")
        self._server.psql("CREATE DATABASE nurture;")
        self.url = self._server.get_uri("nurture")
        self._gates: dict[str, tuple[int, asyncpg.Connection]] = {}

    def far_url(self, proxy: Proxy) -> str:
        """The same database, by way of the proxy."""
        return f"postgresql://postgres@127.0.0.1:{proxy.port}/nurture"

    def proxy(self) -> Proxy:
        """A stretch of network to this server."""
        return Proxy(unix(str(self._server.get_postmaster_info().socket_dir / ".s.PGSQL.5432")))

    async def rows(self, query: str) -> Sequence[Any]:
        """What stands there, by plain SQL."""
        return await _rows(self.url.replace("postgresql://", "postgresql+asyncpg://"), query)

    async def prepare(self) -> None:
        """Make the ledger's steps ones to stop at."""
        connection = await asyncpg.connect(self.url)
        await connection.execute(STEPS)
        await connection.close()

    async def stop_at(self, step: str, recipients: str) -> None:
        """Whoever takes that step for those recipients (a LIKE pattern) stays in it until it is opened.

        A step is a status that a message comes to, or `event`.
        """
        gate = len(self._gates) + 1
        connection = await asyncpg.connect(self.url)
        self._gates[recipients] = gate, connection
        await connection.execute("SELECT pg_advisory_lock($1)", gate)
        await connection.execute("INSERT INTO breakpoints VALUES ($1, $2, $3)", step, recipients, gate)

    async def stand_still(self, recipients: str) -> int:
        """How many stand still where they were to."""
        gate, connection = self._gates[recipients]
        return int(await connection.fetchval(WAITING, gate))

    async def open(self, recipients: str) -> None:
        """Let them through; nobody is stopped there any more."""
        gate, connection = self._gates[recipients]
        await connection.execute("DELETE FROM breakpoints WHERE gate = $1", gate)
        await connection.execute("SELECT pg_advisory_unlock($1)", gate)
        await connection.close()

    async def end_connections(self) -> None:
        """End every connection of the product at once, as a fail-over or an impatient person does."""
        connection = await asyncpg.connect(self.url)
        await connection.execute(OTHERS)
        await connection.close()

    async def crash(self) -> None:
        """Stop the server at once, without leave."""
        server = psutil.Process(self._server.get_pid())
        server.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(server.wait, 10)

    async def start_again(self) -> None:
        """Start it where it was; it recovers by itself."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def close(self) -> None:
        """Be gone, with all that was kept."""
        self._server.cleanup()


async def _rows(url: str, query: str) -> Sequence[Any]:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(query))).all()
    finally:
        await engine.dispose()
