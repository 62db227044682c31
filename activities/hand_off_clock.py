"""The clock's hand: does what is due about a hand-off, tells whom it concerns, and says when it is to look again."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from temporalio import activity

from activities.equipment import Equipment
from activities.errands import Errand, TryAgain
from activities.hand_off_notices import Notices
from activities.hand_offs import taker, wanted
from activities.webhooks import WebhookErrand
from nurture.errors import NotFound
from nurture.hand_off_clock import next_due
from nurture.store import Session, hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import HandOffRow, LeadRow
from nurture.teams import LEAD
from workflows.ports import Attended, ClockOrder, HandOffPort

FORGOTTEN = "forgotten"
NOTHING_MORE = "nothing more is due"
FIRST_PATIENCE, LAST_PATIENCE = timedelta(seconds=5), timedelta(minutes=10)
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


class Errands(NamedTuple):
    """What is left to run about a deed, prepared."""

    deed: int
    call: Errand | None
    mail: Errand | None


class Look:
    """One look at one hand-off."""

    def __init__(self, equipment: Equipment, hand_off_id: str, clock: Callable[[], datetime]) -> None:
        self.equipment, self.id, self.clock = equipment, hand_off_id, clock
        self.again: datetime | None = None  # when the CRM is to be called again

    async def take(self) -> Attended:
        """Do, tell, and settle when to look again; in as few transactions as it takes, for others write meanwhile."""
        async with self.equipment.store.write() as session:
            row, lead = await hand_offs.locked(session, self.id)
            if row.status == "open":
                await self._do_what_is_due(session, row, lead)
            left = [await self._prepared(session, row, deed) for deed in await hand_offs.untold(session, self.id)]
            steps = [(one.deed, errand) for one in left for errand in (one.call, one.mail) if errand is not None]
            if not steps:
                return self._settled(session, row)
        for deed, errand in steps[:-1]:
            await self._run(deed, errand)
        attended = await self._run(*steps[-1], and_settle=True)
        assert attended is not None  # it was settled
        return attended

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

    async def _prepared(self, session: Session, row: HandOffRow, deed: HandOffDeedRow) -> Errands:
        """The deed's errands; what there is nothing to run for is noted at once."""
        notices, now = Notices(self.equipment, row, deed), self.clock()
        call = notices.call(now) if deed.called_at is None else None
        if deed.called_at is None and (call is None or await call.prepare(session, now) is not None):
            call, deed.called_at = None, now
        mail = notices.mail() if deed.told_at is None else None
        answer = await mail.prepare(session, now) if mail is not None else None
        if deed.told_at is None and (mail is None or answer is not None):
            mail = None
            _told(row, deed, answer.note if answer else "", now)
        session.add(deed)
        session.add(row)
        return Errands(deed.n, call, mail)

    async def _run(self, deed_n: int, errand: Errand, *, and_settle: bool = False) -> Attended | None:
        """Run it and note how it went; a CRM in trouble holds up nobody's mail, nor the clock."""
        trouble = False
        try:
            await errand.run(self.clock())
        except TryAgain as error:
            if not isinstance(errand, WebhookErrand):
                raise
            log.warning("hand_off.call_put_off", hand_off=self.id, deed=deed_n, reason=str(error))
            trouble = True
        async with self.equipment.store.write() as session:
            row, _ = await hand_offs.locked(session, self.id)
            deed = await session.get_one(HandOffDeedRow, (self.id, deed_n), populate_existing=True)
            now = self.clock()
            if trouble:
                self.again = now + _patience(now - deed.at)
            else:
                note = (await errand.record(session, now)).note
                if isinstance(errand, WebhookErrand):
                    deed.called_at = now
                else:
                    _told(row, deed, note, now)
            session.add(deed)
            session.add(row)
            return self._settled(session, row) if and_settle else None

    def _settled(self, session: Session, row: HandOffRow) -> Attended:
        """When to look again, kept in the row, so that a lost clock is found."""
        if row.status != "open":
            return Attended(until=self.again) if self.again else Attended(ending=row.status)
        due = next_due(hand_offs.clock_of(row), hand_offs.standing(row), self.clock())
        moments = [one for one in (due and due.at, self.again) if one is not None]
        row.due_at = min(moments, default=None)
        session.add(row)
        return Attended(until=row.due_at) if row.due_at else Attended(ending=NOTHING_MORE)


def _told(row: HandOffRow, deed: HandOffDeedRow, note: str, now: datetime) -> None:
    """Whoever was to hear of the deed has; if it is theirs by it, their time begins."""
    deed.told_at, deed.note = now, "; ".join(filter(None, [deed.note, note]))
    if deed.n == row.assigned_n:
        row.told_at, row.first_told_at = now, row.first_told_at or now


def _patience(since: timedelta) -> timedelta:
    """Capped and growing with how long it has been tried."""
    return min(max(since / 4, FIRST_PATIENCE), LAST_PATIENCE)
