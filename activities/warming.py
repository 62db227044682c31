"""A letter in its sender's warm-up: it takes a place of the day, or is promised one of another day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from nurture.calendar import resolve_zone
from nurture.deliverability.ramp import A_DAY, Ramp, begins, house_day
from nurture.permission import Later, Never
from nurture.store import Session, warm_up
from nurture.store.models import MessageRow
from nurture.store.outbox import spread

if TYPE_CHECKING:
    from activities.lead_letters import LeadLetter

WARMING = "warm-up of"  # so a reason begins that promises a day
SPREAD = timedelta(hours=1)  # over which those that are promised a day come back
MOST_DAYS = 30  # to look for one on which the letter may go


@dataclass(frozen=True)
class Warming:
    """The warm-up of a letter's sender."""

    letter: "LeadLetter"
    sender: str
    ramp: Ramp

    async def hold(self, session: Session, row: MessageRow, now: datetime, *, take: bool) -> Later | Never | None:
        """Until when it has to wait; None when there is a place today, which it has if it is to `take` it."""
        today = self._day(now)
        if self.ramp.volume(today) is None:
            return None
        promised = self._promised(row)
        if promised is not None and promised > today:
            return Later(row.until or now, row.reason)  # it was woken before its day
        room = warm_up.take if take else warm_up.has_room
        if await room(session, self.sender, self.ramp, today, promised=promised == today):
            return None
        return await self._another_day(session, row, today)

    async def give_back(self, session: Session, committed_at: datetime) -> None:
        """Give its place back: it was not taken by the provider."""
        if self.ramp.volume(day := self._day(committed_at)) is not None:
            await warm_up.give_back(session, self.sender, day)

    async def _another_day(self, session: Session, row: MessageRow, after: date) -> Later | Never:
        """The first day with a place on which everything else allows it, too; so it is known at once that it comes too late."""
        reason, full = self._reason(after), after
        for _ in range(MOST_DAYS):
            day = await warm_up.next_with_room(session, self.sender, self.ramp, after)
            until = begins(day, self._zone)
            answer = await self.letter.permission(session, row.due_at, until)
            if isinstance(answer, Never):
                return answer._replace(reason=f"{reason}: {answer.reason}")
            if isinstance(answer, Later):
                until = answer.until
            if self._day(until) > day:
                after = self._day(until) - A_DAY
            elif await warm_up.promise(session, self.sender, self.ramp, day):
                spread_out = until + SPREAD * spread(f"{self.letter.key}/{day}")
                return Later(spread_out if self._day(spread_out) == day else until, reason)
        return Later(begins(full + MOST_DAYS * A_DAY, self._zone), reason)

    def _reason(self, day: date) -> str:
        volume = self.ramp.volume(day)
        if not volume:
            return f"{WARMING} {self.sender}: it begins on {self.ramp.start:%d %b %Y}"
        return f"{WARMING} {self.sender}: {volume} messages on {day:%d %b %Y}"

    def _promised(self, row: MessageRow) -> date | None:
        """The day on which it was promised a place."""
        return self._day(row.until) if row.until is not None and row.reason.startswith(WARMING) else None

    def _day(self, moment: datetime) -> date:
        return house_day(moment, self._zone)

    @property
    def _zone(self) -> ZoneInfo:
        house = self.letter.equipment.settings.time_zone
        return resolve_zone(None, house)[0]
