"""Every kind of journey, to be recorded: those of the golden traces, and what people, providers and operators do to one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from nurture import Campaign, State, daily, days, go, leave, on, quiet, send, set_field, tag, wait, wait_for
from nurture.errors import AddressRefused, Ambiguous, ProviderUnavailable
from nurture.lead import lead
from nurture.simulate import at
from nurture.store.campaigns import pause, resume
from nurture.store.journeys import start_order, stop
from nurture.store.models import JourneyRow, new_id
from tests.temporal.roads import ROADS, Road
from tests.temporal.town import Town, a_lead

BASIS = "the lead asked for it"  # so it goes at any hour
SOON = timedelta(milliseconds=50)
LATER = timedelta(hours=1)


@dataclass(frozen=True)
class Begun:
    """A journey under way in a town."""

    town: Town
    row: JourneyRow
    handle: WorkflowHandle[Any, Any]

    async def happens(self, event: str, **known: Any) -> None:
        """Something happens to its lead, at this moment of its own clock."""
        now = await self.town.environment.get_current_time(self.handle)
        await self.town.happens(self.row.lead_id, at(event=event, lead=known), now)

    async def dispatched(self) -> None:
        """What people ordered is done."""
        await self.town.dispatch(datetime.now(UTC))


Story: TypeAlias = Callable[[Town], Awaitable[JourneyRow]]
"""Lives a journey to its end."""


def patient(key: str) -> Campaign:
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


def visited(key: str) -> Campaign:
    """Waits for one visit after the other, and moves without a message in between."""
    return Campaign(
        key,
        enters=[on("asked")],
        goal=on("order_paid"),
        states=[
            State("one", [tag("seen"), wait_for(on("visit"), up_to=days(10), then="two", otherwise=leave("never came"))]),
            State("two", [wait_for(on("visit"), up_to=days(10), then="three", otherwise=leave("came once"))]),
            State("three", [send("test/one", legal_basis=BASIS), wait(days(1)), leave("came twice")]),
        ],
    )  # fmt: skip


def rounds(key: str) -> Campaign:
    """Goes round until it is stopped by an event."""
    return Campaign(
        key,
        enters=[on("asked")],
        exits=[on("objected")],
        states=[
            State("ask", [send("test/one", legal_basis=BASIS), set_field(lead.city, "Berlin")]),
            State("rest", [wait_for(on("visit"), up_to=days(2), otherwise="ask"), go("ask")]),
        ],
    )


async def begun(town: Town, campaign: Campaign, *, key: str = "", rests_in: str = "") -> Begun:
    """A new lead on its way, up to its rest in that state where one is named."""
    lead_id = await town.settle(a_lead())
    row, handle = await town.begin(campaign, lead_id, key=key)
    if rests_in:
        await town.comes_to(row, rests_in)
    return Begun(town, row, handle)


async def ended(one: Begun) -> JourneyRow:
    """The journey's row once its workflow is done, whatever time that takes."""
    await one.town.lives_on(one.row, one.handle)
    return one.row


async def along(road: Road, town: Town) -> JourneyRow:
    """A road of the golden traces."""
    lead_id = await town.settle(a_lead(**road.lead), road.lead.get("consents"))
    row, handle = await town.begin(road.campaign, lead_id)
    await town.lives_on(row, handle, road.events)
    return row


# --- what people do ---


async def paused_and_resumed(town: Town) -> JourneyRow:
    """Held before its first message, let go on, and left by an exit."""
    campaign = patient("paused-and-resumed")
    await begun(town, campaign, rests_in="first")
    async with town.store.write() as session:
        await pause(session, campaign.key, datetime.now(UTC))
    one = await begun(town, campaign)
    await town.comes_to(one.row, "first", status="held")
    async with town.store.write() as session:
        await resume(session, campaign.key, datetime.now(UTC))
    await one.dispatched()
    await town.comes_to(one.row, "first")
    await one.happens("objected")
    return await ended(one)


async def stopped_by_a_person(town: Town) -> JourneyRow:
    """Stopped in the middle of a wait."""
    one = await begun(town, patient("stopped-by-a-person"), rests_in="first")
    async with town.store.write() as session:
        await stop(session, one.row.id, "asked by phone", datetime.now(UTC))
    await one.dispatched()
    return await ended(one)


async def goal_reached(town: Town) -> JourneyRow:
    """The goal in the middle of a wait."""
    one = await begun(town, visited("goal-reached"), rests_in="one")
    await one.happens("order_paid")
    return await ended(one)


async def entered_under_a_key(town: Town) -> JourneyRow:
    """Entered for one of several appointments."""
    campaign = Campaign(
        "appointment",
        enters=[on("appointment_made", key="number")],
        states=[State("before", [wait(until=daily("09:00")), send("test/one", legal_basis=BASIS), wait(days(1))])],
    )
    return await ended(await begun(town, campaign, key="A-17"))


async def round_and_round(town: Town) -> JourneyRow:
    """Three times through the same states, by time and by event."""
    one = await begun(town, rounds("round-and-round"), rests_in="rest")
    await town.moves_on(one.handle, timedelta(days=2, hours=1))
    await one.happens("visit")
    await town.takes(one.row, mails=3)
    await one.happens("objected")
    return await ended(one)


