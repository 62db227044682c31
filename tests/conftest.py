"""What tests stand on: a moment to call now, and the store on both databases."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import nurture.store.models  # noqa: F401  # fills SQLModel.metadata
from nurture.store import Store
from nurture.store.database import driver_url

FAST_AND_LOOSE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")  # nobody needs it after a crash


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that nobody waits for it at the end."""
    items.sort(key=lambda item: "test_ring" not in item.nodeid)


@pytest.fixture
def now() -> datetime:
    """A Monday in November, ten in the morning UTC."""
    return datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database with our tables, of each kind in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An empty store, on each database in turn."""
    store = Store(database_url)
    yield store
    await store.close()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A new SQLite database with our tables."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'nurture.db')}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables, to copy: that takes a tenth of the time it takes to make them."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
async def postgres_url(postgres_database: str) -> str:
    """The PostgreSQL database of this process, with our tables, emptied."""
    engine = create_async_engine(driver_url(postgres_database))
    emptied = ";".join(f'DELETE FROM "{table.name}"' for table in reversed(SQLModel.metadata.sorted_tables))
    async with engine.begin() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.execute(emptied)
    await engine.dispose()
    return postgres_database


@pytest.fixture(scope="session")
async def postgres_database(postgres_server: str, worker_id: str) -> str:
    """A database of this process's own on the server."""
    server = create_async_engine(driver_url(postgres_server), isolation_level="AUTOCOMMIT")
    name = f"nurture_test_{worker_id}"
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
    await server.dispose()
    url = create_async_engine(driver_url(postgres_server)).url.set(database=name)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    await engine.dispose()
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL server for all processes of the run: the embedded one, unless NURTURE_TEST_POSTGRES names another."""
    if url := os.environ.get("NURTURE_TEST_POSTGRES"):
        yield url
        return
    embedded = pytest.importorskip(
        "tests.embedded", reason="no PostgreSQL: set NURTURE_TEST_POSTGRES", exc_type=ImportError
    )
    run = getattr(request.config, "workerinput", {}).get("testrunuid", os.getpid())
    # Not below pytest's own folder: each pytest that starts shuts that to the user whom the server runs as.
    folder = Path(tempfile.gettempdir(), f"nurture-postgres-{run}")
    with embedded.get_server(folder, cleanup_mode="delete") as server:
        settings = " ".join(f"ALTER SYSTEM SET {setting};\n" for setting in FAST_AND_LOOSE)
        server.psql(f"{settings} SELECT pg_reload_conf();")
        yield server.get_uri()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """This process among those of the run; `master` when it is the only one (as pytest-xdist has it)."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))
