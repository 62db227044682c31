"""The keys by which a lead is known: of which kind each is, how it is written, and whether it names one person.

Everybody who writes a key the same way means the same lead, so all ways to write one thing come to one key, and two
things never do: an address keeps what stands behind its plus, an id of another system its case.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from nurture.errors import BadInput

Key: TypeAlias = tuple[str, str]
"""A kind and a value; kinds are `external`, `email`, `phone`, `cookie`, and by system `external.crm`, `messenger.telegram`."""

SHARED = ("phone", "cookie")
"""Kinds that several people may have in common: an office, a browser."""

SYSTEMS = {"external_ids": "external", "messengers": "messenger"}
"""Fields that hold an id by system, and the kind of key that each id is."""

LONGEST_ID = 200
LONGEST_ADDRESS = 254
MOST_SYSTEMS = 20
_SYSTEM = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TELEGRAM = re.compile(r"[a-z0-9_]{3,64}")


def names_one_person(kind: str) -> bool:
    """Whether two who have the same key of that kind are the same person."""
    return kind not in SHARED


def field_of(kind: str) -> str:
    """The field of a lead that holds a key of that kind: `external_ids.crm`."""
    group, _, system = kind.partition(".")
    if not system:
        return "external_id" if group == "external" else group
    return f"{next(field for field, one in SYSTEMS.items() if one == group)}.{system}"


def popped_keys(given: dict[str, Any]) -> dict[str, str]:
    """The keys that stand beside the profile in news of a lead, by kind, taken out of them; the strongest first."""
    found = {"external": plain_id(given.pop("external_id", None), "external_id")}
    for field, kind in SYSTEMS.items():
        found |= {f"{kind}.{system}": value for system, value in _by_system(field, given.pop(field, None)).items()}
    found["cookie"] = plain_id(given.pop("cookie", None), "cookie")
    return {kind: value for kind, value in found.items() if value is not None}


def in_order(keys: Mapping[str, str]) -> tuple[Key, ...]:
    """The keys, the strongest first: ids of other systems, the address, ids of messengers, and what people share."""
    return tuple(sorted(keys.items(), key=lambda key: _strength(key[0])))


def _strength(kind: str) -> tuple[int, str]:
    group = kind.partition(".")[0]
    return ("external", "email", "messenger", *SHARED).index(group), kind


def _by_system(field: str, given: Any) -> dict[str, str | None]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > MOST_SYSTEMS:
        raise _bad(field, f'give at most {MOST_SYSTEMS} ids by system, such as {{"crm": "17"}}')
    found: dict[str, str | None] = {}
    for system, value in given.items():
        if not isinstance(system, str) or not _SYSTEM.fullmatch(system):
            raise _bad(field, "name each system with at most 40 small letters, digits, _ and -, a letter first")
        place = f"{field}.{system}"
        text = plain_id(value, place)
        found[system] = None if text is None else _of_messenger(system, text, place) if field == "messengers" else text
    return found


def plain_id(value: Any, field: str) -> str | None:
    """An id of another system, kept as it is; a whole number is a text, an empty text is none."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        value = str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_ID or value != value.strip():
        raise _bad(field, f"give a text of at most {LONGEST_ID} printable characters")
    return value


def _of_messenger(messenger: str, text: str, place: str) -> str:
    written = MESSENGERS.get(messenger)
    try:
        return text if written is None else written(text)
    except BadInput as error:
        raise _bad(place, str(error)) from None


def _telegram(text: str) -> str:
    name = unicodedata.normalize("NFKC", text).removeprefix("@").lower()
    if not _TELEGRAM.fullmatch(name):
        raise BadInput("is no Telegram id: write the number or the user name")
    return name


def _bad(field: str, fault: str) -> BadInput:
    return BadInput(f"lead.{field}: {fault}", field=f"lead.{field}")


@lru_cache(maxsize=20_000)
def email_address(text: str) -> str:
    """The one way to write an address: in small letters, full-width ones plain, its domain as people read it."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    try:
        written = validate_email(plain, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise BadInput(f"is no e-mail address: {error}") from None
    return written if written.isascii() else unicodedata.normalize("NFKC", written)


@lru_cache(maxsize=20_000)
def phone_number(text: str, region: str | None = None) -> str:
    """The one way to write a number (E.164); one without a country's code is of the region."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise BadInput("is no phone number: write it with the country's code, such as +49 30 1234567")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# What a messenger is not in this table calls people by is kept as it is.
MESSENGERS: dict[str, Callable[[str], str]] = {"telegram": _telegram, "whatsapp": phone_number}
