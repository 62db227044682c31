"""What templates write values with: money, numbers, days and hours, as is usual in the language of the message."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent, is_currency
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from nurture.errors import BadInput

DateFormat = Literal["full", "long", "medium", "short"]
Given = TypeVar("Given")
COUNTS = range(200)  # every form that a language has for whole numbers comes up among these
NEAREST = ("other", "few", "many")  # which form is taken for one that whole numbers of the language never ask for


class TemplateFault(BadInput):
    """A template that cannot be used: the text holds its file and line, and nothing of what it was given."""


def _unless_missing(written: Callable[..., str]) -> Callable[..., str]:
    """The filter, which writes nothing where a lead has no value, and refuses a name that nobody provides."""

    @pass_context
    def filtered(context: Context, value: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(value, Undefined):
            str(value)  # raises, as it would without a filter
        return "" if value is None or value == "" else written(context, value, *args, **kwargs)

    return filtered


@_unless_missing
def _date(context: Context, value: Any, format: DateFormat = "long") -> str:  # noqa: A002  # reads well in a template
    return format_date(_day(context, value), format, locale=_locale(context))


@_unless_missing
def _time(context: Context, value: Any, format: DateFormat = "short") -> str:  # noqa: A002
    moment = _moment(context, value)
    return format_time(moment, format, tzinfo=moment.tzinfo, locale=_locale(context))


@_unless_missing
def _datetime(context: Context, value: Any, format: DateFormat = "long") -> str:  # noqa: A002
    moment, locale = _moment(context, value), _locale(context)
    if format in ("long", "full"):  # babel would add seconds and the zone
        join = locale.datetime_formats[format]
        day = format_date(moment, format, locale=locale)
        return str(join).replace("'", "").format(format_time(moment, "short", tzinfo=moment.tzinfo, locale=locale), day)
    return format_datetime(moment, format, tzinfo=moment.tzinfo, locale=locale)


@_unless_missing
def _number(context: Context, value: Any) -> str:
    return format_decimal(_decimal(value), locale=_locale(context))


@_unless_missing
def _percent(context: Context, value: Any) -> str:
    return format_percent(_decimal(value), locale=_locale(context), decimal_quantization=False)


@_unless_missing
def _money(context: Context, value: Any, currency: str, *, whole: bool = False) -> str:
    if not is_currency(str(currency)):
        raise TemplateFault("money takes a currency of three letters (ISO 4217), such as EUR")
    amount, locale = _decimal(value), _locale(context)
    if not whole:
        return format_currency(amount, currency, locale=locale)
    pattern = str(locale.currency_formats["standard"].pattern).replace(".00", "")
    return format_currency(round(amount), currency, pattern, locale=locale, currency_digits=False)


@_unless_missing
def _plural(context: Context, value: Any, **forms: str) -> str:
    language = str(context["language"])
    if lacking := missing_forms(language, forms):
        raise TemplateFault(f"plural lacks {', '.join(f'{one}=' for one in lacking)}, which {language} has")
    number, locale = _decimal(value), _locale(context)
    form = locale.plural_form(abs(number))
    words = forms.get(form) or next(forms[one] for one in NEAREST if one in forms)
    return words.replace("{n}", format_decimal(number, locale=locale))


FILTERS: Mapping[str, Callable[..., str]] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "number": _number,
    "percent": _percent,
    "money": _money,
    "plural": _plural,
}


def missing_forms(language: str, given: Mapping[str, object]) -> list[str]:
    """The forms that whole numbers take in that language, as CLDR names them, and that are not given."""
    return [one for one in _forms(language) if one not in given]


@lru_cache(maxsize=100)
def _forms(language: str) -> tuple[str, ...]:
    form = locale_of(language).plural_form
    return tuple(dict.fromkeys(form(number) for number in COUNTS))


@lru_cache(maxsize=100)
def locale_of(language: str) -> Locale:
    """How that language writes; one that is not known is written as English."""
    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _locale(context: Context) -> Locale:
    return locale_of(str(context["language"]))


def _decimal(value: Any) -> Decimal:
    try:
        if isinstance(value, bool):
            raise TypeError("no number")
        number = Decimal(str(value))
    except (InvalidOperation, TypeError):
        raise TemplateFault("this is no number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise TemplateFault("this is no number that anybody would write")
    return number


def _day(context: Context, value: Any) -> date:
    """The day it is in the reader's zone; a day on its own is the same everywhere."""
    if isinstance(value, str) and len(value) == len("2026-01-31"):
        value = _read(date.fromisoformat, value)
    return _moment(context, value).date() if isinstance(value, str | datetime) else _is_day(value)


def _is_day(value: Any) -> date:
    if not isinstance(value, date):
        raise TemplateFault("this is no date: write it as 2026-01-31")
    return value


def _moment(context: Context, value: Any) -> datetime:
    """The moment on the reader's clock; one without a zone is meant so already."""
    moment = _read(datetime.fromisoformat, value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TemplateFault("this has no time of day: write it as 2026-01-31T10:00+01:00")
    zone: tzinfo = ZoneInfo(context["zone"]) if "zone" in context else moment.tzinfo or UTC
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _read(written_as: Callable[[str], Given], value: str) -> Given:
    try:
        return written_as(value)
    except ValueError:
        raise TemplateFault("this is no date: write it as 2026-01-31, or 2026-01-31T10:00+01:00") from None
