"""The corpus: histories of journeys by the release that recorded them, and the versions they refer to by hash."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from workflows.payloads import data_converter

HERE = Path(__file__).parent
HISTORIES, VERSIONS = HERE / "histories", HERE / "versions"
Value = TypeVar("Value")


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


async def value(payload: Payload, kind: type[Value]) -> Value:
    """What a recorded payload holds."""
    [found] = await converter().decode([payload], [kind])
    assert isinstance(found, kind)
    return found
