"""Hold-outs through the real dispatcher, store and walks, and what is counted of them and of versions."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from nurture import Campaign, State, always, clicked, days, done, on, send, wait_for
from nurture.experiments.comparison import Group
from nurture.experiments.hold_outs import HELD_OUT
from nurture.permission import HouseRules
from nurture.store import Store
from nurture.store.hold_outs import Goal, of_campaign, of_programme
from nurture.store.models import JourneyRow, LeadRow, MessageRow
from nurture.store.story import story_of, why_not
from nurture.store.version_report import numbers
from tests.integration.life import Life

ORDERED = Goal(on("order_paid"), days(30))
NEWS = Campaign(
    "news",
    enters=[on("asked")],
    reenters=always,
    goal=on("order_paid"),
    states=[State("one", [send("test/one"), wait_for(clicked("test/one"), up_to=days(3)), done])],
)
GUIDE = Campaign(
    "guide",
    enters=[on("asked")],
    states=[State("one", [send("test/one", legal_basis="asked for"), send("test/two"), done])],
)
NOBODY, EVERYBODY = HouseRules(), HouseRules(holdout=100)


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        yield life


@pytest.fixture
async def without_marketing(store: Store, now: datetime) -> AsyncIterator[Life]:
    """A life in which every lead is held out of the programme."""
    async with Life(store, now, rules=EVERYBODY) as life:
        yield life


async def journeys(life: Life) -> list[JourneyRow]:
    async with life.store.read() as session:
        return list((await session.exec(select(JourneyRow).order_by(col(JourneyRow.entered)))).all())


async def test_who_is_held_out_of_the_programme_enters_no_marketing_and_is_noted_at_that_time(
    without_marketing: Life,
) -> None:
    life = without_marketing
    await life.publish(NEWS)
    await life.lead()
    await life.happens("asked")

    [row] = await journeys(life)
    assert (row.status, row.ending) == ("holdout", HELD_OUT)
    assert life.now - row.entered < timedelta(seconds=1)
    assert life.postbox.mails == []


async def test_who_is_held_out_of_the_programme_gets_what_it_asked_for_and_no_more(without_marketing: Life) -> None:
    life = without_marketing
    await life.publish(GUIDE)
    await life.lead()
    await life.happens("asked")

    assert len(life.postbox.mails) == 1
    async with life.store.read() as session:
        withheld = (await session.exec(select(MessageRow).where(MessageRow.template == "test/two"))).one()
    assert (withheld.status, withheld.reason) == ("suppressed", HELD_OUT)


async def test_a_test_lead_is_held_out_of_nothing(without_marketing: Life) -> None:
    life = without_marketing
    await life.publish(NEWS)
    await life.lead()
    async with life.store.write() as session:
        row = (await session.exec(select(LeadRow))).one()
        row.test = True
        session.add(row)

    await life.happens("asked")

    assert len(life.postbox.mails) == 1


async def test_the_story_tells_who_is_held_out_of_the_programme(without_marketing: Life) -> None:
    life = without_marketing
    await life.publish(NEWS)
    lead_id = await life.lead()
    await life.happens("asked")

    async with life.store.read() as session:
        story = await story_of(session, lead_id, life.now, programme=life.settings.rules.holdout)
        absence = await why_not(session, story, "test/one")
    assert story.held_out
    assert story.journeys[0].standing.why == f"is {HELD_OUT}: it is sent nothing"
    assert absence.spots[0].answer == f"the lead is {HELD_OUT}"


async def test_who_is_no_longer_held_out_of_the_programme_enters_again(
    without_marketing: Life, store: Store, now: datetime
) -> None:
    await without_marketing.publish(NEWS)
    await without_marketing.lead()
    await without_marketing.happens("asked")

    async with Life(store, now + days(1), rules=NOBODY) as life:
        await life.happens("asked")

        assert [(row.status, row.run) for row in await journeys(life)] == [("holdout", 1), ("active", 2)]
        assert len(life.postbox.mails) == 1


async def buys(life: Life, *emails: str) -> None:
    for email in emails:
        await life.happens("order_paid", to=email)


async def test_a_campaign_is_compared_with_those_it_held_out_from_when_they_would_have_entered(life: Life) -> None:
    since = life.now - days(1)
    await life.publish(NEWS)
    for n in range(3):
        await life.lead(f"in-{n}@example.com")
        await life.happens("asked", to=f"in-{n}@example.com")
    await life.publish(NEWS.model_copy(update={"holdout": 100}))
    for n in range(2):
        await life.lead(f"out-{n}@example.com")
        await buys(life, f"out-{n}@example.com")  # before it would have entered: does not count
        await life.happens("asked", to=f"out-{n}@example.com")
    await life.passes(days=1)
    await buys(life, "in-0@example.com", "in-1@example.com", "out-0@example.com")

    async with life.store.read() as session:
        soon = await of_campaign(session, "news", ORDERED, since, life.now)
        after = await of_campaign(session, "news", ORDERED, since, life.now + days(40))
    assert (soon.took_part, soon.held_out) == (Group(3, 0, 0), Group(2, 0, 0))
    assert (after.took_part, after.held_out, after.expected) == (Group(3, 3, 2), Group(2, 2, 1), 2)


async def test_the_hold_out_of_the_programme_is_on_neither_side_of_a_campaign(without_marketing: Life) -> None:
    life = without_marketing
    await life.publish(NEWS)
    await life.lead()
    await life.happens("asked")

    async with life.store.read() as session:
        found = await of_campaign(session, "news", ORDERED, life.now - days(1), life.now)
    assert (found.took_part, found.held_out) == (Group(), Group())


async def test_the_programme_is_compared_with_those_that_get_no_marketing(life: Life) -> None:
    since = life.now - days(1)
    for email in ("ann@example.com", "bob@example.com", "eve@example.com"):
        await life.lead(email)
    await life.passes(days=1)
    await buys(life, "bob@example.com")

    async with life.store.read() as session:
        nobody = await of_programme(session, 0, ORDERED, since, life.now + days(40))
        everybody = await of_programme(session, 100, ORDERED, since, life.now + days(40))
    assert (nobody.took_part, nobody.held_out) == (Group(3, 3, 1), Group())
    assert (everybody.took_part, everybody.held_out, everybody.expected) == (Group(), Group(3, 3, 1), 3)


async def test_each_version_has_its_numbers_before_the_change_and_after(life: Life) -> None:
    await life.publish(NEWS)
    await life.lead()
    await life.happens("asked")
    await life.clicks("test/one", machine=True)
    await life.clicks("test/one")
    await life.clicks("test/one")
    await life.passes(days=1)
    await life.publish(NEWS.model_copy(update={"title": "The news"}))
    await life.lead("bob@example.com")
    await life.happens("asked", to="bob@example.com")
    await buys(life, "bob@example.com")

    async with life.store.read() as session:
        before, after = await numbers(session, "news")
    assert (before.number, before.entered, before.goal, before.messages, before.clicked) == (1, 1, 0, 1, 1)
    assert (after.number, after.entered, after.goal, after.messages, after.clicked) == (2, 1, 1, 1, 0)
