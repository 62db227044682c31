"""Customers on each database in turn: how they buy, what they need, and that they went quiet."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlmodel import SQLModel, select

from nurture import Campaign, State, days, done, event, lead, need, on, tag, wait, when
from nurture.store import Store
from nurture.store.models import EventRow, JourneyRow, LeadRow
from nurture.store.need_tables import NeedRow
from nurture.sweeps import run_sweep, sweeps
from tests.integration.life import Life


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


async def profile(store: Store, email: str = "ann@example.com") -> dict[str, Any]:
    return next(row.profile for row in await rows(store, LeadRow) if row.email == email)


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        yield life


async def sweep(life: Life, name: str) -> int:
    every = sweeps({}, life.walkers.equipment.recorder)
    found = await run_sweep(next(one for one in every if one.name == name), life.store, life.settings, life.now)
    await life.settle()
    return found


def entered_when(condition: Any) -> Campaign:
    return Campaign("entered", enters=[when(condition)], states=[State("one", [tag("entered"), wait(days(1)), done])])


async def test_customers_are_rated_by_a_sweep_and_a_rating_enters(life: Life) -> None:
    await life.publish(entered_when(lead.rfm.money >= 5))
    for n in range(1, 6):
        await life.lead(f"c{n}@example.com")
        await life.orders("paid", to=f"c{n}@example.com", number=f"{n}", amount=f"{n}00.00")
    await life.lead("none@example.com")

    assert await sweep(life, "customers rated") == 5
    assert await sweep(life, "customers rated") == 0

    money = [(await profile(life.store, f"c{n}@example.com"))["rfm"]["money"] for n in range(1, 6)]
    assert money == [1, 2, 3, 4, 5]
    assert "rfm" not in await profile(life.store, "none@example.com")
    tagged = [row.email for row in await rows(life.store, LeadRow) if "entered" in row.profile.get("tags", ())]
    assert tagged == ["c5@example.com"]


async def test_a_customer_who_goes_quiet_enters_by_time_alone(life: Life) -> None:
    await life.publish(
        entered_when(lead.customer & event("order_paid").absent(days(120)) & event("visit").absent(days(60)))
    )
    await life.lead()
    await sweep(life, "time passed")
    await life.orders("paid")
    await life.passes(days=100)
    await life.happens("visit")

    for day in (21, 38, 3):
        assert await rows(life.store, JourneyRow) == []
        await life.passes(days=day)
        await sweep(life, "time passed")

    assert [row.campaign for row in await rows(life.store, JourneyRow)] == ["entered"]


# --- needs ---


async def test_a_need_that_is_ready_enters_and_one_that_is_not_does_not(life: Life) -> None:
    noting = State("one", [need("kit", readiness=40), wait(days(1)), need("kit", readiness=80), done])
    await life.publish(entered_when(lead.needs.ready("kit")), Campaign("noting", enters=[on("asked")], states=[noting]))
    await life.lead()
    await life.happens("asked")
    assert (await profile(life.store))["needs"] == {"kit": 40}
    assert [row.campaign for row in await rows(life.store, JourneyRow)] == ["noting"]

    await life.passes(days=2)

    assert sorted(row.campaign for row in await rows(life.store, JourneyRow)) == ["entered", "noting"]


async def test_needs_come_in_by_the_api_and_one_that_is_met_is_ready_no_more(
    client: httpx.AsyncClient, store: Store
) -> None:
    ann = {"email": "ann@example.com"}
    kit = {"product": "kit", "kind": "explicit", "readiness": 90}
    first = await client.post("/v1/needs", json={"id": "n1", "lead": ann, "needs": [kit, {"product": "pen"}]})
    again = await client.post("/v1/needs", json={"id": "n1", "lead": ann, "needs": [kit]})
    guessed = {"product": "kit", "kind": "presumed", "readiness": 10}
    await client.post("/v1/needs", json={"lead": ann, "needs": [guessed, {"product": "pen", "status": "met"}]})

    assert (first.status_code, again.status_code) == (202, 202)
    assert (await profile(store))["needs"] == {"kit": 90}
    assert {(row.product, row.kind, row.status) for row in await rows(store, NeedRow)} == {
        ("kit", "explicit", "open"), ("pen", "explicit", "met"),
    }  # fmt: skip
    assert [row.name for row in await rows(store, EventRow)] == ["need_told"] * 2


async def test_a_need_that_is_none_is_refused_with_its_field(client: httpx.AsyncClient) -> None:
    ann = {"email": "ann@example.com"}
    answer = await client.post("/v1/needs", json={"lead": ann, "needs": [{"product": "kit", "readiness": 101}]})

    assert (answer.status_code, answer.json()["field"]) == (422, "needs.0.readiness")


# --- stages, by whoever says so ---


async def test_a_stage_comes_by_the_api_with_its_reason_and_late_news_of_it_is_late(
    client: httpx.AsyncClient, store: Store
) -> None:
    ann = {"email": "ann@example.com"}
    answers = [
        await client.post("/v1/leads", json={"lead": {**ann, "stage": stage}, "source": "crm", **more})
        for stage, more in [("learn", {}), ("need", {"at": "2026-01-01T00:00:00Z"}), ("visit", {}), ("visit", {})]
    ]
    wrong = await client.post("/v1/leads", json={"lead": {**ann, "stage": "bought"}})

    assert [answer.json()["changed"] for answer in answers] == [["lead.email", "lead.stage"], [], ["lead.stage"], []]
    assert (wrong.status_code, wrong.json()["field"]) == (422, "lead.stage")
    changes = [row.properties for row in await rows(store, EventRow) if row.name == "stage_changed"]
    assert changes == [
        {"from": "need", "to": "learn", "reason": "crm"}, {"from": "learn", "to": "visit", "reason": "crm"},
    ]  # fmt: skip
