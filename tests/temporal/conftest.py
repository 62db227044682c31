"""One real Temporal server with virtual time for all tests here, and two towns: one for each kind of database.

Over SQLite workflows run in the strict sandbox, over PostgreSQL as the worker composes them.
"""

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy as Policy

from nurture.store import Store
from tests.temporal.town import Town
from worker import journey_worker
from workflows.connection import register_search_attributes
from workflows.payloads import data_converter

TEMPORAL = Path(sys.executable).parent / "temporal"
STRICT = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "pydantic", "pydantic_core"
    ).with_import_notification_policy(Policy.WARN_ON_DYNAMIC_IMPORT | Policy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH)
)
SETTINGS = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "limit.historyCount.suggestContinueAsNew": "200",  # so that a test comes to it; 4,096 else
}


async def _unknown(key: str) -> str:
    raise KeyError(key)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """The server; versions that its clients store stay in memory, as one process writes and reads them here."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(TEMPORAL),
        data_converter=data_converter(_unknown),
        dev_server_log_level="error",
        dev_server_extra_args=[
            word for name, value in SETTINGS.items() for word in ("--dynamic-config-value", f"{name}={value}")
        ],
    ) as running:
        await register_search_attributes(running.client)
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_town(
    environment: WorkflowEnvironment, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """A town over SQLite, whose workflows run in the strict sandbox."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("town") / "nurture.db")
    store = Store(f"sqlite:///{path}")
    town = Town(environment, store, f"test-{uuid4().hex}")
    async with journey_worker(environment.client, town.equipment, STRICT):
        yield town
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_town(environment: WorkflowEnvironment, postgres_database: str) -> AsyncIterator[Town]:
    """A town over PostgreSQL, whose workflows run as they do in production."""
    store = Store(postgres_database)
    town = Town(environment, store, f"test-{uuid4().hex}")
    async with journey_worker(environment.client, town.equipment):
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
