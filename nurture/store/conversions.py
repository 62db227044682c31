"""How the values of our columns are given to a driver, and read from it: what SQLAlchemy does, without its detours."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import UTCDateTime

Conversion: TypeAlias = Callable[[Any], Any]


def giving(dialect: Dialect, kind: TypeEngine[Any]) -> Conversion | None:
    """What a value of that type is turned into before the driver gets it; None when it is given as it is."""
    if isinstance(kind, JSON):
        return _as_json
    if isinstance(kind, UTCDateTime):
        return _as_sqlite_time if dialect.name == "sqlite" else None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def reading(dialect: Dialect, kind: TypeEngine[Any]) -> Conversion | None:
    """What is made of a value of that type that SQLite gives; None when it is taken as it is."""
    if isinstance(kind, JSON):
        return _from_json
    if isinstance(kind, UTCDateTime):
        return _from_sqlite_time
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _as_json(value: Any) -> str:
    return to_json(value).decode()


def _from_json(text: str | None) -> Any:
    return None if text is None else from_json(text)


@lru_cache(maxsize=1000)
def _as_sqlite_time(at: datetime | None) -> str | None:
    """The form in which SQLAlchemy keeps and reads times on SQLite, which sorts as they do."""
    if at is None:
        return None
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:26]


def _from_sqlite_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
