"""The database behind the store: SQLite embedded, PostgreSQL in production, one way to read and one to write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from nurture.errors import BadSettings, Unavailable

Session: TypeAlias = AsyncSession
Done = TypeVar("Done")

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
SQLITE_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=30000",
)

JSON_BY_RUST: dict[str, Any] = {
    "json_serializer": lambda value: to_json(value).decode(),
    "json_deserializer": from_json,
}


class Store:
    """A database of ours by its URL (`sqlite:///nurture.db`, `postgresql://…`)."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.engine = _engine(self.url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._one_writer = asyncio.Lock()  # SQLite's own waiting sleeps in steps of up to 100 ms

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with _Reachable(self.url):
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                if self.sqlite:
                    await (await session.connection()).execute(text("BEGIN"))
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """A transaction: all of it is committed at the end, or nothing."""
        with _Reachable(self.url):
            if not self.sqlite:
                async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                    yield session
                return
            async with self._one_writer, AsyncSession(self.engine, expire_on_commit=False) as session:
                await (await session.connection()).execute(text("BEGIN IMMEDIATE"))
                yield session
                await session.commit()

    async def at_once(self, work: Callable[[Connection], Done]) -> Done:
        """A transaction that is one plain function: on SQLite a thread does all of it, not a hop for each statement."""
        if not self._in_a_file:
            async with self.write() as session:
                return await (await session.connection()).run_sync(work)
        with _Reachable(self.url):
            async with self._one_writer:
                return await asyncio.to_thread(self._in_thread, work)

    def _in_thread(self, work: Callable[[Connection], Done]) -> Done:
        with self._plain_engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            done = work(connection)
            connection.commit()
            return done

    @property
    def _in_a_file(self) -> bool:
        return self.sqlite and self.engine.url.database not in (None, "", ":memory:")

    @cached_property
    def _plain_engine(self) -> Engine:
        threads: dict[str, Any] = {"check_same_thread": False}
        engine = create_engine(self.engine.url.set(drivername="sqlite"), connect_args=threads, **JSON_BY_RUST)
        _set_up_sqlite(engine)
        return engine

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()
        if "_plain_engine" in self.__dict__:
            self._plain_engine.dispose()


def driver_url(url: str) -> str:
    """The URL with our driver in it; a database of another kind is refused."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise BadSettings("the database URL cannot be read: write sqlite:///nurture.db or postgresql://…") from error
    kind = parsed.drivername.split("+")[0]
    if kind not in DRIVERS:
        raise BadSettings(f"databases of kind {kind!r} are not supported: use sqlite or postgresql")
    return parsed.set(drivername=DRIVERS[kind]).render_as_string(hide_password=False)


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, **JSON_BY_RUST)
    engine = create_async_engine(url, **JSON_BY_RUST)
    _set_up_sqlite(engine.sync_engine)
    return engine


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, so that writers queue instead of failing
        cursor = connection.cursor()
        for setting in SQLITE_SETTINGS:
            cursor.execute(setting)
        cursor.close()


class _Reachable:
    """Turns a database that cannot be reached into `Unavailable`, without its password in the text."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        lost = isinstance(error, OperationalError | InterfaceError | OSError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        )
        if lost:
            where = make_url(self.url).render_as_string(hide_password=True)
            raise Unavailable(f"the database {where} cannot be used: {type(error).__name__}") from error
