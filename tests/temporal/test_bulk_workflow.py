"""Bulk runs on a real Temporal server: what they cost, what wakes them, and what never waits behind them."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from nurture import Audience, Campaign, Mailing, State, days, escalate, lead, leave, on, send, wait, wait_for
from nurture.channels import Envelope, Receipt
from nurture.simulate import at
from nurture.store import Store, bulk_runs
from nurture.store.campaigns import publish
from nurture.store.models import HandOffRow, JourneyRow, MessageRow, new_id
from nurture.version import frozen
from tests.integration.bulk import ordered, run_of
from tests.temporal.town import Town, a_lead
from worker import working

PLACES = 4
BASIS = "the lead asked for it"  # so it goes at any hour
ONE_MESSAGE = Campaign(
    "one-message", enters=[on("asked")], states=[State("only", [send("test/one", legal_basis=BASIS)])]
)
SLOW = Campaign(
    "slow", enters=[on("asked")], states=[State("only", [send("test/one", legal_basis=BASIS), wait(days(9))])]
)
HELD_OUT = Campaign("held-out", enters=[on("asked")], holdout=100, states=[State("only", [wait(days(9))])])
INTERACTIVE = Campaign(
    "interactive",
    enters=[on("asked")],
    exits=[on("objected")],
    always=[on("request_sent", to="sales")],
    states=[
        State("quiet", [wait(days(30)), leave("quiet")]),
        State("sales", [escalate("ready"), wait_for(on("sales_rejected"), up_to=days(14))]),
    ],
)
OF_VIRTUAL_TIME = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}


@pytest.fixture
def town(sandboxed: Town) -> Town:
    """The town whose workflows run in the strict sandbox."""
    return sandboxed


async def crowd(town: Town, people: int) -> Audience:
    """An audience of so many new leads."""
    group = new_id()
    for _ in range(people):
        await town.settle(a_lead(city=group))
    return Audience(key=f"of-{group}", who=lead.city == group)


async def published(town: Town, campaign: Campaign) -> None:
    async with town.store.write() as session:
        await publish(session, frozen(campaign), by="test", now=datetime.now(UTC))


async def begun(town: Town, *order: Any, **options: Any) -> tuple[str, WorkflowHandle[Any, Any]]:
    """A run as ordered, carried to the server by the dispatcher."""
    run_id = await ordered(town.store, datetime.now(UTC), *order, **options)
    await town.dispatch(datetime.now(UTC))
    return run_id, town.environment.client.get_workflow_handle(f"bulk:{run_id}")


async def history(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    return [one for one in (await handle.fetch_history()).events if one.event_type not in OF_VIRTUAL_TIME]


async def journeys(town: Town, campaign: Campaign) -> list[JourneyRow]:
    async with town.store.read() as session:
        return list((await session.exec(select(JourneyRow).where(JourneyRow.campaign == campaign.key))).all())


async def test_an_audience_is_entered_and_every_journey_runs(town: Town) -> None:
    await published(town, ONE_MESSAGE)
    _, handle = await begun(town, "enrol", "one-message", audience=await crowd(town, 10))
    assert await handle.result() == "done"
    rows = await journeys(town, ONE_MESSAGE)
    for row in rows:
        await town.environment.client.get_workflow_handle(f"journey:{row.id}").result()

    assert len({row.lead_id for row in rows}) == len(rows) == 10
    assert all(len(town.mails(row)) == 1 for row in rows)
    await town.replayer.replay_workflow(await handle.fetch_history())


async def test_a_mailing_costs_less_than_a_twentieth_of_a_journeys_events_a_lead(town: Town) -> None:
    _, journey = await town.begin(ONE_MESSAGE, await town.settle(a_lead()))
    await journey.result()
    letter = Mailing(key="letter", template="test/one", audience="x", purpose="transactional", legal_basis=BASIS)
    _, mailing = await begun(town, "mailing", mailing=letter, audience=await crowd(town, 60))
    assert await mailing.result() == "done"

    assert len(town.postbox.mails) == 1 + 60
    assert len(await history(mailing)) / 60 <= len(await history(journey)) / 20
    await town.replayer.replay_workflow(await mailing.fetch_history())


async def test_a_paused_run_waits_without_a_timer_and_goes_on_when_it_is_resumed(town: Town) -> None:
    await published(town, SLOW)
    run_id = await ordered(town.store, datetime.now(UTC), "enrol", "slow", audience=await crowd(town, 3))
    async with town.store.write() as session:
        await bulk_runs.pause(session, run_id)
    await town.dispatch(datetime.now(UTC))
    handle = town.environment.client.get_workflow_handle(f"bulk:{run_id}")
    await comes_to(handle, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    async with town.store.write() as session:
        await bulk_runs.resume(session, run_id, datetime.now(UTC))
    await town.dispatch(datetime.now(UTC))

    assert await handle.result() == "done"
    kinds = [one.event_type for one in await history(handle)]
    assert (
        EventType.EVENT_TYPE_TIMER_STARTED not in kinds[: kinds.index(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, 8)]
    )
    assert (await run_of(town.store, run_id)).counts == {"entered": 3}


async def comes_to(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> None:
    """Wait for an event of that kind in the workflow's history."""
    async with asyncio.timeout(10):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == kind:
                return


