"""Many rows in one statement, past SQLAlchemy's handling of each value: that takes longer than the database does."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect, Insert, Table, Update, bindparam, insert, update
from sqlmodel import SQLModel

from nurture.store import on_the_loop
from nurture.store.conversions import Conversion, giving
from nurture.store.database import Session
from nurture.store.plain import run, tell, tell_all

Rows: TypeAlias = Sequence[Mapping[str, Any]]

UNLESS_THERE = " ON CONFLICT DO NOTHING"


class Filling(NamedTuple):
    """A statement that is filled with rows, as the driver takes it, and how each of its values is given."""

    text: str
    values: tuple[tuple[str, Conversion | None], ...]


Maker: TypeAlias = Callable[[Dialect, Table, tuple[str, ...]], Filling]


def table(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    found = model.__table__  # type: ignore[attr-defined]  # SQLModel makes it for `table=True`
    assert isinstance(found, Table)
    return found


async def insert_all(session: Session, model: type[SQLModel], rows: Rows) -> None:
    """Insert the rows in their order; all of them give the same columns."""
    await _all(session, _insert, model, rows)


async def update_all(session: Session, model: type[SQLModel], rows: Rows) -> None:
    """Update rows by their `id`; all of them give the same columns."""
    await _all(session, _update, model, rows)


async def insert_new(session: Session, model: type[SQLModel], row: Mapping[str, Any]) -> bool:
    """Insert the row unless one like it is there; whether it was inserted."""
    driver = on_the_loop.driver_of(session)
    if driver is None:
        return await run(session, _insert_unless_there, model, row)
    statement = _insert(on_the_loop.DIALECT, table(model), tuple(row))
    return tell(driver, statement.text + UNLESS_THERE, *_given(statement, [row])).rowcount == 1


def insert_rows(connection: Connection, model: type[SQLModel], rows: Rows) -> None:
    """Insert the rows in their order; all of them give the same columns."""
    _run(connection, _insert, model, rows)


def insert_missing(connection: Connection, model: type[SQLModel], rows: Rows) -> None:
    """Insert those of the rows that are not there yet; all of them give the same columns."""
    _run(connection, _insert, model, rows, UNLESS_THERE)


def update_rows(connection: Connection, model: type[SQLModel], rows: Rows, by: str = "id") -> None:
    """Update rows by their `by`; all of them give the same columns."""
    _run(connection, partial(_update, by=by), model, rows)


async def _all(session: Session, make: Maker, model: type[SQLModel], rows: Rows) -> None:
    driver = on_the_loop.driver_of(session)
    if driver is None:
        await run(session, _run, make, model, rows)
    elif rows:
        statement = make(on_the_loop.DIALECT, table(model), tuple(rows[0]))
        tell_all(driver, statement.text, _given(statement, rows))


def _run(connection: Connection, make: Maker, model: type[SQLModel], rows: Rows, also: str = "") -> None:
    if not rows:
        return
    statement = make(connection.dialect, table(model), tuple(rows[0]))
    driver = on_the_loop.driver_below(connection)
    if driver is None:
        connection.exec_driver_sql(statement.text + also, _given(statement, rows))
    else:
        tell_all(driver, statement.text + also, _given(statement, rows))


def _insert_unless_there(connection: Connection, model: type[SQLModel], row: Mapping[str, Any]) -> bool:
    statement = _insert(connection.dialect, table(model), tuple(row))
    (given,) = _given(statement, [row])
    return connection.exec_driver_sql(statement.text + UNLESS_THERE, given).rowcount == 1


def _given(statement: Filling, rows: Rows) -> list[tuple[Any, ...]]:
    values = statement.values
    return [tuple([as_given(row[name]) if as_given else row[name] for name, as_given in values]) for row in rows]


@lru_cache(maxsize=100)
def _insert(dialect: Dialect, of: Table, columns: tuple[str, ...]) -> Filling:
    return _compiled(dialect, insert(of).values({name: bindparam(name) for name in columns}), of)


@lru_cache(maxsize=100)
def _update(dialect: Dialect, of: Table, columns: tuple[str, ...], by: str = "id") -> Filling:
    # SQLAlchemy keeps a column's own name for itself, so each parameter has another.
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns if name != by}
    return _compiled(dialect, update(of).where(of.c[by] == bindparam(f"new_{by}")).values(new), of)


def _compiled(dialect: Dialect, statement: Insert | Update, of: Table) -> Filling:
    compiled = statement.compile(dialect=dialect)
    names = [name.removeprefix("new_") for name in compiled.positiontup or ()]
    return Filling(str(compiled), tuple((name, giving(dialect, of.c[name].type)) for name in names))
