"""Hooks and sources: how the payload of another system reads as an event."""

from typing import Any

import pytest

from nurture import Source
from nurture.errors import BadInput

SHOP = Source(
    key="shop",
    events={"order.paid": "order_paid"},
    type_at="kind",
    lead={"email": "data.customer.email", "external_id": "data.customer.id"},
    properties={"amount": "data.total", "coupon": "data.coupon"},
    time_at="sent.at",
)
PAID: dict[str, Any] = {
    "kind": "order.paid",
    "data": {"customer": {"email": "ann@example.org", "id": 0}, "total": 0},
    "sent": {"at": "2026-01-05T10:00:00Z"},
}


def test_a_payload_reads_as_an_event_without_what_it_does_not_say() -> None:
    assert SHOP.mapped(PAID) == {
        "name": "order_paid",
        "lead": {"email": "ann@example.org", "external_id": 0},
        "properties": {"amount": 0},
        "at": "2026-01-05T10:00:00Z",
    }


def test_a_payload_of_another_type_is_none_of_ours() -> None:
    assert SHOP.mapped(PAID | {"kind": "order.sent"}) is None


@pytest.mark.parametrize("kind", [None, 7, ["order.paid"]])
def test_a_payload_without_a_type_is_refused_with_the_place(kind: Any) -> None:
    with pytest.raises(BadInput, match="source shop: the payload has no text at kind") as refused:
        SHOP.mapped(PAID | {"kind": kind})
    assert refused.value.field == "kind"


@pytest.mark.parametrize("data", [None, [], "x", {}, {"customer": None}, {"customer": {"email": None}}])
def test_a_payload_that_names_no_lead_is_refused_with_where_it_was_looked_for(data: Any) -> None:
    with pytest.raises(BadInput, match=r"names no lead \(looked at data\.customer\.email, data\.customer\.id\)"):
        SHOP.mapped(PAID | {"data": data})


def test_without_a_place_for_the_time_it_happens_when_it_arrives() -> None:
    timeless = SHOP.model_copy(update={"time_at": None})

    assert [one["at"] for one in (timeless.mapped(PAID), SHOP.mapped(PAID | {"sent": None})) if one] == [None, None]


TILL = Source(
    key="till",
    type_at="kind",
    lead={"email": "who"},
    orders={"paid": "paid", "back": "refunded"},
    order={"number": "no", "amount": "sum", "currency": "in", "refund_id": "slip", "refund_amount": "back"},
    lines_at="goods",
    line={"product": "sku", "quantity": "n"},
    time_at="at",
)


def test_a_payload_of_an_order_reads_as_news_of_it() -> None:
    paid = {
        "kind": "paid",
        "no": 7,
        "sum": 5,
        "in": "EUR",
        "goods": [{"sku": "kit", "n": 2}, {"sku": "pen"}],
        "at": "then",
    }

    assert TILL.ordered(paid) == {
        "news": {
            "number": "7", "source": "till", "status": "paid", "amount": 5, "currency": "EUR",
            "lines": [{"product": "kit", "quantity": 2}, {"product": "pen"}],
        },
        "lead": {},
        "at": "then",
    }  # fmt: skip


@pytest.mark.parametrize(("told", "refund"), [({}, None), ({"back": 2, "slip": 3}, {"id": "3", "amount": 2})])
def test_what_is_given_back_is_the_whole_order_unless_it_says_how_much(told: dict[str, Any], refund: Any) -> None:
    ordered = TILL.ordered({"kind": "back", "no": "7", "in": "EUR", **told})

    assert ordered is not None
    assert ordered["news"].get("refund") == refund


def test_a_payload_of_something_else_is_no_news_of_an_order() -> None:
    assert TILL.ordered({"kind": "other"}) is None
