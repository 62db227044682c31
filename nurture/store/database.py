"""The database behind the store: SQLite embedded, PostgreSQL in production, one way to read and one to write."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from nurture.errors import BadSettings, DatabaseAway
from nurture.outage import Outage
from nurture.store import on_the_loop

Session: TypeAlias = AsyncSession
Done = TypeVar("Done")

DRIVERS = {"sqlite": on_the_loop.DRIVER, "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout={on_the_loop.PATIENCE * 1000:.0f}",  # first: the next one may have to wait
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA wal_autocheckpoint=4000",  # pages: the log is copied into the file four times as seldom as by default
    "PRAGMA foreign_keys=ON",
)

OF_EVERY_ENGINE: dict[str, Any] = {
    "json_serializer": lambda value: to_json(value).decode(),
    "json_deserializer": from_json,
    "hide_parameters": True,  # an error tells no value, wherever its text may end
}


PATIENCE = 10.0  # for a connection, in seconds
OF_THE_SERVER = ("08", "25006", "28", "3D", "40", "53", "57", "58")
"""How SQLSTATEs begin that say that PostgreSQL cannot do it now: connection, standby, who asks, what for, a transaction that
gave way, room, starting or stopping, its own system."""

UNFIT_FILES = {"file is not a database", "database disk image is malformed"}


class Store:
    """A database of ours by its URL (`sqlite:///nurture.db`, `postgresql://…`); `outage` tells when it is away."""

    def __init__(self, url: str, outage: Outage | None = None) -> None:
        self.url = driver_url(url)
        self._outage = outage
        self.engine = _engine(self.url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._one_writer = asyncio.Lock()  # within a process writers queue, and none waits on SQLite

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with self._reachable():
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                if self.sqlite:
                    await on_the_loop.begin_reading(session)
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """A transaction: all of it is committed at the end, or nothing."""
        with self._reachable():
            if not self.sqlite:
                async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                    yield session
                return
            async with self._one_writer, AsyncSession(self.engine, expire_on_commit=False) as session:
                await on_the_loop.begin_writing(session)
                yield session
                await session.commit()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside of any transaction, for who looks often."""
        with self._reachable():
            async with self.engine.connect() as connection:
                if not self.sqlite:  # where a transaction begins only when told to
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                yield connection

    async def at_once(self, work: Callable[[Connection], Done]) -> Done:
        """A transaction that is one plain function: on SQLite a thread does all of it, not a hop for each statement."""
        if not self._in_a_file:
            async with self.write() as session:
                return await (await session.connection()).run_sync(work)
        with self._reachable():
            async with self._one_writer:
                return await asyncio.to_thread(self._in_thread, work)

    def _in_thread(self, work: Callable[[Connection], Done]) -> Done:
        with self._plain_engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            done = work(connection)
            connection.commit()
            return done

    def _reachable(self) -> "_Reachable":
        return _Reachable(self.url, self._outage)

    @property
    def _in_a_file(self) -> bool:
        return self.sqlite and not on_the_loop.in_memory(self.engine.url)

    @cached_property
    def _plain_engine(self) -> Engine:
        threads: dict[str, Any] = {"check_same_thread": False}
        engine = create_engine(self.engine.url.set(drivername="sqlite"), connect_args=threads, **OF_EVERY_ENGINE)
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
        return create_async_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            connect_args={"timeout": PATIENCE},
            **OF_EVERY_ENGINE,
        )
    on_the_loop.register()
    engine = create_async_engine(url, **OF_EVERY_ENGINE)
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
    """Turns a database that cannot be reached into `DatabaseAway`, without its password in the text."""

    def __init__(self, url: str, outage: Outage | None) -> None:
        self._url, self._outage = url, outage

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if error is None and self._outage is not None:
            self._outage.over()
        reason = _reason_of_absence(error)
        if reason is None:
            return
        away = DatabaseAway(f"the database {_shown(self._url)} cannot be used: {reason}; {_remedy(self._url)}")
        if self._outage is not None:
            self._outage.met(str(away))
        raise away from error


def _reason_of_absence(error: BaseException | None) -> str | None:
    """Why the database cannot be used, in words that hold no value of a statement; None when that is not the trouble."""
    match error:
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case OSError():
            return error.strerror or "no connection"
        case DBAPIError(orig=BaseException() as theirs):
            state = getattr(theirs, "sqlstate", None) or ""
            if state.startswith(OF_THE_SERVER):
                return str(theirs.__cause__ or theirs).partition("\n")[0]  # what comes below may hold values
            if isinstance(theirs, sqlite3.OperationalError) or str(theirs) in UNFIT_FILES:
                return str(theirs)
            gone = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
            return "the connection was lost" if gone else None
        case _:
            return None


def _shown(url: str) -> str:
    """The URL as somebody would write it, without a password."""
    parsed = make_url(url)
    host = {name: value for name, value in parsed.query.items() if name in ("host", "port")}
    return parsed.set(drivername=parsed.get_backend_name(), query=host).render_as_string(hide_password=True)


def _remedy(url: str) -> str:
    sqlite = url.startswith("sqlite")
    see = "its directory is there and may be written" if sqlite else "it runs and lets this user in"
    return f"see that {see}, or set NURTURE_DATABASE_URL"
