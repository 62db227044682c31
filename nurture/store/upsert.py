"""`INSERT … ON CONFLICT`, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart."""

from typing import TypeAlias

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from nurture.store.database import Session

Insert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert(session: Session, table: type[SQLModel]) -> Insert:
    """An insert into the table that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_into(session.get_bind().dialect.name, table)


def insert_into(dialect: str, table: type[SQLModel]) -> Insert:
    """The same, for a database by its name."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
