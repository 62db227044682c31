"""Record the corpus anew: `python -m tests.replay.record` plays every story on a real server, with `clocks` those of clocks.

What was recorded by this release is replaced; what another one recorded stays. See CONTRIBUTING.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as release_of
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from sqlalchemy import create_engine
from sqlmodel import SQLModel, select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from nurture.store import Store
from nurture.store.models import VersionRow
from tests.replay.clock_stories import CLOCK_STORIES
from tests.replay.corpus import HISTORIES, VERSIONS
from tests.replay.stories import STORIES
from tests.temporal.desk import manned
from tests.temporal.server import temporal_server
from tests.temporal.town import Town
from worker import working
from workflows.client import clock_id, workflow_id

NOBODY = "recorder"  # in place of what names this machine and its processes
MACHINE = {"identity", "stackTrace", "workerInstanceKey"}


@asynccontextmanager
async def a_town(folder: Path) -> AsyncIterator[Town]:
    """An empty town on a server of its own."""
    file = folder / "nurture.db"
    engine = create_engine(f"sqlite:///{file}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    store = Store(f"sqlite:///{file}")
    async with temporal_server() as environment:
        host = environment.client.service_client.config.target_host
        client = await Client.connect(host, identity=NOBODY, data_converter=environment.client.data_converter)
        town = manned(Town(environment, store, "journeys", client))
        async with working(client, town.equipment, town.journeys):
            yield town
    await store.close()


async def runs(client: Client, name: str) -> list[WorkflowHistory]:
    """The histories of the workflow: of every run, the first one first, from that on which it was last begun."""
    info = (await client.get_workflow_handle(name).describe()).raw_description.workflow_execution_info
    run_id: str | None = info.first_run_id
    found = []
    while run_id:
        found.append(await client.get_workflow_handle(name, run_id=run_id).fetch_history())
        last = found[-1].events[-1]
        went_on = last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        following = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        run_id = following if went_on else None
    if info.execution.run_id not in {one.run_id for one in found}:  # a reset begins anew
        found.append(await client.get_workflow_handle(name, run_id=info.execution.run_id).fetch_history())
    return found


def written(history: WorkflowHistory) -> str:
    """The history as JSON, an event a line, without a word of this machine."""
    events = [json.dumps(_neutral(MessageToDict(event)), sort_keys=True) for event in history.events]
    return '{"events": [\n' + ",\n".join(events) + "\n]}\n"


def _neutral(value: Any) -> Any:
    match value:
        case dict():
            neutral = {key: NOBODY if key in MACHINE else _neutral(one) for key, one in value.items()}
            if neutral.get("kind") == "TASK_QUEUE_KIND_STICKY":
                neutral["name"] = NOBODY
            return neutral
        case list():
            return [_neutral(one) for one in value]
        case _:
            return value


async def keep(client: Client, name: str, place: Path) -> None:
    """Write down the histories of the workflow, one file a run."""
    histories = await runs(client, name)
    for n, history in enumerate(histories, start=1):
        number = f"-{n}" if len(histories) > 1 else ""
        place.with_name(f"{place.name}{number}.json").write_text(written(history), encoding="utf-8")
    sys.stdout.write(f"{place.name}: {sum(len(one.events) for one in histories)} events\n")


async def record_clocks(folder: Path) -> None:
    """The same of the clocks of hand-offs."""
    clocks = HISTORIES / release_of("nurture") / "clocks"
    shutil.rmtree(clocks, ignore_errors=True)
    clocks.mkdir(parents=True)
    async with a_town(folder) as town:
        for name, story in CLOCK_STORIES.items():
            town.postbox.empty()
            one = await story(town)
            await keep(town.client, clock_id(one.id), clocks / name)


async def record(folder: Path) -> None:
    """Play the stories one after the other and write down what happened."""
    release = HISTORIES / release_of("nurture")
    for old in release.glob("*.json"):
        old.unlink()
    release.mkdir(parents=True, exist_ok=True)
    VERSIONS.mkdir(exist_ok=True)
    async with a_town(folder) as town:
        for name, story in STORIES.items():
            town.postbox.empty()
            row = await story(town)
            await keep(town.client, workflow_id(row.id), release / name)
        async with town.store.read() as session:
            for version in (await session.exec(select(VersionRow))).all():
                (VERSIONS / f"{version.hash}.json").write_text(version.body, encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        if "clocks" not in sys.argv:
            asyncio.run(record(Path(made)))
        (again := Path(made, "clocks")).mkdir()
        asyncio.run(record_clocks(again))
