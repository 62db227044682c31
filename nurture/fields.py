"""The fields of a lead's profile: what each may hold, checked, normalised and bounded in size."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import phonenumbers

from nurture.calendar import resolve_zone
from nurture.errors import BadInput
from nurture.identity import LONGEST_ADDRESS, SYSTEMS, email_address, phone_number
from nurture.values import in_text, same

Value: TypeAlias = str | int | float | bool | list[str | int | float | bool] | None

GROUPS = ("company", "bant", "dates", "custom")
OPEN_GROUPS = ("dates", "custom")
"""Groups whose fields are named by the team."""
LISTS = ("tags", "audiences")
DERIVED = frozenset({"orders", "customer", "rfm", "needs"})
"""What stands in a profile by what a lead did, and is never said of it."""

BANT = ("budget", "authority", "need", "timing")
IDENTITIES = ("id", "external_id", *SYSTEMS, "cookie", "test", "stage")
"""What else may stand beside the profile in `lead`; `email` and `phone` are both."""

MOST_NAMES = 200
"""How many tags, audiences or fields of one's own a lead can have."""

MOST_TOGETHER = 100
"""How many values one field can hold."""

LONGEST_LINE = 200
LONGEST_TEXT = 2000
GREATEST_NUMBER = 1e15

_ALSO_KNOWN_AS = {"UK": "GB", "EL": "GR"}
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_A_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_OWN_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Patch(NamedTuple):
    """What a patch says, checked: values by path (`company.name`, `tags.vip`), in order; a group's own path clears it."""

    says: tuple[tuple[str, Value], ...] = ()
    warnings: tuple[str, ...] = ()


def validated(given: Mapping[str, Any], region: str | None = None) -> Patch:
    """The patch, checked and normalised; every fault is named with its field and remedy. An unknown time zone warns.

    A phone number without a country's code is of the lead's country, or of the `region` when that is not given.
    """
    says: list[tuple[str, Value]] = []
    faults: list[tuple[str, str]] = []
    warnings: list[str] = []
    region = given["country"] if isinstance(given.get("country"), str) else region
    for name, value in given.items():
        try:
            says += _says(name, value, region)
        except BadInput as error:
            faults.append((error.field or name, str(error)))
        except _Doubtful as doubt:
            warnings.append(f'lead.{name}: "{value}" was left out, it {doubt}')
    if faults:
        raise BadInput("; ".join(f"lead.{field}: {fault}" for field, fault in faults), field=f"lead.{faults[0][0]}")
    return Patch(tuple(says), tuple(warnings))


def why_never(path: tuple[str, ...], value: Any) -> str | None:
    """Why that field can never hold that value, and the remedy; None when it can."""
    name, *inner = path
    given = list(value) if isinstance(value, tuple) else value
    try:
        said = dict(_says(name, {inner[0]: given} if inner else given, None))
    except (BadInput, _Doubtful) as fault:
        return str(fault)
    held = said.get(".".join(path), given)
    return None if name in LISTS or same(held, given) else f"write {in_text(held)}"


class _Doubtful(Exception):
    """A value that is left out with a warning, for the sake of the rest."""


def _says(name: str, value: Any, region: str | None) -> Iterator[tuple[str, Value]]:
    if name in FIELDS:
        if value is None:
            yield name, None
        elif not _blank(value):
            yield name, _phone(value, region) if name == "phone" else FIELDS[name](value)
    elif name in GROUPS:
        yield from _says_group(name, value)
    elif name in LISTS:
        yield from _says_list(name, value)
    else:
        raise _unknown(name, (*FIELDS, *GROUPS, *LISTS, *IDENTITIES), "; a field of your own goes under custom")


def _says_group(group: str, value: Any) -> Iterator[tuple[str, Value]]:
    if value is None:
        yield group, None
        return
    if not isinstance(value, Mapping):
        raise BadInput(f'give its fields, such as {{"{next(iter(_fields(group)), "plan")}": …}}', field=group)
    if len(value) > MOST_NAMES:
        raise BadInput(f"more than {MOST_NAMES} fields: give fewer", field=group)
    for name, inner in value.items():
        try:
            check = _OPEN[group] if group in OPEN_GROUPS else _fields(group).get(name)
            if check is None:
                raise _unknown(name, tuple(_fields(group)), "")
            if group in OPEN_GROUPS and not _OWN_FIELD.fullmatch(name):
                raise BadInput("name it with letters, digits and _, at most 64, a letter first")
            if inner is None or not _blank(inner):
                yield f"{group}.{name}", None if inner is None else check(inner)
        except BadInput as error:
            raise BadInput(str(error), field=f"{group}.{name[:64]}") from error


