"""RFM: customers rated among all of them."""

from datetime import date, timedelta

from nurture.rfm import Buying, Rfm, bounds_of, buying_of, quintiles, rated

TODAY = date(2026, 11, 23)


def customer(ago: int, orders: int, money: float) -> Buying:
    return Buying(TODAY - timedelta(days=ago), orders, money)


FIVE = [customer(10 * n, 6 - n, 100.0 * (6 - n)) for n in range(1, 6)]


def test_of_five_different_customers_each_has_a_place_of_its_own() -> None:
    bounds = bounds_of(FIVE, TODAY)

    assert [rated(one, bounds, TODAY) for one in FIVE] == [Rfm(n, n, n) for n in range(5, 0, -1)]


def test_equal_customers_are_rated_alike() -> None:
    alike = [customer(3, 1, 10.0)] * 7
    bounds = bounds_of(alike, TODAY)

    assert {rated(one, bounds, TODAY) for one in alike} == {Rfm(5, 5, 5)}


def test_a_customer_outside_of_all_bounds_is_at_an_end() -> None:
    bounds = bounds_of(FIVE, TODAY)

    assert rated(customer(0, 99, 1e6), bounds, TODAY) == Rfm(5, 5, 5)
    assert rated(customer(999, 0, 0.0), bounds, TODAY) == Rfm(1, 1, 1)


def test_of_nobody_there_are_no_bounds() -> None:
    assert quintiles([]) == ()


def test_how_a_lead_buys_is_read_from_the_summary_of_its_orders() -> None:
    summary = {"count": 2, "last": "2026-11-20", "total": {"EUR": 30.0}}

    assert buying_of(summary, "EUR") == Buying(date(2026, 11, 20), 2, 30.0)
    assert buying_of(summary, "USD") == Buying(date(2026, 11, 20), 2, 0.0)
    assert buying_of({}, "EUR") is None
