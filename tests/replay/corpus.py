"""The corpus: histories of journeys by the release that recorded them, and the versions they refer to by hash."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner

from tests.temporal.server import STRICT
from workflows.payloads import data_converter

HERE = Path(__file__).parent
HISTORIES, VERSIONS = HERE / "histories", HERE / "versions"
Value = TypeVar("Value")
RUNNERS = {"as in production": UnsandboxedWorkflowRunner(), "in the strict sandbox": STRICT}


async def version(version_hash: str) -> str:
    """The text of a recorded version."""
    return (VERSIONS / f"{version_hash}.json").read_text(encoding="utf-8")


def converter() -> DataConverter:
    """The converter of production, which finds versions here."""
    return data_converter(version)


def files() -> list[Path]:
    """Every recorded history."""
    return sorted(HISTORIES.glob("*/*.json"))


def clock_files() -> list[Path]:
    """Every recorded history of a hand-off's clock."""
    return sorted(HISTORIES.glob("*/clocks/*.json"))


def name_of(file: Path) -> str:
    """A history's release and name."""
    return f"{file.parent.name}/{file.stem}"


def history(file: Path) -> WorkflowHistory:
    """The history in that file, under its own name."""
    return WorkflowHistory.from_json(name_of(file), file.read_text(encoding="utf-8"))


async def histories() -> AsyncIterator[WorkflowHistory]:
    """Every recorded history."""
    for file in files():
        yield history(file)


async def clocks() -> AsyncIterator[WorkflowHistory]:
    """Every recorded history of a hand-off's clock."""
    for file in clock_files():
        yield history(file)


async def replayed(
    kind: type, histories: AsyncIterator[WorkflowHistory], runner: WorkflowRunner
) -> dict[str, Exception | None]:
    """What became of each history when that workflow replays it: None where it went the recorded way."""
    replayer = Replayer(workflows=[kind], data_converter=converter(), workflow_runner=runner)
    async with replayer.workflow_replay_iterator(histories) as results:
        return {one.history.workflow_id: one.replay_failure async for one in results}


async def value(payload: Payload, kind: type[Value]) -> Value:
    """What a recorded payload holds."""
    [found] = await converter().decode([payload], [kind])
    assert isinstance(found, kind)
    return found
