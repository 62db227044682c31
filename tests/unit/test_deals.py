"""Orders as they are told of, in whatever order, and what they come to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from nurture.deals import News, Order, summary, told
from nurture.errors import BadInput

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
NEW = Order("o", "ann", "shop", "1", "EUR")


def news(status: str, **more: Any) -> News:
    amount = {"amount": "120.00"} if status in ("placed", "paid") else {}
    return News.model_validate({"number": "1", "source": "shop", "currency": "EUR", "status": status, **amount, **more})


def after(*every: News) -> Order:
    order = NEW
    for one in every:
        order = told(order, one, NOW)
    return order


def test_money_that_came_outweighs_what_was_said_before_it() -> None:
    assert [after(news("placed")).status, after(news("cancelled")).status] == ["placed", "cancelled"]
    assert after(news("cancelled"), news("lost", reason="price"), news("paid")).status == "paid"


@pytest.mark.parametrize("order", list(permutations([news("placed"), news("paid"), news("refunded")])))
def test_statuses_in_any_order_come_to_the_same(order: tuple[News, ...]) -> None:
    found = after(*order)

    assert (found.status, found.counts) == ("refunded", False)
    assert (found.kept, found.amount) == (Decimal(0), Decimal("120.00"))


def test_refunds_in_part_are_summed_until_nothing_is_left() -> None:
    parts = [news("refunded", refund={"id": str(n), "amount": "40.00"}) for n in range(3)]

    some, all_of_it = after(news("paid"), *parts[:2]), after(*parts, news("paid"))

    assert (some.status, some.kept, some.counts) == ("paid", Decimal("40.00"), True)
    assert (all_of_it.status, all_of_it.counts) == ("refunded", False)


def test_what_was_paid_is_not_changed_by_what_was_said_before_it() -> None:
    paid = news("paid", lines=[{"product": "kit"}])
    late = news("placed", amount="999", lines=[{"product": "other"}])

    assert (after(paid, late).amount, after(paid, late).products) == (Decimal("120.00"), ("kit",))


def test_another_currency_is_refused_with_the_remedy() -> None:
    with pytest.raises(BadInput, match="order 1 is in EUR: send EUR, or another number"):
        told(NEW, news("paid", currency="USD"), NOW)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"status": "lost"}, "gives its reason"),
        ({"status": "paid", "amount": None}, "has an amount"),
        ({"status": "paid", "refund": {"id": "1", "amount": "1"}}, "goes with the status refunded"),
        ({"status": "paid", "currency": "EUE"}, "no currency"),
        ({"status": "paid", "amount": "1e3"}, "amount"),
        ({"status": "paid", "amount": "-1"}, "amount"),
    ],
)
def test_what_makes_no_order_is_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        news(**given)


def test_an_amount_that_comes_as_a_number_is_the_decimal_it_was_written_as() -> None:
    assert [news("paid", amount=one).amount for one in (0.1, 120, "120.10")] == ["0.1", "120", "120.10"]


def test_a_summary_adds_to_the_cent_what_counts() -> None:
    dimes = [told(Order(f"o{n}", "ann", "shop", f"{n}", "EUR"), news("paid", amount="0.10"), NOW) for n in range(3)]
    late = told(
        Order("d", "ann", "shop", "d", "USD"), news("paid", currency="USD", amount="5"), NOW + timedelta(days=2)
    )
    gone = told(told(NEW, news("paid"), NOW), news("refunded"), NOW)

    found = summary([late, *dimes, gone])

    assert (found["count"], found["total"]) == (4, {"EUR": 0.3, "USD": 5.0})
    assert (found["first"], found["last"], found["last_id"]) == ("2026-11-23", "2026-11-25", "d")
    assert summary([gone]) == {}
