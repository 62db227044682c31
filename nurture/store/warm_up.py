"""Warm-ups in the store: places of a sender's day, of which no more are taken than there are, by however many workers."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import ColumnElement, CursorResult, update
from sqlmodel import col, select

from nurture.deliverability.ramp import A_DAY, Ramp
from nurture.store.database import Session
from nurture.store.sending_tables import WarmUpRow
from nurture.store.upsert import insert


async def take(session: Session, sender: str, ramp: Ramp, day: date, *, promised: bool) -> bool:
    """Take a place of that day: one that was `promised`, or one that nobody is promised; False when there is none."""
    volume = ramp.volume(day)
    if volume is None:
        return True
    await _begun(session, sender, day)
    free, unpromised = col(WarmUpRow.taken) < volume, col(WarmUpRow.promised) < volume
    if promised:
        return await _changed(session, sender, day, free, taken=WarmUpRow.taken + 1)
    new = {"taken": WarmUpRow.taken + 1, "promised": WarmUpRow.promised + 1}
    return await _changed(session, sender, day, free & unpromised, **new)


async def has_room(session: Session, sender: str, ramp: Ramp, day: date, *, promised: bool) -> bool:
    """Whether there is a place to take."""
    volume = ramp.volume(day)
    if volume is None:
        return True
    row = await session.get(WarmUpRow, (sender, day), populate_existing=True)
    if row is None:
        return volume > 0
    return row.taken < volume and (promised or row.promised < volume)


async def give_back(session: Session, sender: str, day: date) -> None:
    """Give back a place of that day: the message was not handed over after all."""
    new = {"taken": WarmUpRow.taken - 1, "promised": WarmUpRow.promised - 1}
    await _changed(session, sender, day, col(WarmUpRow.taken) > 0, **new)


async def next_with_room(session: Session, sender: str, ramp: Ramp, after: date) -> date:
    """The first day after that one for which not all places are promised."""
    query = select(WarmUpRow).where(WarmUpRow.sender == sender, col(WarmUpRow.day) > after)
    rows = (await session.exec(query, execution_options={"populate_existing": True})).all()
    return first_with_room(ramp, after, {row.day: row.promised for row in rows})


async def promise(session: Session, sender: str, ramp: Ramp, day: date) -> bool:
    """Promise a place of that day to whoever asks; False when somebody else was promised the last one."""
    volume = ramp.volume(day)
    if volume is None:
        return True
    await _begun(session, sender, day)
    return await _changed(session, sender, day, col(WarmUpRow.promised) < volume, promised=WarmUpRow.promised + 1)


def first_with_room(ramp: Ramp, after: date, promised: Mapping[date, int]) -> date:
    """The first day after that one for which not all places are promised."""
    day = max(after + A_DAY, ramp.start)
    while (volume := ramp.volume(day)) is not None and promised.get(day, 0) >= volume:
        day += A_DAY
    return day


async def _begun(session: Session, sender: str, day: date) -> None:
    new = insert(session, WarmUpRow).values(sender=sender, day=day, taken=0, promised=0)
    await session.exec(new.on_conflict_do_nothing())


async def _changed(session: Session, sender: str, day: date, there: ColumnElement[bool], **new: object) -> bool:
    which = col(WarmUpRow.sender) == sender, col(WarmUpRow.day) == day
    done = await session.exec(update(WarmUpRow).where(*which, there).values(**new))
    assert isinstance(done, CursorResult)
    return done.rowcount == 1
