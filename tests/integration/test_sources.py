"""Sources compared, on each database in turn, against a data set made by hand."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from nurture.catalogue import Catalogue
from nurture.cli.costs import costs_of
from nurture.cli.sheet import read_sheet
from nurture.durations import days
from nurture.errors import BadInput
from nurture.intake import Incoming, Intake, Internal
from nurture.intake.capturing import Captured
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.capture_tables import CostRow
from nurture.store.costs import note
from nurture.store.sources import By, Source, Touch, sources

FIRST_DAY, LAST_DAY = days(30), days(1)

# (who, days ago, channel, placement, offer, then came as far as)
CAME = [
    ("ann@example.com", 20, "telegram", "spring", "trial", "buy"),
    ("ann@example.com", 5, "vk", "autumn", "", None),
    ("bob@example.com", 19, "telegram", "spring", "", "learn"),
    ("cid@example.com", 18, "telegram", "summer", "", None),
    ("c-dan", 17, "telegram", "spring", "", None),
    ("eve@example.com", 10, "vk", "autumn", "webinar", "promoter"),
    ("eve@example.com", 9, "direct", "/", "", None),
    ("old@example.com", 90, "vk", "winter", "", "buy"),
]  # fmt: skip
COSTS = [
    ("telegram", "spring", "trial", 20, 300.0),
    ("telegram", "summer", "", 18, 99.5),
    ("vk", "autumn", "", 10, 50.0),
    ("vk", "winter", "", 90, 1000.0),
    ("dzen", "", "", 7, 10.0),
]  # fmt: skip


@pytest.fixture
async def told(store: Store, now: datetime) -> AsyncIterator[Store]:
    """A store in which all that has happened."""
    intake = Intake(store, Catalogue(), Settings())
    for who, ago, channel, placement, offer, stage in CAME:
        arrival = {"channel": channel, "placement": placement, "offer": offer}
        given: dict[str, Any] = {
            "name": "visit",
            "lead": {"email": who} if "@" in who else {"cookie": who},
            "at": now - days(ago),
            "context": {"arrival": arrival},
            "captured": Captured(stage=stage) if stage else None,
        }
        [result] = await intake.accept([Internal.model_validate(given)], now)
        assert result.error is None
    test = Incoming(name="visit", lead={"email": "test@example.com", "test": True}, at=now - days(3))
    machine = Incoming(name="asked", lead={"email": "bot@example.com"}, at=now - days(3), machine=True)
    imported = Incoming(lead={"email": "imported@example.com"})
    for item in (test, machine, imported):
        await intake.accept([item], now - days(2))
    async with store.write() as session:
        spent = [
            CostRow(day=(now - days(ago)).date(), channel=channel, placement=placement, offer=offer, amount=amount)
            for channel, placement, offer, ago, amount in COSTS
        ]
        await note(session, spent)
        await note(session, spent)
    yield store
    await intake.close()


async def compared(store: Store, now: datetime, by: By, touch: Touch = "first") -> dict[tuple[str, ...], Source]:
    midnight = now.replace(hour=0)
    async with store.read() as session:
        found = await sources(session, by, touch, midnight - FIRST_DAY, midnight + LAST_DAY)
    return {one.name: one for one in found}


def numbers(one: Source) -> tuple[int, int, int, int, float]:
    return one.leads, one.known, one.reached["learn"], one.customers, one.cost


async def test_channels_are_compared_by_the_first_touch(told: Store, now: datetime) -> None:
    found = await compared(told, now, "channel")

    assert {name: numbers(one) for name, one in found.items()} == {
        ("telegram",): (4, 3, 2, 1, 399.5),
        ("vk",): (1, 1, 1, 1, 50.0),
        ("",): (1, 1, 0, 0, 0.0),
        ("dzen",): (0, 0, 0, 0, 10.0),
    }
    assert next(iter(found)) == ("telegram",)


async def test_and_by_the_last_that_came_from_somewhere(told: Store, now: datetime) -> None:
    found = await compared(told, now, "channel", "last")

    assert {name: one.leads for name, one in found.items()} == {("telegram",): 3, ("vk",): 2, ("",): 1, ("dzen",): 0}


async def test_a_placement_is_one_of_its_channel(told: Store, now: datetime) -> None:
    found = await compared(told, now, "placement")

    assert {name: (one.leads, one.cost) for name, one in found.items()} == {
        ("telegram", "spring"): (3, 300.0),
        ("telegram", "summer"): (1, 99.5),
        ("vk", "autumn"): (1, 50.0),
        ("", ""): (1, 0.0),
        ("dzen", ""): (0, 10.0),
    }


async def test_an_offer_is_one_wherever_it_was_made(told: Store, now: datetime) -> None:
    found = await compared(told, now, "offer")

    assert {name: (one.leads, one.customers) for name, one in found.items() if name != ("",)} == {
        ("trial",): (1, 1),
        ("webinar",): (1, 1),
    }


async def test_a_lead_and_a_customer_have_their_price(told: Store, now: datetime) -> None:
    found = await compared(told, now, "channel")

    assert found["telegram",].per_lead == pytest.approx(399.5 / 3)
    assert found["telegram",].per_customer == 399.5
    assert (found["dzen",].per_lead, found["dzen",].per_customer) == (None, None)


async def test_a_corrected_file_puts_the_costs_right(told: Store, now: datetime) -> None:
    day = (now - days(7)).date()
    async with told.write() as session:
        await note(session, [CostRow(day=day, channel="dzen", amount=25)])

    assert (await compared(told, now, "channel"))["dzen",].cost == 25


# --- the file ---


def sheet(folder: Path, *lines: str) -> Path:
    file = folder / "costs.csv"
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_a_file_of_costs_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = sheet(
        tmp_path, "Date;utm_source;utm_campaign;Cost", "2026-11-01;VK;spring;1 200,50", "01.11.2026;vkontakte;spring;100",
        "02.11.2026;tg;;7",
    )  # fmt: skip

    found = costs_of(read_sheet(file), file.name)

    assert [(row.day, row.channel, row.placement, row.amount) for row in found] == [
        (date(2026, 11, 1), "vk", "spring", 1300.5),
        (date(2026, 11, 2), "telegram", "", 7.0),
    ]


def test_every_line_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    file = sheet(
        tmp_path, "day,channel,amount", "yesterday,vk,1", "2026-11-01,,1", "2026-11-01,vk,-1", "2026-11-01,vk,nan",
    )  # fmt: skip

    with pytest.raises(BadInput) as caught:
        costs_of(read_sheet(file), file.name)

    assert str(caught.value).splitlines() == [
        "costs.csv:2: day: 'yesterday' is none: write 2026-11-23",
        "costs.csv:3: channel: is missing",
        "costs.csv:4: amount: '-1' is none: write 1200 or 1200.50",
        "costs.csv:5: amount: 'nan' is none: write 1200 or 1200.50",
    ]


def test_a_file_without_what_is_needed_is_refused(tmp_path: Path) -> None:
    file = sheet(tmp_path, "day,amount", "2026-11-01,1")

    with pytest.raises(BadInput, match="no column channel"):
        costs_of(read_sheet(file), file.name)
