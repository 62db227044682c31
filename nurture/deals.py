"""Deals: an order as it is told of, status by status and in any order, and what a lead's orders come to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nurture.errors import BadInput

Status: TypeAlias = Literal["placed", "paid", "refunded", "cancelled", "lost"]

CURRENCIES = frozenset({
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLF", "CLP", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK",
    "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC",
    "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
})  # fmt: skip
"""The currencies of ISO 4217 that things are sold in."""


def _as_text(value: object) -> object:
    """An amount that came as a JSON number as the decimal it was written as."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format(Decimal(repr(value)), "f")
    return value


def _currency(value: object) -> object:
    if isinstance(value, str) and value.upper() in CURRENCIES:
        return value.upper()
    raise ValueError("is no currency: write its three letters (ISO 4217), such as EUR")


Amount: TypeAlias = Annotated[str, Field(pattern=r"^\d{1,12}(\.\d{1,4})?$"), BeforeValidator(_as_text)]
Currency: TypeAlias = Annotated[str, BeforeValidator(_currency)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+( [!-~]+)*$")]


class Line(BaseModel):
    """So many of a product, by its key, and what they come to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: Name
    quantity: int = Field(default=1, ge=1, le=1_000_000)
    amount: Amount | None = None


class Refund(BaseModel):
    """A part of an order's amount given back; its own `id` tells it from the order's other refunds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    amount: Amount


class News(BaseModel):
    """What is told of an order: a status it came to. A refund without a part of its own is that of the whole order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Name
    source: Name = "api"
    status: Status
    amount: Amount | None = None
    currency: Currency
    lines: tuple[Line, ...] = Field(default=(), max_length=500)
    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")
    refund: Refund | None = None

    @model_validator(mode="after")
    def _whole(self) -> "News":
        if self.refund is not None and self.status != "refunded":
            raise ValueError("a refund goes with the status refunded")
        if self.status == "lost" and not self.reason.strip():
            raise ValueError("an order that is lost gives its reason: it is what one learns from")
        if self.amount is None and self.status in ("placed", "paid"):
            raise ValueError('an order that is placed or paid has an amount, such as "120.00"')
        return self

    @property
    def told_once(self) -> tuple[str, ...]:
        """What names this status of this order, so that the same news has no second effect."""
        return ("order", self.source, self.number, self.status, *((self.refund.id,) if self.refund else ()))


@dataclass(frozen=True)
class Order:
    """An order as far as it is told of; a time says when a status was reached."""

    id: str
    lead_id: str
    source: str
    number: str
    currency: str
    amount: Decimal | None = None
    refunded: Decimal = Decimal(0)
    whole_refund: bool = False
    reason: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    lost_at: datetime | None = None
    products: tuple[str, ...] = ()

    @property
    def given_back(self) -> bool:
        """Whether all of it was refunded."""
        return self.whole_refund or (self.amount is not None and 0 < self.amount <= self.refunded)

    @property
    def counts(self) -> bool:
        """Whether it was paid and not wholly given back."""
        return self.paid_at is not None and not self.given_back

    @property
    def kept(self) -> Decimal:
        """What is left of its amount after refunds."""
        return Decimal(0) if self.given_back or self.amount is None else self.amount - self.refunded

    @property
    def status(self) -> Status:
        """Where it stands, whatever was told last: money that came outweighs what was said before it."""
        if self.given_back:
            return "refunded"
        if self.paid_at is not None:
            return "paid"
        if self.cancelled_at is not None:
            return "cancelled"
        return "lost" if self.lost_at is not None else "placed"


def takes_lines(order: Order, news: News) -> bool:
    """Whether the lines of the news are those of the order now: what was paid is not changed by what was said before."""
    return bool(news.lines) and (order.paid_at is None or news.status == "paid" or not order.products)


def told(order: Order, news: News, at: datetime) -> Order:
    """The order after the news; raises `BadInput` when it is told of in another currency."""
    if news.currency != order.currency:
        raise BadInput(
            f"currency: order {order.number} is in {order.currency}: send {order.currency}, or another number",
            field="currency",
        )
    if news.amount is not None and (order.paid_at is None or news.status == "paid"):
        order = replace(order, amount=Decimal(news.amount))
    if takes_lines(order, news):
        order = replace(order, products=tuple(dict.fromkeys(line.product for line in news.lines)))
    if news.reason:
        order = replace(order, reason=news.reason)
    match news.status:
        case "placed":
            return replace(order, placed_at=at)
        case "paid":
            return replace(order, paid_at=at)
        case "cancelled":
            return replace(order, cancelled_at=at)
        case "lost":
            return replace(order, lost_at=at)
        case "refunded" if news.refund is None:
            return replace(order, whole_refund=True)
        case "refunded":
            return replace(order, refunded=order.refunded + Decimal(news.refund.amount))


def summary(orders: Iterable[Order]) -> dict[str, Any]:
    """What conditions look at: of the orders that count their number, totals by currency, first and last day, products."""
    paid = sorted((one for one in orders if one.counts), key=lambda one: (one.paid_at, one.id))
    if not paid:
        return {}
    totals: dict[str, Decimal] = {}
    for one in paid:
        totals[one.currency] = totals.get(one.currency, Decimal(0)) + one.kept
    return {
        "count": len(paid),
        "total": {currency: float(total) for currency, total in sorted(totals.items())},
        "first": f"{paid[0].paid_at:%Y-%m-%d}",
        "last": f"{paid[-1].paid_at:%Y-%m-%d}",
        "last_id": paid[-1].id,
        "products": sorted({product for one in paid for product in one.products}),
    }


NO_ORDERS: dict[str, Any] = {"count": 0, "total": {}, "products": []}
"""The summary of a lead without orders, as conditions see it."""
