"""A sender that is warmed up: mailings and journeys share its days, on each database in turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from activities.errands import Postponed
from activities.lead_letters import of_mailing
from activities.messages import MessageErrand
from nurture.campaign import Campaign, State
from nurture.deliverability.ramp import Ramp
from nurture.errors import ProviderUnavailable
from nurture.permission import HouseRules
from nurture.steps import Send
from nurture.store import Store
from nurture.store.leads import get
from nurture.store.sending_tables import WarmUpRow
from nurture.store.story import story_of
from nurture.triggers import on
from tests.integration.bulk import NEWS, a_lead, by_status, ledger, ordered, run_of, settle
from tests.integration.life import Life

BERLIN = ZoneInfo("Europe/Berlin")
RAMP = Ramp(start=date(2026, 11, 23), first=3, growth=2, until=24)
LONG = NEWS.model_copy(update={"expires_after": timedelta(days=30)})


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    """A house in Berlin that begins to send from a new domain, on a Monday at eleven."""
    rules = HouseRules(caps=())
    async with Life(
        store,
        now,
        sender="News <news@new.example>",
        warm_up={"new.example": RAMP},
        time_zone="Europe/Berlin",
        rules=rules,
    ) as life:
        yield life


def by_day(life: Life) -> list[int]:
    """How many mails went on each day of the house, in order."""
    days = Counter(mail.date.astimezone(BERLIN).date() for mail in life.postbox.mails)
    return [days[day] for day in sorted(days)]


async def test_no_more_go_on_a_day_than_the_ramp_says_and_all_go_in_the_end(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(40)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=LONG)
    await life.settle()
    assert by_day(life) == [3]
    assert set((await ledger(life.store)).values()) == {
        ("accepted", ""), ("deferred", "warm-up of new.example: 3 messages on 23 Nov 2026"),
    }  # fmt: skip

    await life.passes(days=6)
    assert by_day(life) == [3, 6, 12, 19]
    assert (await run_of(life.store, run_id)).status == "done"


async def test_who_waits_for_its_day_comes_back_on_it_and_after_quiet_hours(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(9)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=LONG)
    await life.passes(days=2)

    times = [mail.date.astimezone(BERLIN) for mail in life.postbox.mails]
    assert [time.day for time in times] == [23] * 3 + [24] * 6
    assert all(time.hour == 8 for time in times[3:])
    assert len(set(times[3:])) == 6


async def test_what_cannot_go_in_time_is_given_up_at_once_with_both_reasons(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(12)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=LONG.model_copy(update={"expires_after": timedelta(days=1)}))
    await life.settle()

    assert by_status(await ledger(life.store)) == {"accepted": 3, "deferred": 6, "expired": 3}
    assert ("expired", "warm-up of new.example: 3 messages on 23 Nov 2026: not sent within 1 day") in (
        await ledger(life.store)
    ).values()
    async with life.store.read() as session:
        promised = (await session.exec(select(WarmUpRow.promised).order_by(col(WarmUpRow.day)))).all()
    assert promised == [3, 6]  # who is given up keeps nobody from a place


async def test_journeys_share_the_day_and_say_why_they_wait_and_what_is_no_marketing_goes_at_once(life: Life) -> None:
    def greeting(key: str, **said: str) -> Campaign:
        return Campaign(key, [State("first", [Send(template="test/one")])], enters=[on("came")], **said)  # type: ignore[arg-type]

    await life.publish(greeting("news"), greeting("receipt", purpose="transactional", legal_basis="a contract"))
    leads = [await life.lead(f"{n}@example.com") for n in range(5)]
    for n in range(5):
        await life.happens("came", to=f"{n}@example.com")
    assert Counter("List-Unsubscribe" in mail.headers for mail in life.postbox.mails) == {True: 3, False: 5}

    async with life.store.read() as session:
        told = [await story_of(session, lead, life.now) for lead in leads]
    put_off = [line.how for one in told for journey in one.journeys for line in journey.lines if line.kind == "put off"]
    assert put_off == ["warm-up of new.example: 3 messages on 23 Nov 2026"] * 2

    await life.passes(days=1)
    assert Counter("List-Unsubscribe" in mail.headers for mail in life.postbox.mails) == {True: 5, False: 5}


async def test_a_place_that_the_provider_did_not_take_is_taken_by_another(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(4)], life.now)
    later = timedelta(minutes=10)
    life.postbox.troubles = [ProviderUnavailable("busy", retry_after=later)] * 3
    await ordered(life.store, life.now, "mailing", mailing=LONG)
    await life.passes(hours=1)

    assert by_day(life) == [3]
    async with life.store.read() as session:
        day = await session.get(WarmUpRow, ("new.example", RAMP.start))
    assert day is not None
    assert (day.taken, day.promised) == (3, 3)


async def test_however_many_ask_at_once_no_more_than_the_day_has_are_handed_over(life: Life) -> None:
    leads = await settle(life.store, [a_lead(n, life.now) for n in range(12)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=LONG)
    run, equipment = await run_of(life.store, run_id), life.walkers.equipment
    errands = []
    for lead_id in leads:  # all see room at first
        async with life.store.write() as session:
            lead = await get(session, lead_id)
            errands.append(MessageErrand(of_mailing(equipment, run, life.now, LONG, lead)))
            assert await errands[-1].prepare(session, life.now) is None
    answers = await asyncio.gather(*(errand.run(life.now) for errand in errands))

    assert len(life.postbox.mails) == answers.count(None) == 3
    days = Counter(one.until.astimezone(BERLIN).date() for one in answers if isinstance(one, Postponed))
    assert days == {date(2026, 11, 24): 6, date(2026, 11, 25): 3}


async def test_at_midnight_of_the_house_the_next_days_places_are_there(store: Store, now: datetime) -> None:
    moment = datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC)
    rules = HouseRules(caps=(), quiet=None)
    async with Life(
        store, moment, sender="news@new.example", warm_up={"new.example": RAMP}, time_zone="Europe/Berlin", rules=rules
    ) as life:
        await settle(life.store, [a_lead(n, life.now) for n in range(5)], life.now)
        await ordered(life.store, life.now, "mailing", mailing=LONG)
        await life.settle()
        assert by_day(life) == [3]

        await settle(life.store, [a_lead(n, life.now) for n in range(5, 12)], life.now)
        life.now += timedelta(seconds=1)
        await ordered(life.store, life.now, "mailing", mailing=LONG.model_copy(update={"key": "again"}))
        await life.settle()
        assert by_day(life) == [3, 4]  # two of the six places are promised
        await life.passes(hours=2)
        assert by_day(life) == [3, 6]