def _says_list(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    if value is None:
        yield name, None
        return
    if isinstance(value, Mapping):
        if unknown := set(value) - {"add", "remove"}:
            raise BadInput(f'{min(unknown)!r} is not known here: give "add" and "remove"', field=name)
        yield from ((f"{name}.{one}", True) for one in _names(name, value.get("add") or []))
        yield from ((f"{name}.{one}", None) for one in _names(name, value.get("remove") or []))
        return
    names = _names(name, value)
    yield name, None
    yield from ((f"{name}.{one}", True) for one in names)


def _names(field: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MOST_NAMES:
        raise BadInput(f'give a list of at most {MOST_NAMES} texts, or {{"add": […], "remove": […]}}', field=field)
    return list(dict.fromkeys(_line(one, 100) for one in value if not _blank(one)))


def _unknown(name: str, known: Sequence[str], more: str) -> BadInput:
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return BadInput(f"is no field of a lead: {hint}{more}", field=name[:64])


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _line(value: Any, longest: int = LONGEST_LINE) -> str:
    if not isinstance(value, str):
        raise BadInput(f"give a text, not {_kind(value)}")
    if len(value) > longest:
        raise BadInput(f"longer than {longest} characters: shorten it")
    if not value.isprintable() and _NOT_IN_A_LINE.search(value):
        raise BadInput("holds a line break or a control character: take it out")
    return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()


def _number(value: Any, least: float = -GREATEST_NUMBER, greatest: float = GREATEST_NUMBER) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value) if set(value) & set(".eE") else int(value[:40])
        except ValueError:
            raise BadInput(f"{value[:40]!r} is not a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"give a number, not {_kind(value)}")
    if not least <= value <= greatest:
        raise BadInput(f"give a number from {least:g} to {greatest:g}")
    return value


def _line_or_number(value: Any) -> str | int | float | bool:
    return value if isinstance(value, bool) else _number(value) if isinstance(value, int | float) else _line(value)


def _lines(value: Any) -> Value:
    given = value.split(";") if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or len(given) > MOST_TOGETHER:
        raise BadInput(f"give a list of at most {MOST_TOGETHER} texts")
    return [line for one in given if (line := _line(one))]


def _date(value: Any) -> str:
    text = _line(value)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput("is no date: write it as 2026-01-31") from None


def _own(value: Any) -> Value:
    if isinstance(value, list | tuple):
        if len(value) > MOST_TOGETHER:
            raise BadInput(f"more than {MOST_TOGETHER} values in one field: give fewer")
        return [_own_scalar(one) for one in value]
    return _own_scalar(value)


def _own_scalar(value: Any) -> str | int | float | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if not isinstance(value, str):
        raise BadInput(f"give a text, a number, true or false, or a list of them, not {_kind(value)}")
    if len(value) > LONGEST_TEXT:
        raise BadInput(f"longer than {LONGEST_TEXT} characters: shorten it")
    if not value.isprintable() and _NOT_IN_A_TEXT.search(value):
        raise BadInput("holds a control character: take it out")
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case Mapping():
            return "an object"
        case _:
            return "a list"


def _email(value: Any) -> str:
    return email_address(_line(value, LONGEST_ADDRESS))


def _phone(value: Any, region: str | None) -> str:
    return phone_number(
        _line(value, 40), _ALSO_KNOWN_AS.get(str(region).upper(), str(region).upper()) if region else None
    )


def _time_zone(value: Any) -> str:
    name = _line(value, 64)
    _, warning = resolve_zone(name, "UTC")
    if warning:
        raise _Doubtful("is not a time zone: write it as Europe/Berlin")
    return name


def _language(value: Any) -> str:
    tag = _line(value, 35)
    if not _LANGUAGE.fullmatch(tag):
        raise BadInput("is no language: write a tag such as en, ru or pt-BR")
    first, *rest = tag.replace("_", "-").split("-")
    return "-".join([first.lower(), *(one.upper() if len(one) == 2 else one.title() for one in rest)])


def _country(value: Any) -> str:
    code = _line(value, 60).upper()
    code = _ALSO_KNOWN_AS.get(code, code)
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput("is no country: write its two letters (ISO 3166), such as DE or US")
    return code


def _nps(value: Any) -> int:
    given = _number(value, 0, 10)
    if given != int(given):
        raise BadInput("give a whole number from 0 to 10")
    return int(given)


FIELDS: dict[str, Callable[[Any], Value]] = {
    "first_name": _line,
    "last_name": _line,
    "email": _email,
    "phone": partial(_phone, region=None),
    "language": _language,
    "time_zone": _time_zone,
    "country": _country,
    "city": _line,
    "job_title": _line,
    "source": _line,
    "preferred_channel": _line,
    "nps": _nps,
}

_COMPANY: dict[str, Callable[[Any], Value]] = {
    "name": _line,
    "size": _line_or_number,
    "turnover": partial(_number, least=0),
    "industry": _line,
    "country": _country,
    "city": _line,
    "decision_makers": _lines,
}
_OPEN: dict[str, Callable[[Any], Value]] = {"dates": _date, "custom": _own}
_BANT: dict[str, Callable[[Any], Value]] = dict.fromkeys(BANT, _line_or_number)


def _fields(group: str) -> dict[str, Callable[[Any], Value]]:
    return {"company": _COMPANY, "bant": _BANT}.get(group, {})
