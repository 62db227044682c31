"""Many rows in one statement, past SQLAlchemy's handling of each value: that takes longer than the database does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import to_json
from sqlalchemy import JSON, Column, Connection, Dialect, Insert, Table, Update, bindparam, insert, update
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from nurture.store.database import Session
from nurture.store.plain import run

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Given: TypeAlias = Callable[[Any], Any]


class Statement(NamedTuple):
    """A statement as the driver takes it, and how each of its values is given."""

    text: str
    values: tuple[tuple[str, Given | None], ...]


def table(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    found = model.__table__  # type: ignore[attr-defined]  # SQLModel makes it for `table=True`
    assert isinstance(found, Table)
    return found


async def insert_all(session: Session, model: type[SQLModel], rows: Rows) -> None:
    """Insert the rows in their order; all of them give the same columns."""
    await run(session, insert_rows, model, rows)


def insert_rows(connection: Connection, model: type[SQLModel], rows: Rows) -> None:
    """Insert the rows in their order; all of them give the same columns."""
    if rows:
        _run(connection, _insert(connection.dialect, table(model), tuple(rows[0])), rows)


async def update_all(session: Session, model: type[SQLModel], rows: Rows) -> None:
    """Update rows by their `id`; all of them give the same columns."""
    await run(session, update_rows, model, rows)


def update_rows(connection: Connection, model: type[SQLModel], rows: Rows) -> None:
    """Update rows by their `id`; all of them give the same columns."""
    if rows:
        _run(connection, _update(connection.dialect, table(model), tuple(rows[0])), rows)


def _run(connection: Connection, statement: Statement, rows: Rows) -> None:
    values = statement.values
    given = [tuple([as_given(row[name]) if as_given else row[name] for name, as_given in values]) for row in rows]
    connection.exec_driver_sql(statement.text, given)


@lru_cache(maxsize=100)
def _insert(dialect: Dialect, of: Table, columns: tuple[str, ...]) -> Statement:
    return _compiled(dialect, insert(of).values({name: bindparam(name) for name in columns}), of)


@lru_cache(maxsize=100)
def _update(dialect: Dialect, of: Table, columns: tuple[str, ...]) -> Statement:
    # SQLAlchemy keeps a column's own name for itself, so each parameter has another.
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns if name != "id"}
    return _compiled(dialect, update(of).where(of.c.id == bindparam("new_id")).values(new), of)


def _compiled(dialect: Dialect, statement: Insert | Update, of: Table) -> Statement:
    compiled = statement.compile(dialect=dialect)
    names = [name.removeprefix("new_") for name in compiled.positiontup or ()]
    return Statement(str(compiled), tuple((name, _given(dialect, of.c[name])) for name in names))


def _given(dialect: Dialect, column: Column[Any]) -> Given | None:
    if isinstance(column.type, JSON):
        return _as_json
    if isinstance(column.type, UTCDateTime):
        return _as_sqlite_time if dialect.name == "sqlite" else None
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _as_json(value: Any) -> str:
    return to_json(value).decode()


@lru_cache(maxsize=1000)
def _as_sqlite_time(at: datetime | None) -> str | None:
    """The form in which SQLAlchemy keeps and reads times on SQLite, which sorts as they do."""
    if at is None:
        return None
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:26]
