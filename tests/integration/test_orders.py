"""Orders, on each database in turn: told of in any order and again, they mean what they mean once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel, select

from nurture import Campaign, Source, State, clicked, days, done, lead, leave, on, send, thank, wait, wait_for, when
from nurture.catalogue import Catalogue
from nurture.deals import News
from nurture.intake import Intake, Internal
from nurture.intake.incoming import stable_id
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.models import EventRow, JourneyRow, LeadRow, MoveRow, RefusalRow
from nurture.store.order_tables import OrderLineRow, OrderRow
from nurture.store.stage_tables import StageChangeRow
from tests.integration.life import Life
from tests.integration.test_web_hooks import signed
from tests.integration.walking import Killed, Way, kill
from web.app import compose

ANN = {"email": "ann@example.com"}
PAID: dict[str, Any] = {
    "number": "4711", "source": "shop", "status": "paid", "lead": ANN, "amount": "120.00", "currency": "EUR",
    "lines": [{"product": "kit", "quantity": 2, "amount": "100.00"}, {"product": "stand"}],
}  # fmt: skip


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


async def names(store: Store) -> list[str]:
    return [row.name for row in sorted(await rows(store, EventRow), key=lambda row: row.received)]


async def the_lead(store: Store) -> LeadRow:
    (row,) = await rows(store, LeadRow)
    assert isinstance(row, LeadRow)
    return row


async def post(client: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await client.post("/v1/orders", json={**PAID, **given})


# --- what is taken in ---


async def test_a_status_told_again_has_no_second_effect(client: httpx.AsyncClient, store: Store) -> None:
    first, again = await post(client), await post(client)

    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert await names(store) == ["order_paid", "stage_changed"]
    assert [line.product for line in await rows(store, OrderLineRow)] == ["kit", "stand"]


async def test_a_first_order_makes_a_customer_and_another_a_regular_one(
    client: httpx.AsyncClient, store: Store
) -> None:
    await post(client)
    first = await the_lead(store)
    await post(client, number="4712", amount="30.50", lines=[{"product": "refill"}])
    second = await the_lead(store)

    assert (first.stage, first.profile["customer"]) == ("buy", True)
    assert second.stage == "repeat"
    assert second.profile["orders"]["count"] == 2
    assert second.profile["orders"]["total"] == {"EUR": 150.5}
    assert second.profile["orders"]["products"] == ["kit", "refill", "stand"]
    changes = [(row.from_stage, row.to_stage, row.reason) for row in await rows(store, StageChangeRow)]
    assert changes == [("need", "buy", "order 4711 was paid"), ("buy", "repeat", "order 4712 was paid")]
    assert [row.properties.get("first") for row in await rows(store, EventRow) if row.name == "order_paid"] == [
        True,
        False,
    ]


async def test_a_refund_before_its_payment_makes_no_customer(client: httpx.AsyncClient, store: Store) -> None:
    await post(client, status="refunded", amount=None, lines=[])
    await post(client)

    lead_row = await the_lead(store)
    assert (lead_row.stage, lead_row.profile.get("customer"), lead_row.profile.get("orders")) == ("need", None, None)
    assert [row.status for row in await rows(store, OrderRow)] == ["refunded"]


async def test_partial_refunds_are_summed_and_told_once_each(client: httpx.AsyncClient, store: Store) -> None:
    await post(client)
    for refund in ("r1", "r2", "r1"):
        await post(client, status="refunded", lead={}, refund={"id": refund, "amount": "20.00"}, lines=[], amount=None)

    shown = (await client.get("/v1/orders/shop/4711")).json()
    assert (shown["status"], shown["amount"], shown["refunded"]) == ("paid", "120.00", "40.00")
    assert (await the_lead(store)).profile["orders"]["total"] == {"EUR": 80.0}
    assert [row.properties["whole"] for row in await rows(store, EventRow) if row.name == "order_refunded"] == [
        False
    ] * 2


async def test_another_currency_another_lead_and_nobody_are_refused_each_for_itself(
    client: httpx.AsyncClient, store: Store
) -> None:
    await client.post("/v1/leads", json={"lead": {"email": "bob@example.com"}})
    answer = await client.post(
        "/v1/orders",
        json=[
            PAID,
            {**PAID, "status": "cancelled", "currency": "USD"},
            {**PAID, "status": "cancelled", "lead": {"email": "bob@example.com"}},
            {**PAID, "number": "9", "lead": {}},
            {**PAID, "number": "10", "status": "bought"},
            {**PAID, "number": "11", "status": "lost", "reason": "the price"},
        ],
    )

    results = answer.json()["results"]
    assert [one["status"] for one in results] == [202, 422, 422, 422, 422, 202]
    assert results[1]["detail"] == "currency: order 4711 is in EUR: send EUR, or another number"
    assert "belongs to another lead" in results[2]["detail"]
    assert "order 9 of shop is not known yet" in results[3]["detail"]
    assert results[4]["field"] == "status"
    assert {row.number: row.status for row in await rows(store, OrderRow)} == {"4711": "paid", "11": "lost"}


async def test_an_order_of_somebody_unknown_makes_a_lead(client: httpx.AsyncClient, store: Store) -> None:
    await post(client, lead={"external_id": "shop-17", "first_name": "Bo"})

    assert (await the_lead(store)).profile["first_name"] == "Bo"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*PAID, "refund", "reason", "at"]),
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.lists(st.text())
        | st.dictionaries(st.text(), st.integers()),
    )
)  # fmt: skip
async def test_no_junk_harms_an_order_beside_it(client: httpx.AsyncClient, junk: dict[str, Any]) -> None:
    answer = await client.post("/v1/orders", json=[{**PAID, **junk}, PAID])

    assert answer.status_code == 207
    assert answer.json()["results"][1]["status"] == 202


async def test_told_of_by_many_at_once_it_is_paid_once(database_url: str, store: Store, now: datetime) -> None:
    """Two processes, each with many callers."""
    stores = [store, Store(database_url)]
    intakes = [Intake(one, Catalogue(), Settings(_env_file=None)) for one in stores]
    paid = {name: value for name, value in PAID.items() if name != "lead"}
    items = [
        Internal(id=stable_id("order", "shop", "4711", status), name=f"order_{status}", lead=ANN,
                 order=News.model_validate({**paid, "status": status}))
        for status in ("placed", "paid", "paid", "cancelled")
    ]  # fmt: skip

    await asyncio.gather(*(intake.accept([item], now) for _ in range(5) for intake in intakes for item in items))
    for intake in intakes:
        await intake.close()
    await stores[1].close()

    assert sorted(await names(store)) == ["order_cancelled", "order_paid", "order_placed", "stage_changed"]
    assert [row.status for row in await rows(store, OrderRow)] == ["paid"]


# --- by webhook ---


SHOP = Source(
    key="shop",
    type_at="type",
    lead={"email": "data.customer.email"},
    orders={"order.paid": "paid", "order.refunded": "refunded"},
    order={"number": "data.id", "amount": "data.total", "currency": "data.currency", "refund_amount": "data.refund"},
    lines_at="data.items",
    line={"product": "sku", "quantity": "qty"},
    time_at="at",
)


@pytest.fixture
async def shop(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The edge with a shop whose orders come by webhook."""
    here = client._transport.app.state.nurture.settings  # type: ignore[attr-defined]
    app = compose(here, Catalogue(sources={"shop": SHOP}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://nurture") as one,
    ):
        yield one


async def test_a_shop_tells_of_its_orders_by_webhooks(shop: httpx.AsyncClient, store: Store) -> None:
    about = {
        "id": 7,
        "total": 19.9,
        "currency": "EUR",
        "customer": ANN,
        "items": [{"sku": "kit", "qty": 3}, {"sku": "pen"}],
    }
    paid = json.dumps({"type": "order.paid", "at": "2026-11-23T10:00:00Z", "data": about})
    refund = json.dumps({"type": "order.refunded", "data": {"id": 7, "currency": "EUR", "refund": 5}})
    for name, body in (("a", paid), ("b", refund), ("b", refund)):
        answer = await shop.post("/hooks/in/shop", content=body, headers=signed(body, name=name))
        assert answer.status_code == 202, answer.text

    (order,) = await rows(store, OrderRow)
    assert (order.number, order.amount, order.refunded, order.status) == ("7", "19.9", "5", "paid")
    assert [(one.product, one.quantity) for one in await rows(store, OrderLineRow)] == [("kit", 3), ("pen", 1)]
    assert sorted(await names(store)) == ["order_paid", "order_refunded", "stage_changed"]


# --- what it means for journeys ---


def course(key: str, **settings: Any) -> Campaign:
    state = State("first", [send("test/one"), wait_for(clicked("test/one"), up_to=days(30)), wait(days(30))])
    return Campaign(key, enters=[on("asked")], states=[state], presale=True, **settings)


THANKS = [
    Campaign(key, enters=[when(lead.customer)], states=[State("thank", [thank("test/one"), wait(days(1)), done])])
    for key in ("thanks", "thanks-too")
]


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        yield life


async def endings(life: Life) -> dict[str, str | None]:
    return {row.campaign: row.ending for row in await rows(life.store, JourneyRow)}


async def test_a_purchase_ends_what_leads_up_to_it_in_the_middle_of_a_wait(life: Life) -> None:
    bound = Campaign(
        "bound", enters=[on("asked")], goal=on("order_paid"), always=[on("order_paid", to="after")], presale=True,
        states=[State("first", [wait(days(30)), leave("no")]), State("after", [wait(days(3)), send("test/one"), done])],
    )  # fmt: skip
    after_sale = Campaign("care", enters=[on("asked")], states=[State("first", [wait(days(30))])])
    await life.publish(course("course"), course("goal", goal=on("order_paid")), bound, after_sale)
    await life.lead()
    await life.happens("asked")
    await life.passes(days=2)

    await life.orders("paid")

    assert await endings(life) == {
        "course": "left: became a customer", "goal": "goal reached", "bound": None, "care": None,
    }  # fmt: skip
    await life.passes(days=4)
    assert (await endings(life))["bound"] == "done"


async def test_a_customer_enters_nothing_that_leads_up_to_a_purchase(life: Life) -> None:
    await life.publish(course("course"))
    await life.lead()
    await life.orders("paid")
    await life.orders("refunded")

    await life.happens("asked")

    assert await endings(life) == {}
    assert [row.reason for row in await rows(life.store, RefusalRow)] == ["it is a customer already"]


async def test_bought_at_the_very_moment_of_entry_nobody_is_led_up_to_it(life: Life, database_url: str) -> None:
    """Another process takes the orders, while this one takes what enters."""
    await life.publish(course("course"))
    buyers = [f"b{n}@example.com" for n in range(8)]
    for one in buyers:
        await life.lead(one)
    other = Store(database_url)
    shop = Intake(other, Catalogue(), life.settings)
    asked = [Internal(name="asked", lead={"email": one}) for one in buyers]
    paid = [
        Internal(id=one, name="order_paid", lead={"email": one},
                 order=News(number=one, status="paid", amount="1", currency="EUR"))
        for one in buyers
    ]  # fmt: skip

    calls = [work for pair in zip(asked, paid, strict=True) for work in pair]
    entries = [(life.intake if item.order is None else shop).accept([item], life.now) for item in calls]
    await asyncio.gather(*entries[:8], life.settle(), *entries[8:], life.settle())
    await life.settle()
    await shop.close()
    await other.close()

    assert {row.ending for row in await rows(life.store, JourneyRow)} <= {"left: became a customer"}


async def test_a_first_purchase_is_thanked_once_whatever_happens(life: Life) -> None:
    """Told twice, in two campaigns, refunded and paid again by another order."""
    await life.publish(*THANKS)
    await life.lead()

    for _ in range(2):
        await life.orders("paid")
    await life.orders("refunded")
    await life.orders("paid", number="2")
    await life.passes(days=3)

    assert len(life.postbox.mails) == 1
    notes = [row.reply["note"] for row in await rows(life.store, MoveRow) if row.words == "thank with test/one"]
    assert sorted(notes) == ["", "it was thanked for this order already"]


POINTS = [f"{when} commit {n}" for n in (1, 2, 3, 4) for when in ("before", "after")]


@pytest.mark.parametrize("point", POINTS)
async def test_whoever_dies_while_thanking_has_thanked_once(way: Way, point: str) -> None:
    """The first of two journeys is killed at that commit and tries again; the other comes in between."""
    campaign = Campaign(
        "thanks", enters=[when(lead.customer)], states=[State("thank", [thank("test/one"), wait(days(1))])]
    )
    again = Campaign("again", enters=[when(lead.customer)], states=[State("thank", [thank("test/one"), wait(days(1))])])
    first = await way.begin(campaign)
    second = await way.begin(again)
    order = OrderRow(lead_id=first.order.lead_id, source="shop", number="1", currency="EUR", status="paid",
                     created_at=way.now, updated_at=way.now)  # fmt: skip
    async with way.store.write() as session:
        session.add(order)
        row = await session.get_one(LeadRow, first.order.lead_id)
        row.profile = {**row.profile, "customer": True, "orders": {"count": 1, "last_id": order.id}}
        session.add(row)
        theirs = await session.get_one(JourneyRow, second.order.journey_id)
        theirs.lead_id = row.id
        session.add(theirs)
    second.order = second.order.model_copy(update={"lead_id": first.order.lead_id})

    way.store.deeds[point] = kill
    with suppress(Killed):
        await first.walk()
    await second.until_it_rests()
    await first.until_it_rests()

    assert len(way.post.taken) == 1
