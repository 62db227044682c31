import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import nurture.store.models  # noqa: F401  # fills SQLModel.metadata
from nurture.errors import BadSettings, Unavailable
from nurture.store import Store, migrate
from nurture.store.database import driver_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare 100%.db'}"
        return
    server = create_async_engine(driver_url(request.getfixturevalue("postgres_server")), isolation_level="AUTOCOMMIT")
    name = f"nurture_bare_{request.getfixturevalue('worker_id')}"
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
    yield server.url.set(database=name).render_as_string(hide_password=False)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


@pytest.fixture
async def bare(bare_url: str) -> AsyncIterator[Store]:
    """A store without tables, on each database in turn."""
    store = Store(bare_url)
    yield store
    await store.close()


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


# No index of an expression is read back from SQLite, nor compared.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_the_migrations_make_the_tables_that_the_models_mean(bare_url: str, bare: Store) -> None:
    migrate.upgrade(bare_url)

    async with bare.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_is_current_once_it_is_upgraded(bare_url: str, bare: Store) -> None:
    assert not await migrate.is_current(bare)
    with pytest.raises(BadSettings, match="nurture db upgrade"):
        await migrate.require_current(bare)

    migrate.upgrade(bare_url)

    assert await migrate.is_current(bare)
    await migrate.require_current(bare)


async def test_upgrading_again_changes_nothing(bare_url: str, bare: Store) -> None:
    for _ in range(2):
        migrate.upgrade(bare_url)

    assert await migrate.is_current(bare)


async def test_several_may_upgrade_at_once(bare_url: str, bare: Store) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, bare_url) for _ in range(4)))

    assert await migrate.is_current(bare)


async def test_every_migration_can_be_taken_back(bare_url: str, bare: Store) -> None:
    migrate.upgrade(bare_url)
    async with bare.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(migrate._config(sync), "base"))
        await connection.commit()
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert tables == ["alembic_version"]


async def test_tables_of_a_newer_nurture_are_left_alone(bare_url: str, bare: Store) -> None:
    migrate.upgrade(bare_url)
    async with bare.write() as session:
        await (await session.connection()).execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(BadSettings, match="revision 9999, of a newer nurture"):
        await migrate.require_current(bare)


def test_a_database_out_of_reach_is_said_to_be() -> None:
    with pytest.raises(Unavailable, match="postgresql"):
        migrate.upgrade("postgresql://nobody@127.0.0.1:1/nothing")
