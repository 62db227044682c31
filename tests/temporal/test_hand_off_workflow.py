"""The clock of a hand-off on a real Temporal server: it presses, passes on, takes back, and ends with the answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from nurture import minutes
from nurture.errors import ProviderUnavailable, Refused
from nurture.store import Store
from nurture.store.erasure import erase
from tests.temporal.desk import a_desk, handed_over
from tests.temporal.town import Town
from workflows.client import workflow_id

A_MOMENT = timedelta(milliseconds=50)
BUSY = ProviderUnavailable("busy", retry_after=A_MOMENT)


@pytest.fixture
async def town(environment: WorkflowEnvironment, store: Store) -> AsyncIterator[Town]:
    """A town with a team, on each database in turn."""
    async with a_desk(environment, store) as desk:
        yield desk


def journey_of(town: Town, journey_id: str) -> WorkflowHandle[Any, Any]:
    return town.client.get_workflow_handle(workflow_id(journey_id))


async def test_a_lead_that_sales_is_silent_on_goes_back_into_nurture(town: Town) -> None:
    handed = await handed_over(town)
    await handed.told()
    await handed.passes()

    assert await handed.clock.result() == "recycled"
    assert await handed.deeds() == [
        ("assigned", "ann"),
        ("reminded", "ann"),
        ("escalated", ""),
        ("reassigned", "bob"),
        ("reminded", "bob"),
        ("escalated", ""),
        ("recycled", ""),
    ]
    ann, bob, boss = (f"{name}@example.com" for name in ("ann", "bob", "boss"))
    assert await handed.mails() == [ann, ann, boss, bob, bob, boss, boss]
    await town.dispatch(datetime.now(UTC) + timedelta(days=1))
    assert await journey_of(town, handed.journey.id).result() == "left: back in nurture"
    await town.replayer.replay_workflow(await handed.clock.fetch_history())


@pytest.mark.parametrize(("answer", "ending"), [("accepted", "with sales"), ("rejected", "rejected")])
async def test_an_answer_is_heard_by_the_journey_at_once_and_ends_the_clock(
    town: Town, answer: Any, ending: str
) -> None:
    handed = await handed_over(town)
    await handed.told()
    assert await handed.answers(answer, "no budget")

    assert await journey_of(town, handed.journey.id).result() == f"left: {ending}"
    assert await handed.clock.result() == answer
    assert await handed.mails() == ["ann@example.com"]


async def test_an_answer_in_the_middle_of_the_clock_ends_it_there(town: Town) -> None:
    handed = await handed_over(town)
    await handed.told()
    await handed.passes(minutes(20))
    await handed.answers("accepted")

    assert await handed.clock.result() == "accepted"
    assert await handed.deeds() == [("assigned", "ann"), ("reminded", "ann"), ("accepted", "ann")]


async def test_of_two_answers_the_first_holds(town: Town) -> None:
    handed = await handed_over(town)
    assert await handed.answers("accepted")
    assert not await handed.answers("accepted", by="bob")

    with pytest.raises(Refused, match=r"was accepted on .* by ann"):
        await handed.answers("rejected", by="bob")
    assert (await handed.row()).answered_by == "ann"


async def test_nobody_is_pressed_before_they_could_be_told_and_a_retry_tells_nobody_twice(town: Town) -> None:
    town.postbox.trouble = BUSY
    handed = await handed_over(town)
    await town.tries(handed.journey)
    town.postbox.trouble = None
    row = await handed.told()

    assert row.told_at is not None
    assert row.due_at == row.told_at + minutes(15)
    assert await handed.mails() == ["ann@example.com"]


async def test_a_clock_that_an_operator_ended_goes_on_where_it_stood_when_it_is_wound_again(town: Town) -> None:
    handed = await handed_over(town)
    await handed.told()
    await handed.clock.terminate("by hand")
    await town.journeys.wind(handed.id)
    await handed.passes()

    assert await handed.clock.result() == "recycled"
    assert (await handed.mails()).count("ann@example.com") == 2


async def test_of_an_erased_lead_the_clock_ends_and_nothing_is_left(town: Town) -> None:
    handed = await handed_over(town)
    await handed.told()
    async with town.store.write() as session:
        await erase(session, handed.journey.lead_id, "ops", datetime.now(UTC))
    await town.forgets(handed.journey.lead_id)

    with pytest.raises(RPCError):
        await handed.clock.describe()


async def test_a_hand_off_that_is_answered_at_once_costs_few_events(town: Town) -> None:
    handed = await handed_over(town)
    await handed.told()
    await handed.answers("accepted")
    await handed.clock.result()

    kinds = [EventType.Name(one.event_type) for one in (await handed.clock.fetch_history()).events]
    assert kinds.count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 2
    assert len([one for one in kinds if "TIME_SKIPPING" not in one and "OPTIONS" not in one]) <= 24
