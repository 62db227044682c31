"""Plain statements, past the ORM, and on SQLite past SQLAlchemy: its way to run one takes several times as long as SQLite's.

SQLAlchemy puts every statement together, and says how its values are given and its columns read. `Statement` is one that
is made once and asked again and again; `execute` and `run` are for those made on the spot.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Connection, CursorResult, Delete, Executable, Select, Update
from sqlalchemy.exc import DBAPIError

from nurture.store import on_the_loop
from nurture.store.conversions import Conversion, giving, reading
from nurture.store.database import Session

Given = ParamSpec("Given")
Done = TypeVar("Done")
Row: TypeAlias = Sequence[Any]


async def execute(session: Session, statement: Executable, given: Any = None) -> CursorResult[*tuple[Any, ...]]:
    """Execute the statement in the session's transaction; what the session has not flushed it does not see."""
    return await session.run_sync(lambda sync: sync.connection().execute(statement, given))


async def run(
    session: Session, work: Callable[Concatenate[Connection, Given], Done], *args: Given.args, **named: Given.kwargs
) -> Done:
    """Do the work on the connection of the session's transaction."""
    return await session.run_sync(lambda sync: work(sync.connection(), *args, **named))


class _Value(NamedTuple):
    """A value by its name: how it is given, or what it always is."""

    name: str
    given_as: Conversion | None
    fixed: Any


class _Ready(NamedTuple):
    """A statement as SQLite takes it."""

    text: str
    values: tuple[_Value, ...]
    columns: tuple[Conversion | None, ...]


class Statement:
    """A statement made once; what the session has not flushed it does not see."""

    def __init__(self, made: Select[Any] | Update | Delete) -> None:
        self._made = made

    async def rows(self, session: Session, **given: Any) -> list[Row]:
        """All it finds."""
        driver = on_the_loop.driver_of(session)
        if driver is None:
            return list((await execute(session, self._made, given)).all())
        return self._read(driver, given)

    def on(self, connection: Connection, **given: Any) -> list[Row]:
        """All it finds, in the transaction of that connection."""
        driver = on_the_loop.driver_below(connection)
        return list(connection.execute(self._made, given).all()) if driver is None else self._read(driver, given)

    async def first(self, session: Session, **given: Any) -> Row | None:
        """The first it finds, None when there is nothing."""
        return next(iter(await self.rows(session, **given)), None)

    async def named(self, session: Session, **given: Any) -> list[dict[str, Any]]:
        """All it finds, each by the names of its columns."""
        return [dict(zip(self.names, row, strict=True)) for row in await self.rows(session, **given)]

    async def changes(self, session: Session, **given: Any) -> int:
        """How many rows it changes."""
        driver = on_the_loop.driver_of(session)
        if driver is None:
            return (await execute(session, self._made, given)).rowcount
        return self._ask(driver, given).rowcount

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What its columns are called."""
        return tuple(self._made.selected_columns.keys()) if isinstance(self._made, Select) else ()

    def _read(self, driver: sqlite3.Connection, given: dict[str, Any]) -> list[Row]:
        columns, found = self._ready.columns, self._ask(driver, given).fetchall()
        if not any(columns):
            return found
        return [[read(value) if read else value for read, value in zip(columns, row, strict=True)] for row in found]

    def _ask(self, driver: sqlite3.Connection, given: dict[str, Any]) -> sqlite3.Cursor:
        ready = self._ready
        values = [
            given_as(given[name]) if given_as else given.get(name, fixed) for name, given_as, fixed in ready.values
        ]
        return tell(driver, ready.text, values)

    @cached_property
    def _ready(self) -> _Ready:
        dialect = on_the_loop.DIALECT
        compiled = self._made.compile(dialect=dialect)
        asked = {name: giving(dialect, one.type) for name, one in compiled.binds.items() if one.required}
        written = compiled.construct_expanded_state(dict.fromkeys(asked))
        values = [_Value(name, asked.get(name), written.parameters[name]) for name in written.positiontup or ()]
        columns = self._made.selected_columns.values() if isinstance(self._made, Select) else ()
        return _Ready(written.statement, tuple(values), tuple(reading(dialect, one.type) for one in columns))


def tell(driver: sqlite3.Connection, text: str, values: Row) -> sqlite3.Cursor:
    """Run it on SQLite; its errors are SQLAlchemy's, and hold no value."""
    return _run(sqlite3.Cursor(driver).execute, text, values)


def tell_all(driver: sqlite3.Connection, text: str, rows: Iterable[Row]) -> sqlite3.Cursor:
    """Run it on SQLite for each of the rows."""
    return _run(sqlite3.Cursor(driver).executemany, text, rows)


def _run(how: Callable[[str, Any], sqlite3.Cursor], text: str, given: Any) -> sqlite3.Cursor:
    try:
        return how(text, given)
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True) from error
