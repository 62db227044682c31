"""A page of a bulk run: the next leads of its audience, no faster than its rate, each taken once however often it is tried."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from temporalio import activity

from activities.enrolments import Enrolments
from activities.equipment import Equipment
from activities.mailings import Mailings
from activities.pages import Page, Taken, Taker
from nurture.bulk import page_size, time_for
from nurture.orders import Journeys
from nurture.store import bulk_runs
from nurture.store.models import BulkRunRow
from workflows.ports import BulkPort, Paged, PageOrder

BEAT = 1.0


class BulkActivities(BulkPort):
    """Pages as activities."""

    def __init__(self, equipment: Equipment, engine: Journeys) -> None:
        self.equipment, self.engine = equipment, engine

    @activity.defn
    async def page(self, order: PageOrder) -> Paged:
        """See the port."""
        info = activity.info()
        begun, mark = order.now + (info.started_time - info.scheduled_time), time.monotonic()
        async with beating():
            return await take_page(
                self.equipment,
                self.engine,
                order.run_id,
                lambda: begun + timedelta(seconds=time.monotonic() - mark),
                activity.is_worker_shutdown,
            )


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeats meanwhile, so that the end of this process is noticed soon."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()


async def take_page(
    equipment: Equipment,
    engine: Journeys,
    run_id: str,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> Paged:
    """One page, if one may come now; `clock` tells the time of the server that ordered it.

    It ends early once the worker is `stopping`.
    """
    async with equipment.store.read() as session:
        run = await bulk_runs.get(session, run_id)
    taker: Taker = Enrolments(equipment, run, clock, engine)
    if run.kind == "mailing":
        taker = Mailings(equipment, run, clock, stopping)
    if run.status == "done":
        return Paged(ending=run.status)
    if run.status == "cancelled":
        async with equipment.store.write() as session:
            await taker.close(session)
        return Paged(ending=run.status)
    if run.status == "paused":
        return Paged()
    if run.next_page is not None and run.next_page > clock():
        return Paged(until=run.next_page)
    size = page_size(run.rate)
    async with equipment.store.read() as session:
        page = await taker.pick(session, size)
    if page.exhausted and not page.leads:
        return await _rested(equipment, run, taker, clock())
    return await _taken(equipment, run, taker, page, clock)


async def _rested(equipment: Equipment, run: BulkRunRow, taker: Taker, now: datetime) -> Paged:
    """Nobody is left: until somebody is due again, or for good."""
    async with equipment.store.write() as session:
        if due := await taker.next_due(session):
            return Paged(until=due)
        done = await bulk_runs.finish(session, run.id, now)
    return Paged(ending="done") if done else Paged(until=now)


async def _taken(
    equipment: Equipment, run: BulkRunRow, taker: Taker, page: Page, clock: Callable[[], datetime]
) -> Paged:
    """The rate is counted before the page is taken: a worker that dies in it cannot make the run hurry."""
    now = clock()
    following = now + time_for(page.leads, run.rate)
    async with equipment.store.write() as session:
        if not await bulk_runs.begin_page(session, run.id, run.cursor, following, now):
            return Paged(until=now)
    taken = await taker.take(page) if page.leads else Taken(page.cursor, page.exhausted)
    async with equipment.store.write() as session:
        await bulk_runs.end_page(session, run.id, run.cursor, taken.cursor, taken.exhausted, taken.counts)
    if taken.exhausted:
        return await _rested(equipment, run, taker, clock())
    return Paged(until=max(following, taken.rest_until or following))
