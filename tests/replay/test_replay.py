"""Recorded histories replayed by today's code: a change that would break journeys in flight fails here.

Temporal compares the commands; what the interpreter makes of the recorded replies is compared beside that.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.workflow import NondeterminismError

import nurture.journey
import workflows.journey
from nurture.journey import AnyReply, Journey, Perform, fold, next_move
from nurture.version import Version
from tests.replay import corpus
from tests.replay.stories import STORIES
from workflows.journey import JourneyOrder, JourneyWorkflow
from workflows.ports import Walked, WalkOrder


async def replayed(kind: type = JourneyWorkflow, runner: WorkflowRunner | None = None) -> dict[str, Exception | None]:
    """What became of each history: None where it went the recorded way."""
    return await corpus.replayed(kind, corpus.histories(), runner or UnsandboxedWorkflowRunner())


@pytest.mark.parametrize("runner", corpus.RUNNERS.values(), ids=corpus.RUNNERS)
async def test_every_recorded_history_goes_the_same_way_today(runner: WorkflowRunner) -> None:
    went = await replayed(runner=runner)

    assert {name: failure for name, failure in went.items() if failure is not None} == {}


@pytest.mark.parametrize("file", corpus.files(), ids=corpus.name_of)
async def test_the_interpreter_makes_of_the_recorded_replies_what_it_made_then(file: Any) -> None:
    assert await departures(corpus.history(file)) == []


async def departures(history: WorkflowHistory) -> list[str]:
    """Where today's interpreter comes to another position than the history tells, by the event."""
    started = history.events[0].workflow_execution_started_event_attributes.input.payloads
    order, version = await corpus.value(started[0], JourneyOrder), await corpus.value(started[1], Version)
    position, found = order.position, []
    for event in history.events:
        told = await _position(event)
        if told is not None and told != position:
            found.append(f"event {event.event_id}: {told} is now {position}")
        position = fold(version, position, await _replies(event))
        ending = await _ending(event)
        if ending is not None and ending != (position.ending or ""):
            found.append(f"event {event.event_id}: {ending!r} is now {position.ending!r}")
    return found


async def _position(event: HistoryEvent) -> Journey | None:
    """Where the workflow then thought it was."""
    if event.HasField("activity_task_scheduled_event_attributes"):
        [given] = event.activity_task_scheduled_event_attributes.input.payloads
        return (await corpus.value(given, WalkOrder)).position
    if event.HasField("workflow_execution_continued_as_new_event_attributes"):
        given = event.workflow_execution_continued_as_new_event_attributes.input.payloads[0]
        return (await corpus.value(given, JourneyOrder)).position
    return None


async def _replies(event: HistoryEvent) -> tuple[AnyReply, ...]:
    """What a walk, local or not, then answered."""
    if event.HasField("activity_task_completed_event_attributes"):
        [given] = event.activity_task_completed_event_attributes.result.payloads
    elif event.HasField("marker_recorded_event_attributes"):
        details = event.marker_recorded_event_attributes.details
        if "result" not in details:
            return ()
        [given] = details["result"].payloads
    else:
        return ()
    return (await corpus.value(given, Walked)).replies


async def _ending(event: HistoryEvent) -> str | None:
    if not event.HasField("workflow_execution_completed_event_attributes"):
        return None
    [given] = event.workflow_execution_completed_event_attributes.result.payloads
    return await corpus.value(given, str)


# --- what the corpus holds ---


def test_every_story_is_recorded() -> None:
    recorded = {re.sub(r"-\d+$", "", file.stem) for file in corpus.files()}

    assert sorted(STORIES.keys() - recorded) == []


async def test_the_corpus_holds_every_command_of_the_workflow_and_every_kind_of_reply() -> None:
    events = [event async for history in corpus.histories() for event in history.events]
    replies = [reply.kind for event in events for reply in await _replies(event)]

    wanted = {
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        EventType.EVENT_TYPE_MARKER_RECORDED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_TIMER_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    }
    assert wanted - {event.event_type for event in events} == set()
    assert set(replies) == {"did", "deferred", "held", "chose", "parked", "elapsed", "heard", "closed"}


async def test_the_corpus_names_no_person_and_no_machine() -> None:
    texts = {corpus.name_of(file): file.read_text(encoding="utf-8") for file in corpus.files()}
    identities = {one for text in texts.values() for one in re.findall(r'"identity": "([^"]*)"', text)}

    assert identities <= {"recorder", ""}
    assert [name for name, text in texts.items() if re.search(r"\d+@|/tmp/|/home/|\.local", text)] == []
    decoded = [event.SerializeToString() async for history in corpus.histories() for event in history.events]
    assert [event for event in decoded if re.search(rb"\w@\w+[.]", event)] == []


# --- the corpus itself under test ---


@workflow.defn(name="journey")
class RestsBeforeItWalks(JourneyWorkflow):
    """A timer before the walk, where the walk came first."""

    @workflow.run
    async def run(self, order: JourneyOrder, version: Version) -> str:
        return await super().run(order, version)

    async def _walk(self) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super()._walk()


@workflow.defn(name="journey")
class ListensAfterItWalked(JourneyWorkflow):
    """Hears of an exit only when its send is through."""

    @workflow.run
    async def run(self, order: JourneyOrder, version: Version) -> str:
        return await super().run(order, version)

    def _broken_into(self) -> bool:
        return False


@workflow.defn(name="journey")
class NeverGoesOnAfresh(JourneyWorkflow):
    """Lets its history grow."""

    @workflow.run
    async def run(self, order: JourneyOrder, version: Version) -> str:
        return await super().run(order, version)

    def _go_on_afresh(self) -> None:
        return


@pytest.mark.parametrize(
    ("reordered", "sample"),
    [
        (RestsBeforeItWalks, "two-years-of-waiting"),
        (ListensAfterItWalked, "an-exit-during-a-send"),
        (NeverGoesOnAfresh, "afresh-in-several-runs-1"),
    ],
)
async def test_a_workflow_that_gives_its_commands_in_another_order_does_not_pass(reordered: type, sample: str) -> None:
    failed = {name.split("/")[1] for name, failure in (await replayed(reordered)).items() if _broke(failure)}

    assert sample in failed


def _broke(failure: Exception | None) -> bool:
    return isinstance(failure, NondeterminismError)


async def test_an_interpreter_that_makes_its_moves_in_another_order_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def last_step_first(version: Version, journey: Journey) -> Any:
        move = next_move(version, journey)
        if isinstance(move, Perform) and journey.step == 0:
            return next_move(version, journey.model_copy(update={"step": 1}))
        return move

    await _does_not_pass(monkeypatch, "next_move", last_step_first)


async def test_an_interpreter_that_leads_elsewhere_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def skips_a_step(version: Version, journey: Journey, at: Any, steps: int = 1) -> Journey:
        return onward(version, journey, at, steps + 1)

    onward = nurture.journey._onward
    await _does_not_pass(monkeypatch, "_onward", skips_a_step)


async def _does_not_pass(monkeypatch: pytest.MonkeyPatch, name: str, other: Callable[..., Any]) -> None:
    """Neither by Temporal's comparison nor by ours."""
    for module in (nurture.journey, workflows.journey):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, other)
    sample = next(file for file in corpus.files() if file.stem == "bought-while-reminded")

    assert any((await replayed()).values())
    with pytest.raises((AssertionError, nurture.journey.OffTheRoad)):
        assert await departures(corpus.history(sample)) == []
