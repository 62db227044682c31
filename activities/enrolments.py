"""A page of leads entered into a campaign, and their journeys started."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from activities.equipment import Equipment
from activities.pages import Page, Taken, Taker
from nurture.bulk import cause
from nurture.enrolment import Enrolled, Refusal
from nurture.facts import Happening
from nurture.orders import Journeys, StartOrder
from nurture.store import campaigns, journeys
from nurture.store.enrolments import Wish, enrol_all
from nurture.store.models import BulkRunRow

AT_ONCE = 16


class Enrolments(Taker):
    """Enters the leads; past the outbox, so that what it holds for others does not wait behind an audience."""

    def __init__(self, equipment: Equipment, run: BulkRunRow, clock: Callable[[], datetime], engine: Journeys) -> None:
        super().__init__(equipment, run, clock)
        self._engine = engine
        self._places = asyncio.Semaphore(AT_ONCE)

    async def take(self, page: Page) -> Taken:
        """Enter them in one transaction, then start what it made; a crash in between is made up for by the next attempt."""
        now, run = self.clock(), self.run
        by = f"bulk run {run.id} of the audience {run.audience}"
        async with self.equipment.store.write() as session:
            version = await campaigns.current(session, run.what)
            wishes = [
                Wish(version, one, "", by, Happening(name="", at=now, id=cause(run.id, one)), run.pace)
                for one in page.lead_ids
            ]
            answers = await enrol_all(session, wishes, now, self.equipment.settings.rules.holdout)
            entered = [one.journey_id for one in answers if isinstance(one, Enrolled) and one.started]
            orders = await journeys.start_orders(session, entered)
        await asyncio.gather(*(self._start(order) for order in orders.values()))
        async with self.equipment.store.write() as session:
            await journeys.handed_over(session, list(orders))
        return Taken(page.cursor, page.exhausted, Counter(map(_kind, answers)))

    async def _start(self, order: StartOrder) -> None:
        async with self._places:
            await self._engine.start(order)


def _kind(answer: Enrolled | Refusal) -> str:
    if isinstance(answer, Refusal):
        return "refused"
    return "entered" if answer.started else "held out"
