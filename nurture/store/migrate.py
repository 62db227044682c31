"""The tables brought up to date: `upgrade`, and what a process asks before it works with them.

`python -m nurture.store.migrate "what changed"` writes the next migration from the models; `./dev fix` formats it.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from nurture.errors import BadSettings
from nurture.store.database import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Bring the database's tables up to date, or make them; also from within a running event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:  # a loop of its own, whoever calls
        thread.submit(asyncio.run, _upgrade(url)).result()


async def is_current(store: Store) -> bool:
    """Whether the tables are as this version of nurture needs them."""
    return await _revision(store) == _head()


async def require_current(store: Store) -> None:
    """Refuse to work with tables of another version of nurture."""
    found = await _revision(store)
    if found is None:
        raise BadSettings("the database has no tables of nurture yet: make them with nurture db upgrade")
    if found not in {one.revision for one in _scripts().walk_revisions()}:
        raise BadSettings(f"the database is at revision {found}, of a newer nurture: install that one")
    if found != _head():
        raise BadSettings(
            f"the database is at revision {found}, not {_head()}: bring it up to date with nurture db upgrade"
        )


async def _upgrade(url: str) -> None:
    store = Store(url)
    try:
        if await is_current(store):
            return
        async with store.engine.connect() as connection:
            await _alone(connection)
            await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
            await connection.commit()
    finally:
        await store.close()


async def _alone(connection: AsyncConnection) -> None:
    """Of several that upgrade at once, one does, and the others then find nothing left to do."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("migrate"))))
        return
    await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # a table that is made anew is dropped on the way
    await connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _revision(store: Store) -> str | None:
    async with store.read() as session:
        connection = await session.connection()
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _head() -> str | None:
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


async def _write(message: str) -> None:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        await _upgrade(url)
        store = Store(url)
        async with store.engine.connect() as connection:
            await connection.run_sync(_write_next, message)
        await store.close()


def _write_next(connection: Connection, message: str) -> None:
    number = f"{len(list(_scripts().walk_revisions())) + 1:04}"
    written = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    assert isinstance(written, Script)  # one change, one script
    lines = Path(written.path).read_text().splitlines(keepends=True)
    Path(written.path).write_text("".join(line for line in lines if "# ### " not in line))  # Alembic's remarks


if __name__ == "__main__":
    asyncio.run(_write(" ".join(sys.argv[1:]) or "change"))
