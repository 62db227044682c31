"""RFM: how recently, how often and for how much customers buy, each on a scale from 1 to 5 among all of them."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Buying(NamedTuple):
    """How a customer bought up to now: the day of its last order, how many there were, and what they came to."""

    last: date
    orders: int
    money: float


class Bounds(NamedTuple):
    """Where the steps of each scale begin, four thresholds each, ascending; recency is minus the days since the last order."""

    recency: Sequence[float]
    frequency: Sequence[float]
    money: Sequence[float]


class Rfm(NamedTuple):
    """The three figures, 5 is best."""

    recency: int
    frequency: int
    money: int


def bounds_of(customers: Iterable[Buying], today: date) -> Bounds:
    """The quintiles of all customers."""
    every = list(customers)
    return Bounds(
        quintiles([(one.last - today).days for one in every]),
        quintiles([one.orders for one in every]),
        quintiles([one.money for one in every]),
    )


def quintiles(values: Sequence[float]) -> tuple[float, ...]:
    """The four values that part the others into fifths; those that are equal stay together."""
    ordered = sorted(values)
    return tuple(ordered[len(ordered) * fifth // 5] for fifth in range(1, 5)) if ordered else ()


def rated(one: Buying, bounds: Bounds, today: date) -> Rfm:
    """The customer's figures by those bounds."""
    return Rfm(
        1 + bisect_right(bounds.recency, (one.last - today).days),
        1 + bisect_right(bounds.frequency, one.orders),
        1 + bisect_right(bounds.money, one.money),
    )


def buying_of(summary: Mapping[str, object], currency: str) -> Buying | None:
    """How a lead buys by the summary of its orders, its money in that currency; None when it does not."""
    last, count, total = summary.get("last"), summary.get("count"), summary.get("total")
    if not isinstance(last, str) or not isinstance(count, int) or not isinstance(total, Mapping):
        return None
    money = total.get(currency, 0.0)
    return Buying(date.fromisoformat(last), count, float(money) if isinstance(money, int | float) else 0.0)