async def test_a_run_cancelled_while_it_is_paused_ends(town: Town) -> None:
    await published(town, SLOW)
    run_id = await ordered(town.store, datetime.now(UTC), "enrol", "slow", audience=await crowd(town, 3))
    async with town.store.write() as session:
        await bulk_runs.pause(session, run_id)
    await town.dispatch(datetime.now(UTC))
    async with town.store.write() as session:
        await bulk_runs.cancel(session, run_id, datetime.now(UTC))
    await town.dispatch(datetime.now(UTC))

    assert await town.environment.client.get_workflow_handle(f"bulk:{run_id}").result() == "cancelled"


async def test_a_long_run_goes_on_afresh_and_misses_nobody(town: Town) -> None:
    await published(town, HELD_OUT)
    run_id, handle = await begun(town, "enrol", "held-out", audience=await crowd(town, 20 * 20), rate=10)
    first = (await handle.describe()).run_id
    assert await handle.result() == "done"

    assert len({row.lead_id for row in await journeys(town, HELD_OUT)}) == 20 * 20
    assert (await run_of(town.store, run_id)).counts == {"held out": 20 * 20}
    assert (await handle.describe()).run_id != first


# --- what is not behind a bulk run ---


class Gate:
    """A channel that lets nothing through until it is opened, but for notices to a team."""

    name = "email"

    def __init__(self) -> None:
        self.waiting = 0
        self.full = asyncio.Event()
        self.opened = asyncio.Event()

    async def send(self, envelope: Envelope) -> Receipt:
        if envelope.recipient != "sales@example.com":
            self.waiting += 1
            if self.waiting == PLACES:
                self.full.set()
            await self.opened.wait()
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:
        return None

    async def close(self) -> None:
        return


@pytest.fixture
async def narrow(environment: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[tuple[Town, Gate]]:
    """A town whose worker makes few walks at once, and the gate that its mails have to pass."""
    store, gate = Store(sqlite_url), Gate()
    town = Town(environment, store, f"test-{new_id()}", walks_at_once=PLACES)
    town.equipment = dataclasses.replace(town.equipment, channels={"email": gate})
    async with working(environment.client, town.equipment, town.journeys):
        yield town, gate
        gate.opened.set()
    await store.close()


async def test_an_exit_is_heard_and_a_hand_off_made_while_a_run_fills_the_queue_with_slow_sends(
    narrow: tuple[Town, Gate],
) -> None:
    town, gate = narrow
    await published(town, SLOW)
    leaves, asks = [await town.settle(a_lead()) for _ in range(2)]
    left, ending = await town.begin(INTERACTIVE, leaves)
    asked, _ = await town.begin(INTERACTIVE, asks)
    for row in (left, asked):
        await town.comes_to(row, "quiet")
    _, run = await begun(town, "enrol", "slow", audience=await crowd(town, 3 * PLACES))
    assert await run.result() == "done"
    await asyncio.wait_for(gate.full.wait(), 10)
    now = datetime.now(UTC)
    for lead_id, name in ((leaves, "objected"), (asks, "request_sent")):
        await town.happens(lead_id, at(event=name), now)
    assert await ending.result() == "left: on objected"
    await town.comes_to(asked, "sales")

    async with town.store.read() as session:
        handed = (await session.exec(select(HandOffRow).where(HandOffRow.lead_id == asks))).all()
        sent = (await session.exec(select(MessageRow.status).where(MessageRow.campaign == "slow"))).all()
    assert (len(handed), set(sent), gate.waiting) == (1, {"committing"}, PLACES)
    gate.opened.set()
    await accepted(town, "slow", 3 * PLACES)


async def accepted(town: Town, campaign: str, number: int) -> None:
    """Wait until so many of the campaign's messages are accepted."""
    query = select(MessageRow.id).where(MessageRow.campaign == campaign, MessageRow.status == "accepted")
    async with asyncio.timeout(20):
        while True:
            async with town.store.read() as session:
                if len((await session.exec(query)).all()) >= number:
                    return
            await asyncio.sleep(0.05)  # the worker works meanwhile
