"""A page of a mailing: each lead's letter through the very ledger and permissions that the letters of journeys go through."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from activities.equipment import Equipment
from activities.errands import TryAgain
from activities.lead_letters import of_mailing
from activities.messages import MessageErrand
from activities.pages import Page, Taken, Taker
from nurture.errors import NotFound
from nurture.mailing import Mailing
from nurture.store import Session, mailings
from nurture.store.leads import locked
from nurture.store.messages import cancel_open
from nurture.store.models import BulkRunRow

USUAL_DELAY = timedelta(seconds=5)
LONGEST_PROBE = timedelta(seconds=30)  # no outage goes unprobed for longer


class Mailings(Taker):
    """Sends the letters, on half of the channel's connections: the others are for whoever cannot wait.

    Once the worker is `stopping`, none is begun.
    """

    def __init__(
        self, equipment: Equipment, run: BulkRunRow, clock: Callable[[], datetime], stopping: Callable[[], bool]
    ) -> None:
        super().__init__(equipment, run, clock)
        self._stopping = stopping
        self.mailing = Mailing.model_validate(run.written["mailing"])
        self._begun = run.begun_at or clock()
        self._at_once = max(1, equipment.settings.email_connections // 2)
        self._in_vain: list[timedelta] = []  # delays of the letters put off since the last one that was not

    @property
    def _over(self) -> bool:
        """Whether it is sent no more."""
        return self.clock() > self._begun + self.mailing.expires_after / self.run.pace

    async def pick(self, session: Session, size: int) -> Page:
        """Who was put off until now, and the next of the audience; who has a letter in the ledger is not new."""
        again = await mailings.due(session, self.run.id, None if self._over else self.clock(), size)
        if len(again) == size:
            return Page((), self.run.cursor, self.run.exhausted, tuple(again))
        page = await super().pick(session, size - len(again))
        known = await mailings.have_one(session, self.run.id, page.lead_ids)
        new = tuple(one for one in page.lead_ids if one not in known)
        return Page(new, page.cursor, page.exhausted, tuple(again))

    async def next_due(self, session: Session) -> datetime | None:
        """When the next letter that was put off may go; at the mailing's end it is given up."""
        found = await mailings.next_due(session, self.run.id)
        end = self._begun + self.mailing.expires_after / self.run.pace
        return None if found is None else min(found, end + datetime.resolution)

    async def take(self, page: Page) -> Taken:
        """Send them; when nothing goes through any more, or the worker stops, the rest of the page is left for later."""
        left = [*page.again, *page.lead_ids][::-1]
        carried = await asyncio.gather(*(self._carry(left) for _ in range(self._at_once)), return_exceptions=True)
        for trouble in carried:
            if isinstance(trouble, BaseException):
                raise trouble
        if not left:
            return Taken(page.cursor, page.exhausted)
        new = [one for one in page.lead_ids if one not in left]
        cursor = new[-1] if new else self.run.cursor
        rest = self.clock() + min(*self._in_vain, LONGEST_PROBE) if self._in_vain else None
        return Taken(cursor, exhausted=False, rest_until=rest)

    async def _carry(self, left: list[str]) -> None:
        while left and len(self._in_vain) < self._at_once and not self._stopping():
            await self._send(left.pop())

    async def _send(self, lead_id: str) -> None:
        """The lead's letter, if it may go now; one that cannot is put off, for whatever reason."""
        store = self.equipment.store
        try:
            async with store.write() as session:
                lead = await locked(session, lead_id)
                errand = MessageErrand(of_mailing(self.equipment, self.run, self._begun, self.mailing, lead))
                answer = await errand.prepare(session, self.clock())
            if answer is None and await errand.run(self.clock()) is None:
                async with store.write() as session:
                    await locked(session, lead_id)
                    await errand.record(session, self.clock())
                self._in_vain.clear()
        except NotFound:  # erased meanwhile
            async with store.write() as session:
                await mailings.give_up(session, self.run.id, lead_id, "the lead is no longer there", self.clock())
        except TryAgain as error:
            delay = error.delay or USUAL_DELAY
            if not error.lone:
                self._in_vain.append(delay)
            await self._put_off(lead_id, delay)

    async def _put_off(self, lead_id: str, delay: timedelta) -> None:
        async with self.equipment.store.write() as session:
            await mailings.put_off(session, self.run.id, lead_id, self.clock() + delay)

    async def close(self, session: Session) -> None:
        """Cancel what was not handed over."""
        await cancel_open(session, None, "the mailing was cancelled", self.clock(), self.run.id)
