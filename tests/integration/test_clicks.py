"""Links followed by people and by machines, on each database in turn: what becomes an event, a branch and points."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from nurture import Campaign, Score, State, Threshold, clicked, days, gives, leave, on, send, wait_for
from nurture.catalogue import Catalogue
from nurture.errors import NotFound
from nurture.intake import Intake, Internal, Recorder
from nurture.intake.clicking import Clicking, Followed, Ruling
from nurture.intake.merging import merge
from nurture.store import Store
from nurture.store.erasure import erase
from nurture.store.models import EventRow, LeadRow, MessageRow
from nurture.store.tracking_tables import ClickRow
from nurture.sweeps import run_sweep, sweeps
from nurture.tracking.clicks import HELD, TRAP, Sign, Verdict
from tests.integration.life import Life
from tests.integration.scenarios.telling import stand

HOME, GATEWAY = "192.0.2.0/24", "198.51.100.0/24"
WARMTH = Score(key="warmth", rules=(gives(15, clicked()),), thresholds=(Threshold(key="warm", at=30, rearm=20),))
ASKING = Campaign(
    "asking",
    [
        State("first", [send("test/one"), wait_for(clicked("test/one"), up_to=days(3), then="warm")]),
        State("cold", [leave("never looked")]),
        State("warm", [leave("warm")]),
    ],
    enters=[on("asked")],
)


class Reading(Life):
    """A lead with a message before it, an hour after it was sent; links are followed by `follow`."""

    message: MessageRow

    async def is_written_to(self) -> None:
        """The lead gets the message."""
        catalogue = Catalogue(scores={"warmth": WARMTH})
        self.intake, self.recorder = Intake(self.store, catalogue, self.settings), Recorder(catalogue, self.settings)
        await self.publish(ASKING)
        await self.lead()
        await self.happens("asked")
        [self.message] = await self.rows(MessageRow)
        self.now += timedelta(hours=1)

    @property
    def handed_over(self) -> datetime:
        """When the message went."""
        assert self.message.committed_at is not None
        return self.message.committed_at

    async def follow(self, *links: str, network: str = HOME, program: bool = False) -> None:
        """The links are followed in the same moment."""
        await self.accept(
            *(Clicking(message=self.message.id, followed=followed(one, network, program)) for one in links)
        )

    async def rules(self, click: str, verdict: Verdict) -> None:
        """Somebody decides."""
        ruling = Ruling(click=click, verdict=verdict, by="ops")
        await self.accept(Clicking(message=self.message.id, ruling=ruling))

    async def accept(self, *clickings: Clicking) -> None:
        """The clickings come in."""
        lead = {"id": self.message.lead_id}
        for result in await self.intake.accept([Internal(lead=lead, clicks=one) for one in clickings], self.now):
            assert result.error is None

    async def waits(self, length: timedelta = HELD) -> None:
        """Time goes by, and the sweep looks."""
        self.now += length
        [sweep] = [one for one in sweeps({}, self.recorder) if one.name == "clicks waited"]
        await run_sweep(sweep, self.store, self.settings, self.now)

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        """All rows of that table."""
        async with self.store.read() as session:
            return list((await session.exec(select(model))).all())

    async def counted(self) -> list[bool]:
        """The clicks that are events, in the order of their time: True for those that count."""
        async with self.store.read() as session:
            clicks = select(EventRow.machine).where(EventRow.name == "message_clicked")
            return [not one for one in (await session.exec(clicks.order_by(col(EventRow.at), EventRow.id))).all()]

    async def warmth(self) -> float:
        """The points of the lead."""
        [lead] = await self.rows(LeadRow)
        return float(lead.scores.get("warmth", 0))


def followed(link: str, network: str = HOME, program: bool = False) -> Followed:
    """A link followed."""
    return Followed(link=link, url=f"https://example.com/{link}", network=network, agent="a browser", program=program)


@pytest.fixture
async def reading(store: Store, now: datetime) -> AsyncIterator[Reading]:
    reading = Reading(store, now)
    async with reading:
        await reading.is_written_to()
        yield reading


async def test_a_click_without_doubt_is_heard_at_once(reading: Reading) -> None:
    await reading.follow("prices")
    await reading.settle()

    assert (await reading.counted(), await reading.warmth()) == ([True], 15)
    assert await stand(reading) == [("ended", "left: warm")]


async def test_an_early_click_waits_and_is_heard_then(reading: Reading) -> None:
    reading.now = reading.handed_over + timedelta(seconds=20)
    clicked_at = reading.now
    await reading.follow("prices")
    await reading.settle()
    assert (await reading.counted(), await stand(reading)) == ([], [("active", None)])

    await reading.waits()
    await reading.settle()

    assert (await reading.counted(), await reading.warmth()) == ([True], 15)
    assert await stand(reading) == [("ended", "left: warm")]
    [event] = [one for one in await reading.rows(EventRow) if one.name == "message_clicked"]
    assert (event.at, event.received > clicked_at) == (clicked_at, True)


async def test_an_early_click_of_who_then_follows_the_unseen_link_is_never_heard(reading: Reading) -> None:
    reading.now = reading.handed_over + timedelta(seconds=20)
    await reading.follow("prices", network=GATEWAY)
    reading.now += timedelta(seconds=5)
    await reading.follow(TRAP, network=GATEWAY)
    await reading.waits()
    await reading.settle()

    assert (await reading.counted(), await reading.warmth()) == ([False], 0)
    assert await stand(reading) == [("active", None)]
    assert {one.sign for one in await reading.rows(ClickRow)} == {Sign.NETWORK, Sign.TRAP}


@pytest.mark.parametrize("together", [True, False], ids=["in one moment", "one by one"])
async def test_a_burst_takes_back_what_its_first_click_gave(reading: Reading, *, together: bool) -> None:  # B-11
    links = ("prices", "case", "webinar")
    if together:
        await reading.follow(*links)
    else:
        for link in links:
            await reading.follow(link)
            reading.now += timedelta(seconds=1)
    await reading.settle()

    assert (await reading.counted(), await reading.warmth()) == ([False] * 3, 0)
    assert await stand(reading) == [("active", None)]


async def test_a_click_that_waits_is_not_forgotten_in_a_flood(reading: Reading) -> None:
    reading.now = reading.handed_over + timedelta(seconds=20)
    await reading.follow("prices")
    reading.now += timedelta(seconds=10)
    await reading.follow(*["case"] * 120, network=GATEWAY, program=True)
    await reading.waits()

    assert (await reading.warmth(), [one.verdict for one in await reading.rows(ClickRow)].count(Verdict.WAITING)) == (
        15,
        0,
    )


async def test_a_threshold_that_a_machine_reached_is_armed_again_and_reached_by_people(reading: Reading) -> None:
    for _ in range(2):
        await reading.follow("prices")
        reading.now += timedelta(minutes=5)
    assert [one.name for one in await reading.rows(EventRow)].count("score_reached") == 1

    for click in await reading.rows(ClickRow):
        await reading.rules(click.id, Verdict.MACHINE)
    assert (await reading.counted(), await reading.warmth()) == ([False] * 2, 0)

    for _ in range(2):
        await reading.follow("case")
        reading.now += timedelta(minutes=5)
    assert await reading.warmth() == 30
    assert [one.name for one in await reading.rows(EventRow)].count("score_reached") == 2


async def test_a_verdict_is_turned_both_ways(reading: Reading) -> None:
    await reading.follow("prices", program=True)
    await reading.settle()
    [click] = await reading.rows(ClickRow)
    assert (await reading.counted(), await reading.warmth()) == ([False], 0)

    await reading.rules(click.id, Verdict.PERSON)
    await reading.settle()
    assert (await reading.counted(), await reading.warmth()) == ([True], 15)
    assert await stand(reading) == [("ended", "left: warm")]

    await reading.rules(click.id, Verdict.MACHINE)
    assert (await reading.counted(), await reading.warmth()) == ([False], 0)


async def test_a_person_and_an_echo_from_elsewhere_count_once(reading: Reading) -> None:  # B-20
    await reading.follow("prices")
    reading.now += timedelta(seconds=12)
    await reading.follow("prices", network=GATEWAY)

    assert (await reading.counted(), await reading.warmth()) == ([True, False], 15)


async def test_a_network_that_fell_into_a_trap_is_doubted_with_every_lead(reading: Reading) -> None:
    await reading.follow(TRAP, network=GATEWAY)
    reading.now += timedelta(hours=1)
    await reading.follow("prices", network=GATEWAY)
    assert await reading.counted() == []

    await reading.waits()
    assert await reading.counted() == [True]


async def test_of_who_was_erased_meanwhile_a_click_is_dropped(reading: Reading) -> None:  # F26
    async with reading.store.write() as session:
        await erase(session, str(reading.message.lead_id), "ops", reading.now)
    clicking = Clicking(message=reading.message.id, followed=followed("prices"))
    item = Internal(lead={"id": reading.message.lead_id}, clicks=clicking)
    [result] = await reading.intake.accept([item], reading.now)

    assert isinstance(result.error, NotFound)
    assert (await reading.rows(ClickRow), await reading.rows(EventRow), await reading.rows(LeadRow)) == ([], [], [])


async def test_clicks_of_a_lead_that_was_merged_are_judged_with_those_of_the_one_it_is_now(reading: Reading) -> None:
    await reading.follow("prices")
    kept = await reading.lead("bob@example.com")
    await merge(reading.store, reading.recorder, kept, str(reading.message.lead_id), by="ops", now=reading.now)
    reading.now += timedelta(seconds=1)
    await reading.follow("case", "webinar")

    assert (await reading.counted(), await reading.warmth()) == ([False] * 3, 0)


STEPS = (
    ("prices", HOME, 0),
    ("case", GATEWAY, 1),
    ("webinar", GATEWAY, 2),
    ("prices", GATEWAY, 3),
    (TRAP, GATEWAY, 60),
)


@pytest.mark.parametrize("order", list(permutations(range(5)))[::40], ids=str)
async def test_in_whatever_order_clicks_are_written_the_points_are_the_same(
    reading: Reading, order: tuple[int, ...]
) -> None:
    hour = reading.now
    for link, network, at in (STEPS[one] for one in order):
        reading.now = hour + timedelta(seconds=at)
        await reading.follow(link, network=network)
    await reading.waits(timedelta(minutes=5))

    assert (await reading.counted(), await reading.warmth()) == ([False] * 4, 0)