# --- what providers do ---


async def a_retried_send(town: Town) -> JourneyRow:
    """Put off by the provider at first, then taken."""
    town.postbox.trouble = ProviderUnavailable("busy", retry_after=SOON)
    one = await begun(town, patient("a-retried-send"))
    await town.tries(one.row)
    town.postbox.trouble = None
    return await ended(one)


async def sent_again_after_no_answer(town: Town) -> JourneyRow:
    """Handed over without an answer, and sent again as its policy says."""
    town.postbox.trouble = Ambiguous("no answer")
    one = await begun(town, patient("sent-again-after-no-answer"))
    await town.tries(one.row)
    town.postbox.trouble = None
    return await ended(one)


async def a_refused_address(town: Town) -> JourneyRow:
    """Refused for good, and going on all the same."""
    town.postbox.trouble = AddressRefused("no such user", code="5.1.1")
    return await ended(await begun(town, patient("a-refused-address")))


async def an_exit_during_a_send(town: Town) -> JourneyRow:
    """Left while the provider is away."""
    town.postbox.trouble = ProviderUnavailable("away", retry_after=LATER)
    one = await begun(town, patient("an-exit-during-a-send"))
    await town.tries(one.row)
    await one.happens("objected")
    return await ended(one)


async def an_order_during_a_send(town: Town) -> JourneyRow:
    """Led elsewhere while the provider is away."""
    town.postbox.trouble = ProviderUnavailable("away", retry_after=LATER)
    one = await begun(town, patient("an-order-during-a-send"))
    await town.tries(one.row)
    town.postbox.trouble = None
    await one.happens("order_paid")
    return await ended(one)


async def a_night_in_between(town: Town) -> JourneyRow:
    """Put off by quiet hours that are never over, until an exit."""
    always_quiet = quiet("00:00", "23:59")
    campaign = Campaign(
        "a-night-in-between", enters=[on("asked")], exits=[on("objected")], quiet=always_quiet,
        states=[State("first", [send("test/one"), wait(days(1))])],
    )  # fmt: skip
    one = await begun(town, campaign, rests_in="first")
    await one.happens("objected")
    return await ended(one)


# --- what comes twice, late or in masses ---


async def signals_twice_and_late(town: Town) -> JourneyRow:
    """One visit told again and again counts once."""
    one = await begun(town, visited("signals-twice-and-late"), rests_in="one")
    await one.happens("visit")
    await town.comes_to(one.row, "two")
    for _ in range(3):
        await town.hears(one.row, "one/0/1:0", "visit-again")
    return await ended(one)


async def afresh_in_several_runs(town: Town) -> JourneyRow:
    """A history that grows long goes on afresh, with what it has not listened to yet."""
    one = await begun(town, visited("afresh-in-several-runs"), rests_in="one")
    first = (await one.handle.describe()).run_id
    while (await one.handle.describe()).run_id == first:
        await town.hears(one.row, "long-gone/0/1:0", "noise")
    await town.hears(one.row, "one/1/1:0", "visit-1")
    await town.comes_to(one.row, "two")
    await town.hears(one.row, "two/0/1:0", "visit-2")
    await town.comes_to(one.row, "three")
    return await ended(one)


async def longer_than_any_timer(town: Town) -> JourneyRow:
    """Waits for 25 years."""
    campaign = Campaign("ages", enters=[on("asked")], states=[State("one", [wait(days(25 * 365)), leave("aged")])])
    return await ended(await begun(town, campaign))


# --- what operators do ---


async def reset_by_an_operator(town: Town) -> JourneyRow:
    """Set back to its beginning after its first message."""
    one = await begun(town, patient("reset-by-an-operator"), rests_in="first")
    history = (await one.handle.fetch_history()).events
    first = next(event for event in history if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    await town.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=town.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=one.handle.id),
            reason="recorded",
            workflow_task_finish_event_id=first.event_id,
            request_id=new_id(),
        )
    )
    await town.hears(one.row, "exit:0", "objected")
    await town.client.get_workflow_handle(one.handle.id).result()
    return one.row


async def run_again_from_the_store(town: Town) -> JourneyRow:
    """Terminated in the middle of a wait, and run again from where it stands."""
    one = await begun(town, patient("run-again-from-the-store"), rests_in="first")
    await one.handle.terminate("recorded")
    async with town.store.read() as session:
        order = await start_order(session, one.row.id)
    assert order is not None
    await town.journeys.start(order)
    await town.hears(one.row, "exit:0", "objected")
    await town.client.get_workflow_handle(one.handle.id).result()
    return one.row


STORIES: dict[str, Story] = {
    **{road.name.replace(" ", "-"): partial(along, road) for road in ROADS},
    **{
        story.__name__.replace("_", "-"): story
        for story in (
            paused_and_resumed,
            stopped_by_a_person,
            goal_reached,
            entered_under_a_key,
            round_and_round,
            a_retried_send,
            sent_again_after_no_answer,
            a_refused_address,
            an_exit_during_a_send,
            an_order_during_a_send,
            a_night_in_between,
            signals_twice_and_late,
            afresh_in_several_runs,
            longer_than_any_timer,
            reset_by_an_operator,
            run_again_from_the_store,
        )
    },
}
