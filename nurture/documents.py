"""Documents as code: proposals and invoices, made for one lead from a template and blocks of data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from nurture.deals import Currency
from nurture.durations import Length
from nurture.errors import BadInput
from nurture.lead import ProfileField
from nurture.steps import as_path
from nurture.texts import Text, in_language
from nurture.values import Plain

HUNDRED = Decimal(100)
FOLDER = "documents"


def _decimal_or_path(value: object) -> object:
    if isinstance(value, ProfileField):
        return as_path(value)
    return str(value) if isinstance(value, float) else value


Figure: TypeAlias = Annotated[
    Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18)] | tuple[str, ...], BeforeValidator(_decimal_or_path)
]
"""A number, or the field of the lead that holds it."""
Rate: TypeAlias = Annotated[
    Decimal, Field(ge=0, lt=100), BeforeValidator(lambda value: str(value) if isinstance(value, float) else value)
]


class Line(BaseModel):
    """One line of a document: so many of something, each at a price, with a tax in percent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text
    price: Figure
    quantity: Figure = Decimal(1)
    unit: Text = ""
    tax: Rate = Decimal(0)


def line(title: Text, price: Any, *, quantity: Any = 1, unit: Text = "", tax: Any = 0) -> Line:
    """A line: `line("Seats", price=40, quantity=lead.custom("seats"), unit="a month", tax=19)`."""
    return Line(title=title, price=price, quantity=quantity, unit=unit, tax=tax)


class Document(BaseModel):
    """A kind of document: its template is `documents/<key>`, its lines are these, or those of the lead's latest order.

    Its number is the next one of its own, as `numbers` writes it; a link to it is good for `valid`. `data` are more blocks
    for the template. Prices are without tax unless it is `tax_included`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: Text
    currency: Currency
    lines: tuple[Line, ...] = ()
    of_order: bool = False
    tax: Rate = Decimal(0)
    tax_included: bool = False
    numbers: str = "{year}-{n:04}"
    valid: Length = timedelta(days=30)
    data: dict[str, Plain] = Field(default_factory=dict)

    @property
    def template(self) -> str:
        """The key of its template."""
        return f"{FOLDER}/{self.key}"

    @field_validator("numbers")
    @classmethod
    def _countable(cls, numbers: str) -> str:
        try:
            if numbers.format(year=2026, n=1) == numbers.format(year=2026, n=2):
                raise ValueError("all alike")
        except (ValueError, LookupError, AttributeError):
            raise ValueError('give a pattern with {n} in it, such as "{year}-{n:04}"') from None
        return numbers

    def series(self, year: int) -> str:
        """What its numbers are counted in: they begin anew with a year that stands in them."""
        return f"{self.key}/{year}" if "{year" in self.numbers else self.key

    def number(self, year: int, n: int) -> str:
        """The n-th number of a year."""
        return self.numbers.format(year=year, n=n)


@dataclass(frozen=True)
class Row:
    """A line with its sum, ready to be shown."""

    title: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    tax: Decimal
    sum: Decimal


@dataclass(frozen=True)
class Tax:
    """What a rate comes to over all its lines."""

    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Totals:
    """What the lines come to: without tax, each tax, and all in all."""

    net: Decimal
    taxes: tuple[Tax, ...]
    total: Decimal


def rows_of(lines: Iterable[Line], profile: Mapping[str, Any], language: str, digits: int) -> list[Row]:
    """The lines for one lead, each sum rounded to so many digits; BadInput names a field that it has no number in."""
    found = []
    for one in lines:
        price, quantity = _figure(one.price, profile), _figure(one.quantity, profile)
        title, unit = in_language(one.title, language), in_language(one.unit, language)
        found.append(Row(title, quantity, unit, price, one.tax, rounded(price * quantity, digits)))
    return found


def totals_of(rows: Iterable[Row], digits: int, *, tax_included: bool) -> Totals:
    """The sums over the rows: each tax is counted once over all that it is on, so that no cent is lost between lines."""
    bases: dict[Decimal, Decimal] = {}
    for row in rows:
        bases[row.tax] = bases.get(row.tax, Decimal(0)) + row.sum
    taxes = []
    for rate, base in sorted(bases.items()):
        over = HUNDRED + rate if tax_included else HUNDRED
        amount = rounded(base * rate / over, digits)
        taxes.append(Tax(rate, base - amount if tax_included else base, amount))
    net = sum((one.base for one in taxes), Decimal(0))
    total = net + sum((one.amount for one in taxes), Decimal(0))
    return Totals(net, tuple(one for one in taxes if one.rate), total)


def rounded(amount: Decimal, digits: int) -> Decimal:
    """The amount to so many digits, a half away from nought."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _figure(figure: Decimal | tuple[str, ...], profile: Mapping[str, Any]) -> Decimal:
    if isinstance(figure, Decimal):
        return figure
    value: Any = profile
    for name in figure:
        value = value.get(name) if isinstance(value, Mapping) else None
    try:
        if isinstance(value, bool) or not (number := Decimal(str(value))).is_finite() or abs(number.adjusted()) > 12:
            raise ValueError("no number")
    except (ArithmeticError, ValueError):
        raise BadInput(f"lead.{'.'.join(figure)} holds no number, and a line of the document goes by it") from None
    return number
