"""Plain statements, past the ORM: one step from the event loop to the database and back, where a session takes several."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, CursorResult, Executable

from nurture.store.database import Session

Given = ParamSpec("Given")
Done = TypeVar("Done")


async def execute(session: Session, statement: Executable, given: Any = None) -> CursorResult[*tuple[Any, ...]]:
    """Execute the statement in the session's transaction; what the session has not flushed it does not see."""
    return await session.run_sync(lambda sync: sync.connection().execute(statement, given))


async def run(
    session: Session, work: Callable[Concatenate[Connection, Given], Done], *args: Given.args, **named: Given.kwargs
) -> Done:
    """Do the work on the connection of the session's transaction."""
    return await session.run_sync(lambda sync: work(sync.connection(), *args, **named))
