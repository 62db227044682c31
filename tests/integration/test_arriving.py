"""Arrivals and visits as they come in, on each database in turn."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from nurture.catalogue import Catalogue
from nurture.durations import days
from nurture.errors import BadInput
from nurture.intake import Incoming, Intake
from nurture.lead import lead
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.capture_tables import ArrivalRow, VisitorRow
from nurture.store.facts import load_facts
from nurture.store.leads import look_up
from nurture.store.models import EventRow, LeadRow, OutboxRow

PRICES = "https://www.example.com/prices"
TELEGRAM = f"{PRICES}?utm_source=telegram&utm_campaign=spring"


@pytest.fixture
async def intake(store: Store) -> AsyncIterator[Intake]:
    intake = Intake(store, Catalogue(), Settings(sites=["https://blog.example.com"]))
    yield intake
    await intake.close()


def visit(url: str = PRICES, referrer: str = "", cookie: str = "c-1", **given: Any) -> Incoming:
    context = {"page": {"url": url, "referrer": referrer}}
    who = given.pop("lead", {"cookie": cookie})
    return Incoming.model_validate({"name": "visit", "lead": who, "context": context, **given})


async def rows(store: Store, model: type[SQLModel]) -> Sequence[Any]:
    async with store.read() as session:
        return (await session.exec(select(model))).all()


async def channels(store: Store) -> list[str]:
    async with store.read() as session:
        return list((await session.exec(select(ArrivalRow.channel).order_by(col(ArrivalRow.at)))).all())


async def touches(store: Store, email: str = "ann@example.com") -> tuple[str, str]:
    async with store.read() as session:
        profile = (await look_up(session, email)).profile
    return profile["first_touch"]["channel"], profile["last_touch"]["channel"]


# --- arrivals ---


async def test_an_arrival_is_kept_with_its_event_and_announced(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit(TELEGRAM, id="v-1")], now)

    [row] = await rows(store, ArrivalRow)
    assert (row.channel, row.placement, row.event, row.at) == ("telegram", "spring", "v-1", now)
    [order] = await rows(store, OutboxRow)
    assert {"lead.first_touch", "lead.last_touch", "event.visit"} <= set(order.body["keys"])


async def test_a_condition_looks_at_the_touches(intake: Intake, store: Store, now: datetime) -> None:
    [result] = await intake.accept([visit(TELEGRAM)], now)

    async with store.read() as session:
        facts = await load_facts(session, result.lead_id or "", [], now)
    assert (lead.first_touch.channel == "telegram").test(facts)
    assert not (lead.last_touch.placement == "autumn").test(facts)


async def test_the_first_touch_is_the_earliest_also_when_it_is_told_late(
    intake: Intake, store: Store, now: datetime
) -> None:
    ann = {"email": "ann@example.com"}
    await intake.accept([visit(TELEGRAM, lead=ann)], now)
    await intake.accept([visit(referrer="https://vk.com/", lead=ann)], now + days(1))
    await intake.accept([visit(referrer="https://habr.com/", lead=ann, at=now - days(30))], now + days(2))

    assert await touches(store) == ("habr", "vk")
    assert await channels(store) == ["habr", "telegram", "vk"]


async def test_steps_within_the_site_are_no_arrivals(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit(TELEGRAM)], now)
    await intake.accept([visit(referrer=PRICES), visit(referrer="https://blog.example.com/one")], now)

    assert await channels(store) == ["telegram"]


async def test_who_comes_from_nowhere_comes_straight_once_a_session(
    intake: Intake, store: Store, now: datetime
) -> None:
    await intake.accept([visit(), visit()], now)
    await intake.accept([visit()], now + timedelta(hours=1))

    assert await channels(store) == ["direct", "direct"]


async def test_what_a_machine_does_is_no_arrival(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit(TELEGRAM, machine=True)], now)

    assert (await rows(store, ArrivalRow), await rows(store, VisitorRow)) == ([], [])


async def test_an_event_sent_again_is_one_arrival(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit(TELEGRAM, id="v-1"), visit(TELEGRAM, id="v-1")], now)

    assert await channels(store) == ["telegram"]


async def test_offline_sources_are_told_outright_and_an_import_run_again_tells_nothing_new(
    intake: Intake, store: Store, now: datetime
) -> None:
    fair = {"arrival": {"channel": "Fair", "placement": "Kazan", "offer": "trial"}}
    item = Incoming.model_validate({"lead": {"email": "ann@example.com"}, "context": fair})
    await intake.accept([item], now)
    await intake.accept([item], now + days(1))

    [row] = await rows(store, ArrivalRow)
    assert (row.channel, row.placement, row.offer, row.event) == ("fair", "Kazan", "trial", None)


@pytest.mark.parametrize(
    ("context", "field"),
    [
        ({"arrival": {"channel": " "}}, "context.arrival.channel"),
        ({"page": {"url": "x" * 2001}}, "context.page.url"),
        ({"pag": {}}, "context.pag"),
    ],
)
def test_a_context_that_cannot_be_used_is_named(context: dict[str, Any], field: str) -> None:
    from nurture.intake import read_incoming

    with pytest.raises(BadInput) as caught:
        read_incoming({"name": "visit", "lead": {"cookie": "c"}, "context": context})
    assert caught.value.field == field


async def test_a_lead_cannot_say_its_own_touches(intake: Intake, now: datetime) -> None:
    said = Incoming(lead={"email": "ann@example.com", "first_touch": {"channel": "vk"}})

    [result] = await intake.accept([said], now)

    assert isinstance(result.error, BadInput)


# --- anonymous, then known ---


async def test_what_an_anonymous_visitor_did_is_the_known_leads(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit(TELEGRAM)], now - days(3))
    await intake.accept([visit(referrer="https://vk.com/", lead={"email": "ann@example.com"})], now - days(1))

    await intake.accept([Incoming(name="asked", lead={"email": "ann@example.com", "cookie": "c-1"})], now)

    assert await touches(store) == ("telegram", "vk")
    [lead_row] = await rows(store, LeadRow)
    [visitor] = await rows(store, VisitorRow)
    assert {row.lead_id for row in await rows(store, ArrivalRow)} == {lead_row.id} == {visitor.lead_id}
    assert (visitor.first_at, visitor.last_at, visitor.sessions) == (now - days(3), now - days(1), 2)


# --- coming back ---


async def test_half_an_hour_of_quiet_ends_a_session(intake: Intake, store: Store, now: datetime) -> None:
    for minutes in (0, 29, 58, 88):
        await intake.accept([visit()], now + timedelta(minutes=minutes))

    [visitor] = await rows(store, VisitorRow)
    assert (visitor.sessions, visitor.last_at) == (2, now + timedelta(minutes=88))


async def test_who_comes_back_after_days_has_returned_once_a_session(
    intake: Intake, store: Store, now: datetime
) -> None:
    await intake.accept([visit()], now)
    await intake.accept([visit()], now + days(2))
    await intake.accept([visit(), visit()], now + days(12))

    returned = [row for row in await rows(store, EventRow) if row.name == "returned"]
    assert [row.properties for row in returned] == [{"days": 10, "sessions": 3}]
    keys = [row.body["keys"] for row in await rows(store, OutboxRow)]
    assert keys.count(["event.returned"]) == 1


async def test_a_visit_told_late_is_no_return(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([visit()], now)
    await intake.accept([visit(at=now - days(40))], now + days(1))

    [visitor] = await rows(store, VisitorRow)
    assert (visitor.first_at, visitor.last_at, visitor.sessions) == (now - days(40), now, 1)
    assert {row.name for row in await rows(store, EventRow)} == {"visit"}


async def test_nobody_else_may_say_that_a_lead_returned(intake: Intake, now: datetime) -> None:
    [result] = await intake.accept([Incoming(name="returned", lead={"cookie": "c-1"})], now)

    assert isinstance(result.error, BadInput)
