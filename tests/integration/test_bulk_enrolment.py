from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from activities.bulk import take_page
from nurture import days, on, wait
from nurture.errors import Refused, Unavailable
from nurture.orders import LAST
from nurture.store import Store, bulk_runs
from nurture.store.models import JourneyRow
from nurture.store.story import story_of
from tests.integration.bulk import a_lead, busiest, entered, ordered, run_of, settle
from tests.integration.life import Life
from tests.integration.scene import Engine, simple
from workflows.ports import Paged

ROAD = simple("road", [wait(days(4))], enters=[on("asked")])


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        await life.publish(ROAD)
        yield life


async def test_everybody_in_the_audience_enters_once_and_nobody_else(life: Life) -> None:
    ours = await settle(life.store, [a_lead(n, life.now) for n in range(30)], life.now)
    await settle(life.store, [a_lead(n, life.now, country="FR") for n in range(30, 40)], life.now)
    run_id = await ordered(life.store, life.now, "enrol", "road")
    await life.passes(hours=1)

    run = await run_of(life.store, run_id)
    assert await entered(life.store) == ours
    assert (run.status, run.counts) == ("done", {"entered": 30})


async def test_no_more_enter_in_any_time_than_the_rate_allows(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(70)], life.now)
    await ordered(life.store, life.now, "enrol", "road", rate=10)
    await life.passes(hours=1)

    async with life.store.read() as session:
        times = (await session.exec(select(JourneyRow.entered))).all()
    assert (len(times), busiest(times, timedelta(seconds=2))) == (70, 20)


async def test_a_run_that_is_woken_again_and_again_does_not_hurry(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(50)], life.now)
    run_id = await ordered(life.store, life.now, "enrol", "road", rate=10)
    for _ in range(5):
        await life.settle()
        await life.walkers.wake(run_id)

    assert len(await entered(life.store)) == 20


async def test_a_worker_that_dies_in_a_page_does_not_make_the_run_hurry(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(50)], life.now)
    run_id, engine = await ordered(life.store, life.now, "enrol", "road", rate=10), Engine()
    engine.reachable = False
    with pytest.raises(Unavailable):
        await take_page(life.walkers.equipment, engine, run_id, lambda: life.now)

    engine.reachable = True
    again = await take_page(life.walkers.equipment, engine, run_id, lambda: life.now)
    assert again == Paged(until=life.now + timedelta(seconds=2))


async def test_a_page_done_twice_enters_and_starts_each_lead_once(life: Life) -> None:
    ours = await settle(life.store, [a_lead(n, life.now) for n in range(20)], life.now)
    run_id, engine = await ordered(life.store, life.now, "enrol", "road"), Engine()
    engine.reachable = False
    with pytest.raises(Unavailable):
        await take_page(life.walkers.equipment, engine, run_id, lambda: life.now)
    engine.reachable = True
    for second in range(1, 3):
        await take_page(life.walkers.equipment, engine, run_id, lambda: life.now + timedelta(seconds=second))  # noqa: B023

    assert await entered(life.store) == ours
    assert sorted(order.lead_id for order in engine.started) == ours
    assert (await run_of(life.store, run_id)).counts == {"entered": 20}


async def test_a_paused_run_takes_nobody_and_rests_until_it_is_woken(life: Life) -> None:
    ours = await settle(life.store, [a_lead(n, life.now) for n in range(50)], life.now)
    run_id = await ordered(life.store, life.now, "enrol", "road", rate=10)
    await life.settle()
    async with life.store.write() as session:
        await bulk_runs.pause(session, run_id)
    await life.passes(days=1)
    assert (len(await entered(life.store)), life.walkers.resting[run_id]) == (20, Paged())

    async with life.store.write() as session:
        await bulk_runs.resume(session, run_id, life.now)
    await life.passes(hours=1)
    assert (await entered(life.store), (await run_of(life.store, run_id)).status) == (ours, "done")


async def test_a_cancelled_run_takes_nobody_else_and_cannot_be_resumed(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(50)], life.now)
    run_id = await ordered(life.store, life.now, "enrol", "road", rate=10)
    await life.settle()
    async with life.store.write() as session:
        await bulk_runs.cancel(session, run_id, life.now)
    await life.passes(hours=1)

    assert (len(await entered(life.store)), life.walkers.resting[run_id].ending) == (20, "cancelled")
    async with life.store.write() as session:
        with pytest.raises(Refused, match="is cancelled already"):
            await bulk_runs.resume(session, run_id, life.now)


async def test_a_run_over_nobody_is_done(life: Life) -> None:
    run_id = await ordered(life.store, life.now, "enrol", "road")
    await life.settle()

    assert (await run_of(life.store, run_id)).status == "done"


async def test_journeys_that_a_run_enters_come_behind_all_others(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now)
    run_id, engine = await ordered(life.store, life.now, "enrol", "road"), Engine()
    await take_page(life.walkers.equipment, engine, run_id, lambda: life.now)

    assert [order.priority for order in engine.started] == [LAST]


async def test_the_story_of_a_lead_tells_the_run_that_entered_it_and_the_one_that_could_not(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    first = await ordered(life.store, life.now, "enrol", "road")
    await life.passes(hours=1)
    second = await ordered(life.store, life.now, "enrol", "road")
    await life.passes(hours=1)

    async with life.store.read() as session:
        story = await story_of(session, lead_id, life.now)
    assert [one.by for one in story.journeys] == [f"bulk run {first} of the audience germans"]
    assert [(one.by, one.reason) for one in story.kept_out] == [("a bulk run", "already in it")]
    assert (await run_of(life.store, second)).counts == {"refused": 1}
