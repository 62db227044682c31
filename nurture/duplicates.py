"""Leads that may be one person: who is compared with whom, how alike they are, and why.

A hundred thousand leads make five billion pairs, so only those are compared that have something in common: the end of a
phone number, the first part of an address, the beginning of a name. Where that is common to many, each is compared with
its neighbours in the order of their names.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rapidfuzz import fuzz

ALIKE = 85.0
"""From there on two names, companies or addresses count as alike, of 100."""
NEIGHBOURS = 8
END_OF_NUMBER = 7
SHORTEST_LOCAL = 5  # info, sales and shop are nobody's name
WEIGHTS = {"name": 4.0, "company": 2.0, "address": 2.0, "phone": 3.0}


class Person(NamedTuple):
    """What two leads are compared by, in small letters without accents; empty where it is not known."""

    id: str
    name: str
    company: str
    address: str
    phone: str


class Pair(NamedTuple):
    """Two leads, how alike they are (of 100), and why."""

    one: str
    other: str
    likeness: float
    reasons: tuple[str, ...]


def person(lead_id: str, profile: Mapping[str, Any]) -> Person:
    """A lead as it is compared."""
    name = f"{profile.get('first_name') or ''} {profile.get('last_name') or ''}"
    local = str(profile.get("email") or "").partition("@")[0].partition("+")[0]
    company = (profile.get("company") or {}).get("name") or ""
    address = "".join(one for one in _plain(local) if one.isalnum())
    return Person(lead_id, _plain(name), _plain(str(company)), address, str(profile.get("phone") or ""))


def _plain(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split())


def pairs(people: Iterable[Person], at_least: float) -> Iterator[Pair]:
    """The pairs that are so much alike, each once."""
    seen: set[tuple[str, str]] = set()
    for block in _blocks(people).values():
        block.sort(key=lambda one: (one.name, one.company, one.id))
        for at, one in enumerate(block):
            for other in block[at + 1 : at + 1 + NEIGHBOURS]:
                both = (one.id, other.id) if one.id < other.id else (other.id, one.id)
                if both in seen:
                    continue
                seen.add(both)
                found = likeness(one, other)
                if found is not None and found.likeness >= at_least:
                    yield found


def _blocks(people: Iterable[Person]) -> dict[str, list[Person]]:
    blocks: dict[str, list[Person]] = defaultdict(list)
    for one in people:
        for key in _in_common(one):
            blocks[key].append(one)
    return {key: block for key, block in blocks.items() if len(block) > 1}


def _in_common(one: Person) -> Iterator[str]:
    if len(one.phone) > END_OF_NUMBER:
        yield f"phone {one.phone[-END_OF_NUMBER:]}"
    if len(one.address) >= SHORTEST_LOCAL:
        yield f"address {one.address}"
    words = sorted(one.name.split())
    if words:
        yield f"name {' '.join(word[:3] for word in words)}"
        if one.company:
            yield f"company {one.company[:6]} {words[-1][:2]}"


def likeness(one: Person, other: Person) -> Pair | None:
    """How alike two are in what is known of both; None unless two things are alike, or one of them is the phone.

    Other addresses and numbers speak against nobody: people have several.
    """
    found: dict[str, float] = {}
    if one.name and other.name:
        found["name"] = fuzz.token_sort_ratio(one.name, other.name)
        if found["name"] < ALIKE / 2:  # two people of one household or office
            return None
    if one.company and other.company:
        found["company"] = fuzz.token_set_ratio(one.company, other.company)
    if one.address and other.address and (points := fuzz.ratio(one.address, other.address)) >= ALIKE:
        found["address"] = points
    if one.phone and one.phone == other.phone:
        found["phone"] = 100.0
    alike = {what: points for what, points in found.items() if points >= ALIKE}
    if len(alike) < 2 and "phone" not in alike:
        return None
    weights = sum(WEIGHTS[what] for what in found)
    total = sum(WEIGHTS[what] * points for what, points in found.items()) / weights
    reasons = tuple(_reason(what, points) for what, points in alike.items())
    first, second = sorted((one.id, other.id))
    return Pair(first, second, round(total, 1), reasons)


def _reason(what: str, points: float) -> str:
    words = {"address": "name in the address", "phone": "phone number"}.get(what, what)
    return f"the same {words}" if points == 100 else f"{words} {points:.0f} % alike"
