"""A journey as a workflow on a real Temporal server: what wakes it, what ends it, and what it costs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from nurture import Campaign, State, daily, days, leave, on, send, tag, wait, wait_for, weeks
from nurture.errors import ProviderUnavailable
from nurture.intake.merging import merge
from nurture.simulate import at
from nurture.store.campaigns import pause, resume
from nurture.store.journeys import stop
from nurture.store.leads import get
from nurture.store.models import JourneyRow, new_id
from tests.temporal.town import Town, a_lead

BASIS = "the lead asked for it"  # so it goes at any hour
OF_VIRTUAL_TIME = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}


@pytest.fixture
def town(sandboxed: Town) -> Town:
    """The town whose workflows run in the strict sandbox."""
    return sandboxed


def patient(key: str = "patient") -> Campaign:
    """Waits for two years, but listens."""
    return Campaign(
        key,
        enters=[on("asked")],
        exits=[on("objected")],
        always=[on("order_paid", to="thanks")],
        states=[
            State("first", [send("test/one", legal_basis=BASIS), wait(days(730)), leave("enough")]),
            State("thanks", [send("test/thanks", legal_basis=BASIS), wait(days(1)), leave("thanked")]),
        ],
    )


def visited() -> Campaign:
    """Waits for one visit after the other."""
    return Campaign(
        "visited",
        enters=[on("asked")],
        states=[
            State("one", [wait_for(on("visit"), up_to=days(10), then="two", otherwise=leave("never came"))]),
            State("two", [wait_for(on("visit"), up_to=days(10), then="three", otherwise=leave("came once"))]),
            State("three", [send("test/one", legal_basis=BASIS), wait(days(1)), leave("came twice")]),
        ],
    )


async def settled(town: Town, campaign: Campaign, **profile: Any) -> tuple[JourneyRow, WorkflowHandle[Any, Any], str]:
    lead_id = await town.settle(a_lead(**profile))
    return *await town.begin(campaign, lead_id), lead_id


# --- exits, stops and goals at any time ---


async def test_an_exit_while_a_message_is_being_tried_cancels_it(town: Town) -> None:
    town.postbox.trouble = ProviderUnavailable("busy", retry_after=timedelta(hours=1))
    row, handle, lead_id = await settled(town, patient())
    await town.tries(row)
    await town.happens(lead_id, at(event="objected"), datetime.now(UTC))

    assert await handle.result() == "left: on objected"
    assert await town.messages(row) == [("test/one", "cancelled", "the journey went another way")]


async def test_what_is_always_heard_while_a_message_is_being_tried_comes_before_it(town: Town) -> None:
    town.postbox.trouble = ProviderUnavailable("busy", retry_after=timedelta(hours=1))
    row, _, lead_id = await settled(town, patient())
    await town.tries(row)
    town.postbox.trouble = None
    await town.happens(lead_id, at(event="order_paid"), datetime.now(UTC))

    await town.comes_to(row, "thanks")
    assert [one[:2] for one in await town.messages(row)] == [("test/one", "cancelled"), ("test/thanks", "accepted")]


async def test_an_exit_ends_a_wait_of_two_years_at_once(town: Town) -> None:
    row, handle, lead_id = await settled(town, patient())
    await town.moves_on(handle, timedelta(days=400))
    then = await town.environment.get_current_time(handle)
    await town.happens(lead_id, at(event="objected"), then)

    assert await handle.result() == "left: on objected"
    assert (await town.lived(row)).times[-1] - then < timedelta(minutes=1)


async def test_a_person_stops_a_journey(town: Town) -> None:
    row, handle, _ = await settled(town, patient())
    await town.comes_to(row, "first")
    async with town.store.write() as session:
        await stop(session, row.id, "asked by phone", datetime.now(UTC))
    await town.dispatch(datetime.now(UTC))

    assert await handle.result() == "stopped"
    assert (await town.lived(row)).ending == "stopped: asked by phone"
    assert b"phone" not in b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)


async def test_a_journey_goes_on_under_the_lead_that_its_own_was_merged_into(town: Town) -> None:
    kept, first, lead_id = await settled(town, patient())
    gone, second, gone_id = await settled(town, patient())
    other, third = await town.begin(visited(), gone_id)
    for row, state in ((kept, "first"), (gone, "first"), (other, "one")):
        await town.comes_to(row, state)

    await merge(town.store, town.equipment.recorder, lead_id, gone_id, by="test", now=datetime.now(UTC))
    await town.dispatch(datetime.now(UTC))
    assert await second.result() == "merged"
    for state in ("two", "three"):  # the workflow knows its lead by the old id only
        await town.happens(gone_id, at(event="visit"), datetime.now(UTC))
        await town.comes_to(other, state)
    await town.happens(gone_id, at(event="order_paid"), datetime.now(UTC))
    await town.moves_on(first)

    assert await first.result() == "left: thanked"
    assert [template for template, _, _ in await town.messages(other)] == ["test/one"]
    async with town.store.read() as session:
        address = (await get(session, lead_id)).email
    assert [mail.recipient for mail in town.mails(other)] == [address]
    await third.terminate()


async def test_a_paused_journey_is_held_and_goes_on_when_the_campaign_does(town: Town) -> None:
    campaign = patient(f"paused-{new_id()[:8]}")
    first, _, _ = await settled(town, campaign)
    await town.comes_to(first, "first")
    async with town.store.write() as session:
        await pause(session, campaign.key, datetime.now(UTC))
    second, _, _ = await settled(town, campaign)
    await town.comes_to(second, "first", status="held")
    async with town.store.write() as session:
        await resume(session, campaign.key, datetime.now(UTC))
    await town.dispatch(datetime.now(UTC))

    await town.comes_to(second, "first")
    assert [one.reply["kind"] for one in (await town.lived(second)).moves] == ["held", "heard", "did", "parked"]


# --- signals ---


async def test_a_signal_that_comes_twice_or_late_counts_once(town: Town) -> None:
    row, handle, lead_id = await settled(town, visited())
    await town.comes_to(row, "one")
    await town.happens(lead_id, at(event="visit"), datetime.now(UTC))
    await town.comes_to(row, "two")
    for _ in range(3):
        await town.hears(row, "one/0/1:0", "visit-again")
    await town.moves_on(handle, timedelta(days=11))

    assert await handle.result() == "left: came once"
    assert [kind for _, kind in (await town.lived(row)).trace] == ["parked", "heard", "parked", "elapsed", "closed"]


async def test_a_long_history_goes_on_afresh_and_loses_no_signal(town: Town) -> None:
    row, handle, _ = await settled(town, visited())
    await town.comes_to(row, "one")
    for wait_ in ("one/0/1:0", "two/0/1:0"):
        for n in range(60):
            await town.hears(row, "long-gone/0/1:0", f"noise-{n}")
        await town.hears(row, wait_, "visit")
        await town.comes_to(row, "two" if wait_.startswith("one") else "three")

    assert (await handle.describe()).raw_description.workflow_execution_info.first_run_id != (
        await handle.describe()
    ).run_id
    assert [kind for _, kind in (await town.lived(row)).trace][:4] == ["parked", "heard", "parked", "heard"]
    assert len(town.mails(row)) == 1


async def test_a_reset_by_an_operator_sends_nothing_again(town: Town) -> None:
    row, handle, _ = await settled(town, patient())
    await town.comes_to(row, "first")
    await _reset(town, handle)
    await town.hears(row, "exit:0", "objected")

    handle = town.environment.client.get_workflow_handle(handle.id)
    assert await handle.result() == "left: on objected"
    assert len(town.mails(row)) == 1


async def test_a_wait_longer_than_any_timer_ends_in_its_time(town: Town) -> None:
    campaign = Campaign("ages", enters=[on("asked")], states=[State("one", [wait(days(25 * 365)), leave("aged")])])
    row, handle, _ = await settled(town, campaign)
    await town.moves_on(handle)

    assert await handle.result() == "left: aged"
    assert (await town.lived(row)).times[1] - row.entered >= timedelta(days=25 * 365)


# --- what a journey costs, and what it shows ---


def letters(n: int) -> Campaign:
    rooms = [
        State(f"s{at}", [send("test/one", legal_basis=BASIS), tag(f"got {at}"), wait(weeks(1))]) for at in range(n)
    ]
    return Campaign(f"letters-{n}", enters=[on("asked")], states=rooms)


async def _whole(town: Town, campaign: Campaign, **profile: Any) -> tuple[JourneyRow, list[HistoryEvent]]:
    """A journey to its end, and its history; to move the clock on by hand would itself wake the workflow."""
    lead_id = await town.settle(a_lead(**profile))
    row, handle = await town.begin(campaign, lead_id, still=False)
    await handle.result()
    events = (await handle.fetch_history()).events
    return row, [event for event in events if event.event_type not in OF_VIRTUAL_TIME]


async def test_a_message_and_a_wait_cost_eleven_events_one_activity_and_one_timer(town: Town) -> None:
    (_, shorter), (_, longer) = await _whole(town, letters(2)), await _whole(town, letters(3))
    more = Counter(event.event_type for event in longer) - Counter(event.event_type for event in shorter)

    assert len(longer) - len(shorter) == sum(more.values()) == 11
    assert more[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] == more[EventType.EVENT_TYPE_TIMER_STARTED] == 1
    assert more[EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED] == 2
    assert _size(longer) - _size(shorter) <= 2048


async def test_the_frame_of_a_journey_costs_seven_events_at_most(town: Town) -> None:
    _, history = await _whole(town, letters(2))

    assert len(history) - 2 * 11 <= 7
    assert EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES not in {event.event_type for event in history}


async def test_a_start_is_small_however_long_the_campaign(town: Town) -> None:
    short, long = [(await (await settled(town, letters(n)))[1].fetch_history()).events[0] for n in (1, 12)]

    assert short.ByteSize() < 1300
    assert abs(long.ByteSize() - short.ByteSize()) < 16


async def test_a_history_names_nobody(town: Town) -> None:
    canaries = {
        "first_name": "Canaryfirst",
        "phone": "+49301234567",
        "email": "canary@nowhere.example",
        "city": "Canaryville",
    }
    campaign = Campaign("canary", enters=[on("asked")], states=[
        State("one", [send("test/one", legal_basis=BASIS), wait(until=daily("10:00")), send("test/two", legal_basis=BASIS)])
    ])  # fmt: skip
    row, history = await _whole(town, campaign, **canaries)
    content = b"".join(event.SerializeToString() for event in history)

    assert len(town.mails(row)) == 2
    assert [one for one in canaries.values() if one.encode() in content] == []


async def test_a_failure_in_the_history_names_nobody(town: Town) -> None:
    town.postbox.trouble = ValueError("canary@nowhere.example is broken")
    row, handle, _ = await settled(town, patient(), email="canary@nowhere.example")
    await town.tries(row)
    await town.hears(row, "exit:0", "objected")
    await handle.result()

    content = b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)
    assert b"canary@nowhere.example" not in content


def _size(history: list[HistoryEvent]) -> int:
    return sum(event.ByteSize() for event in history)


async def _reset(town: Town, handle: WorkflowHandle[Any, Any]) -> None:
    """Back to before anything was done."""
    history = (await handle.fetch_history()).events
    first = next(one for one in history if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    client = town.environment.client
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="a test",
            workflow_task_finish_event_id=first.event_id,
            request_id=new_id(),
        )
    )
