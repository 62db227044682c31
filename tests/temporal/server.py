"""A real Temporal server with virtual time, and the strict sandbox."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.testing import WorkflowEnvironment
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy as Policy

from workflows.client import register_search_attributes
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
    "history.transferProcessorUpdateAckInterval": '"100ms"',  # a closed run is deleted once its close was noted
    "history.visibilityProcessorUpdateAckInterval": '"100ms"',
    "limit.historyCount.suggestContinueAsNew": "200",  # so that a test comes to it; 4,096 else
}


async def _unknown(key: str) -> str:
    raise KeyError(key)


@asynccontextmanager
async def temporal_server() -> AsyncIterator[WorkflowEnvironment]:
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


async def a_server() -> WorkflowEnvironment:
    """A server in real time that knows nothing yet, and reports a workflow that fails at its first failure."""
    soon = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=1"
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL),
        data_converter=data_converter(_unknown),
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", soon],
    )
