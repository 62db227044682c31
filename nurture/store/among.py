"""`IN` a list that is one parameter: however long the list, it is one statement, put together and planned once."""

from collections.abc import Collection
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether the column is one of the texts given by the parameter `name`."""
    return _Among(column, bindparam(name, type_=_Texts()))


class _Texts(TypeDecorator[Collection[str]]):
    """Several texts as one value: PostgreSQL's array, or JSON for SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        texts = list(value or ())
        return texts if dialect.name == "postgresql" else to_json(texts).decode()


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":  # noqa: ARG002  # SQLAlchemy's
        """As it is: SQLite would be asked whether it equals 1, and then look at every row."""
        return self


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({texts})"


@compiles(_Among, "sqlite")
def _each(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608  # both are of SQLAlchemy's making
