"""SQLite on the event loop itself, without a thread between.

A statement takes some 20 µs, handing it to a thread and back several times that, and in a busy process it waits for the
interpreter's lock besides. What may take long, the wait for another process that writes, is waited for on the loop.
"""

import asyncio
import sqlite3
import time
from collections.abc import Generator
from typing import Any, Self

from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, Pool, StaticPool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

DRIVER = "sqlite+loop"
OF_SESSION = "sqlite"
PATIENCE = 30.0  # seconds, for another process that writes
SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.01  # SQLite's own waiting would hold the loop, in steps of up to 100 ms


class _AtOnce:
    """Awaited, it is there already: SQLAlchemy insists that an async driver is waited for."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


AT_ONCE = _AtOnce()


class _Cursor(sqlite3.Cursor):
    def execute(self, *given: Any) -> Self:
        await_only(AT_ONCE)
        return super().execute(*given)

    def executemany(self, *given: Any) -> Self:
        await_only(AT_ONCE)
        return super().executemany(*given)

    async def _async_soft_close(self) -> None:
        """SQLAlchemy asks an async cursor to let go of what it has not fetched; this one holds nothing on a server."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


class OnTheLoop(SQLiteDialect_pysqlite):
    """The standard library's driver, for an async engine."""

    is_async = True
    has_terminate = True  # a connection that nobody gave back is closed on the spot
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        """A pool that waits on the loop; in memory there is one connection."""
        return StaticPool if in_memory(url) else AsyncAdaptedQueuePool

    def connect(self, *given: Any, **options: Any) -> DBAPIConnection:
        """A new connection."""
        return super().connect(*given, factory=_Connection, **options)


DIALECT = OnTheLoop()  # as statements are put together for it


def in_memory(url: URL) -> bool:
    """Whether the database goes with its connection."""
    return url.database in (None, "", ":memory:")


def register() -> None:
    """Let SQLAlchemy find the dialect by its name."""
    registry.register(DRIVER.replace("+", "."), __name__, OnTheLoop.__name__)


async def begin_reading(session: AsyncSession) -> None:
    """Begin a transaction that sees one state."""
    sqlite3.Cursor(await _entered(session)).execute("BEGIN")


async def begin_writing(session: AsyncSession) -> None:
    """Begin the transaction once no other process writes."""
    connection = await _entered(session)
    end, pause = time.monotonic() + PATIENCE, SHORTEST_PAUSE
    while not _began(connection, last=time.monotonic() > end):
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _entered(session: AsyncSession) -> sqlite3.Connection:
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, sqlite3.Connection)  # by this dialect
    session.sync_session.info[OF_SESSION] = connection
    return connection


def driver_of(session: AsyncSession) -> sqlite3.Connection | None:
    """The connection that the session's transaction is on; None when it is not on SQLite."""
    return session.sync_session.info.get(OF_SESSION)


def driver_below(connection: Connection) -> sqlite3.Connection | None:
    """The connection below SQLAlchemy's; None when it is not SQLite's."""
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


def _began(connection: sqlite3.Connection, *, last: bool) -> bool:
    cursor = sqlite3.Cursor(connection)  # a plain one: SQLAlchemy is not asked
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise OperationalError("BEGIN IMMEDIATE", (), error) from error
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")
    return True
