"""One real Temporal server with virtual time for all tests here, and two towns: one for each kind of database.

Over SQLite workflows run in the strict sandbox, over PostgreSQL as the worker composes them.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from nurture.store import Store
from tests.temporal.server import STRICT, a_server, temporal_server
from tests.temporal.town import Town
from worker import working
from workflows.client import register_search_attributes


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """The server, for all tests."""
    async with temporal_server() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_town(
    environment: WorkflowEnvironment, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """A town over SQLite, whose workflows run in the strict sandbox."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("town") / "nurture.db")
    store = Store(f"sqlite:///{path}")
    town = Town(environment, store, f"test-{uuid4().hex}")
    async with working(environment.client, town.equipment, town.journeys, STRICT):
        yield town
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_town(environment: WorkflowEnvironment, postgres_database: str) -> AsyncIterator[Town]:
    """A town over PostgreSQL, whose workflows run as they do in production."""
    store = Store(postgres_database)
    town = Town(environment, store, f"test-{uuid4().hex}")
    async with working(environment.client, town.equipment, town.journeys):
        yield town
    await store.close()


@pytest.fixture
def sandboxed(sqlite_town: Town) -> Town:
    """The town over SQLite, its postbox emptied."""
    sqlite_town.postbox.empty()
    return sqlite_town


@pytest.fixture
def production(postgres_town: Town) -> Town:
    """The town over PostgreSQL, its postbox emptied."""
    postgres_town.postbox.empty()
    return postgres_town


# --- for tests that end workflows behind our back, or lose a server ---


@pytest.fixture
async def own_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server of a test's own."""
    async with await a_server() as running:
        await register_search_attributes(running.client)
        yield running


@pytest.fixture
async def own_town(own_server: WorkflowEnvironment, store: Store) -> AsyncIterator[Town]:
    """A town over that server, on each database in turn."""
    town = Town(own_server, store, "nurture")
    async with working(own_server.client, town.equipment, town.journeys):
        yield town
