from datetime import datetime, timedelta
from typing import Any

import pytest

from nurture.laptop.audit import Books, Entry
from nurture.laptop.books import at_rest, books
from nurture.store import Store
from nurture.store.models import DeadLetterRow, JourneyRow, MessageRow
from nurture.triggers import on
from tests.integration.scene import SECOND, Scene, simple


@pytest.fixture
async def scene(store: Store, now: datetime) -> Scene:
    """Ann is in a campaign, and all that was to be told has been told."""
    scene = Scene(store, now)
    await scene.publish(simple(enters=[on("arrived")]))
    await scene.lead("ann")
    await scene.happens("arrived", by="arrival-1")
    await scene.dispatch()
    return scene


async def sent(scene: Scene, status: str, occurrence: str = "first:0:1") -> str:
    """A message of Ann's journey in the ledger; answers its key."""
    (journey,) = await scene.journeys()
    row = MessageRow(
        journey_id=journey.id,
        occurrence=occurrence,
        campaign="welcome",
        template="welcome/hello",
        channel="email",
        purpose="marketing",
        topic="news",
        status=status,
        message_id="<one@example.com>",
        due_at=scene.now,
        updated_at=scene.now,
    )
    async with scene.store.write() as session:
        session.add(row)
    return f"{journey.id}/{occurrence}"


async def stands(scene: Scene, **changes: Any) -> str:
    """Ann's journey stands like that; answers its id."""
    (journey,) = await scene.journeys()
    async with scene.store.write() as session:
        row = await session.get_one(JourneyRow, journey.id)
        for name, value in changes.items():
            setattr(row, name, value)
        session.add(row)
    return journey.id


async def told(scene: Scene) -> Books:
    return await books(scene.store, scene.now)


async def test_the_ledger_is_told_by_the_key_that_a_mail_carries(scene: Scene) -> None:
    key = await sent(scene, "accepted")

    assert (await told(scene)).ledger == (Entry(key, "one@example.com", "accepted"),)


async def test_events_are_told_by_their_ids(scene: Scene) -> None:
    assert (await told(scene)).events == {"arrival-1"}


async def test_a_journey_that_goes_its_way_is_not_told_of(scene: Scene) -> None:
    await stands(scene, status="active", until=scene.now + SECOND)

    assert await told(scene) == Books(events=frozenset({"arrival-1"}))
    assert await at_rest(scene.store, scene.now)


async def test_a_journey_that_nobody_started_is_told_of(scene: Scene) -> None:
    journey_id = await stands(scene, status="starting")

    assert (await told(scene)).starting == (journey_id,)
    assert not await at_rest(scene.store, scene.now)


async def test_a_journey_whose_wait_is_long_over_is_told_of(scene: Scene) -> None:
    journey_id = await stands(scene, status="active", until=scene.now - timedelta(minutes=1))

    assert (await told(scene)).overdue == (journey_id,)
    assert not await at_rest(scene.store, scene.now)


async def test_a_journey_that_has_ended_waits_for_nothing(scene: Scene) -> None:
    await stands(scene, status="ended", until=scene.now - timedelta(minutes=1))

    assert not (await told(scene)).overdue
    assert await at_rest(scene.store, scene.now)


async def test_dead_letters_are_told_with_their_reasons(scene: Scene) -> None:
    async with scene.store.write() as session:
        letter = DeadLetterRow(lead_id="ann", kind="event", reason="no such campaign", at=scene.now)
        session.add(letter)

    assert (await told(scene)).dead_letters == (f"event {letter.id}: no such campaign",)


@pytest.mark.parametrize("status", ["planned", "claimed", "committing"])
async def test_a_message_on_its_way_is_no_rest(scene: Scene, status: str) -> None:
    await sent(scene, status)

    assert not await at_rest(scene.store, scene.now)


@pytest.mark.parametrize("status", ["accepted", "deferred", "unknown", "suppressed"])
async def test_a_message_that_is_on_no_way_is_rest(scene: Scene, status: str) -> None:
    await stands(scene, status="active")
    await sent(scene, status)

    assert await at_rest(scene.store, scene.now)


async def test_a_row_in_the_outbox_is_no_rest(scene: Scene) -> None:
    await scene.happens("visit")

    assert not await at_rest(scene.store, scene.now)
