"""Run by Alembic on the connection that `nurture.store.migrate` gives it."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

import nurture.store.models  # noqa: F401  # fills SQLModel.metadata


def as_plain_type(kind: str, given: Any, _: AutogenContext) -> str | Literal[False]:
    """A column's type as SQLAlchemy's own, so that a migration means the same for ever."""
    if kind == "type" and isinstance(given, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(given, AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    render_item=as_plain_type,
)
with context.begin_transaction():
    context.run_migrations()
