"""The clock's hand: does what is due about a hand-off, tells whom it concerns, and says when it is to look again."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from temporalio import activity

from activities.equipment import Equipment
from activities.errands import Errand, TryAgain
from activities.hand_off_notices import Notices
from activities.hand_offs import taker, wanted
from nurture.errors import NotFound
from nurture.hand_off_clock import next_due
from nurture.store import Session, hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.leads import locked
from nurture.store.models import HandOffRow, LeadRow
from nurture.teams import LEAD
from workflows.ports import Attended, ClockOrder, HandOffPort

FORGOTTEN = "forgotten"
NOTHING_MORE = "nothing more is due"
FIRST_PATIENCE, LAST_PATIENCE = timedelta(seconds=30), timedelta(minutes=10)
log = structlog.get_logger()


class HandOffActivities(HandOffPort):
    """The look as an activity."""

    def __init__(self, equipment: Equipment) -> None:
        self.equipment = equipment

    @activity.defn
    async def attend(self, order: ClockOrder) -> Attended:
        """See the port."""
        info = activity.info()
        begun, mark = order.now + (info.started_time - info.scheduled_time), time.monotonic()
        return await attend(
            self.equipment, order.hand_off_id, lambda: begun + timedelta(seconds=time.monotonic() - mark)
        )


async def attend(equipment: Equipment, hand_off_id: str, clock: Callable[[], datetime]) -> Attended:
    """One look; `clock` tells the time of the server that ordered it. An erased lead's is over."""
    try:
        return await Look(equipment, hand_off_id, clock).take()
    except NotFound:
        return Attended(ending=FORGOTTEN)


class Look:
    """One look at one hand-off."""

    def __init__(self, equipment: Equipment, hand_off_id: str, clock: Callable[[], datetime]) -> None:
        self.equipment, self.id, self.clock = equipment, hand_off_id, clock
        self.again: datetime | None = None  # when the CRM is to be called again

    async def take(self) -> Attended:
        """Do, tell, and settle when to look again."""
        async with self.equipment.store.write() as session:
            row, lead = await hand_offs.locked(session, self.id)
            if row.status == "open":
                await self._do_what_is_due(session, row, lead)
            news = [
                one for one in await hand_offs.deeds(session, self.id) if one.told_at is None or one.called_at is None
            ]
        for deed in news:
            await self._tell(deed)
        async with self.equipment.store.write() as session:
            row, _ = await hand_offs.locked(session, self.id)
            return self._settled(session, row)

    async def _do_what_is_due(self, session: Session, row: HandOffRow, lead: LeadRow) -> None:
        now, clock = self.clock(), hand_offs.clock_of(row)
        due = next_due(clock, hand_offs.standing(row), now)
        if due is None or due.at > now:
            return
        match due.deed:
            case "reminded":
                row.stage = due.deed
                hand_offs.done(session, row, due.deed, row.assigned_to, now)
            case "escalated":
                row.stage = due.deed
                hand_offs.done(session, row, due.deed, LEAD, now)
            case "reassigned":
                to = taker(self.equipment, row.team, clock.pace)
                await hand_offs.given(session, row, to.team, wanted(to.team, lead), to.today(now), now)
            case "recycled":
                await hand_offs.recycle(session, row, lead, now)

    async def _tell(self, deed: HandOffDeedRow) -> None:
        """Call the CRM and write to people, each once; a CRM in trouble holds up nobody's mail, nor the clock."""
        async with self.equipment.store.read() as session:
            row = await hand_offs.get(session, self.id)
        notices = Notices(self.equipment, row, deed)
        if deed.called_at is None:
            try:
                await self._run(row, notices.call(self.clock()))
                await self._noted(deed, called=True)
            except TryAgain as error:
                log.warning("hand_off.call_put_off", hand_off=self.id, deed=deed.n, reason=str(error))
                self.again = self.clock() + _patience(self.clock() - deed.at)
        if deed.told_at is None:
            note = await self._run(row, notices.mail())
            await self._noted(deed, told=True, note=note or notices.overtaken)

    async def _run(self, row: HandOffRow, errand: Errand | None) -> str:
        """Run the errand, if there is one; answers what there is to say of it."""
        if errand is None:
            return ""
        async with self.equipment.store.write() as session:
            await locked(session, row.lead_id)
            answer = await errand.prepare(session, self.clock())
        if answer is not None:
            return answer.note
        await errand.run(self.clock())
        async with self.equipment.store.write() as session:
            return (await errand.record(session, self.clock())).note

    async def _noted(self, deed: HandOffDeedRow, *, called: bool = False, told: bool = False, note: str = "") -> None:
        async with self.equipment.store.write() as session:
            row, _ = await hand_offs.locked(session, self.id)
            noted = await session.get_one(HandOffDeedRow, (self.id, deed.n), populate_existing=True)
            now = self.clock()
            if called:
                noted.called_at = now
            if told:
                noted.told_at, noted.note = now, "; ".join(filter(None, [noted.note, note]))
                if deed.n == row.assigned_n:
                    row.told_at, row.first_told_at = now, row.first_told_at or now
            session.add(noted)
            session.add(row)

    def _settled(self, session: Session, row: HandOffRow) -> Attended:
        """When to look again, kept in the row, so that a lost clock is found."""
        if row.status != "open":
            return Attended(until=self.again) if self.again else Attended(ending=row.status)
        due = next_due(hand_offs.clock_of(row), hand_offs.standing(row), self.clock())
        moments = [one for one in (due and due.at, self.again) if one is not None]
        row.due_at = min(moments, default=None)
        session.add(row)
        return Attended(until=row.due_at) if row.due_at else Attended(ending=NOTHING_MORE)


def _patience(since: timedelta) -> timedelta:
    """Capped and growing with how long it has been tried."""
    return min(max(since / 4, FIRST_PATIENCE), LAST_PATIENCE)
