"""Recorded histories of hand-offs' clocks replayed by today's code: a change that would break one in flight fails here."""

import re
from datetime import datetime

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.replay import corpus
from tests.replay.clock_stories import CLOCK_STORIES
from workflows.hand_off import HandOffWorkflow


async def replayed(kind: type = HandOffWorkflow, runner: WorkflowRunner | None = None) -> dict[str, Exception | None]:
    """What became of each history: None where it went the recorded way."""
    return await corpus.replayed(kind, corpus.clocks(), runner or UnsandboxedWorkflowRunner())


@pytest.mark.parametrize("runner", corpus.RUNNERS.values(), ids=corpus.RUNNERS)
async def test_every_recorded_clock_goes_the_same_way_today(runner: WorkflowRunner) -> None:
    went = await replayed(runner=runner)

    assert {name: failure for name, failure in went.items() if failure is not None} == {}


def test_every_story_of_a_clock_is_recorded() -> None:
    recorded = {re.sub(r"-\d+$", "", file.stem) for file in corpus.clock_files()}

    assert sorted(CLOCK_STORIES.keys() - recorded) == []


async def test_the_corpus_holds_every_command_of_the_clock() -> None:
    wanted = {
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_TIMER_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    }

    assert wanted - {event.event_type async for history in corpus.clocks() for event in history.events} == set()


def test_the_clocks_name_no_person_and_no_machine() -> None:
    texts = {corpus.name_of(file): file.read_text(encoding="utf-8") for file in corpus.clock_files()}

    assert [name for name, text in texts.items() if re.search(r"\d+@|/tmp/|/home/|\.local|example\.com", text)] == []


@workflow.defn(name="hand-off")
class RestsFirst(HandOffWorkflow):
    """Looks only after a rest."""

    @workflow.run
    async def run(self, hand_off_id: str) -> str:
        await workflow.sleep(1)
        return await super().run(hand_off_id)


@workflow.defn(name="hand-off")
class NeverRests(HandOffWorkflow):
    """Looks again at once."""

    @workflow.run
    async def run(self, hand_off_id: str) -> str:
        return await super().run(hand_off_id)

    async def _rest(self, until: datetime | None) -> None:
        return


@pytest.mark.parametrize("changed", [RestsFirst, NeverRests])
async def test_a_clock_that_gives_its_commands_in_another_order_does_not_pass(changed: type) -> None:
    failed = [failure for failure in (await replayed(changed)).values() if isinstance(failure, NondeterminismError)]

    assert failed
