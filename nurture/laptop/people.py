"""Scripted people: who they are, and what each does with a mail. The seed and their number decide, nothing else."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias

Role: TypeAlias = Literal["buyer", "reader", "visitor", "silent", "leaver", "late", "attendee", "absentee", "customer"]
Offer: TypeAlias = Literal["click", "survey", "share", "unsubscribe"]
Does: TypeAlias = Literal[
    "scan",
    "click",
    "visit",
    "buy",
    "leave by the page",
    "leave by one click",
    "answer",
    "share",
    "attend",
    "ask",
    "request",
]

ROLES: dict[Role, int] = {
    "buyer": 20, "reader": 18, "visitor": 10, "silent": 12, "leaver": 7, "late": 8, "attendee": 12, "absentee": 7,
    "customer": 6,
}  # fmt: skip
SHARE_OF_SCANNED = 0.12
SHARE_WITHOUT_CONSENT = 0.04
ARRIVALS = 16.0
"""The days over which they come."""

WEBINAR_IN = timedelta(days=10)

PLACES = {
    "en": (
        ("DE", "Berlin", "Europe/Berlin"), ("GB", "Leeds", "Europe/London"), ("US", "Boston", "America/New_York"),
        ("US", "Denver", "America/Denver"), ("CA", "Vancouver", "America/Vancouver"), ("BR", "Recife", "America/Recife"),
        ("IN", "Pune", "Asia/Kolkata"), ("JP", "Osaka", "Asia/Tokyo"), ("AU", "Perth", "Australia/Perth"),
        ("NZ", "Napier", "Pacific/Auckland"),
    ),
    "ru": (
        ("RU", "Москва", "Europe/Moscow"), ("RU", "Казань", "Europe/Moscow"), ("RU", "Пермь", "Asia/Yekaterinburg"),
        ("RU", "Владивосток", "Asia/Vladivostok"), ("KZ", "Алматы", "Asia/Almaty"),
    ),
}  # fmt: skip
FIRST_NAMES = {
    "en": (
        ("Alice", "alice"), ("Ben", "ben"), ("Chloe", "chloe"), ("David", "david"), ("Emma", "emma"), ("Felix", "felix"),
        ("Grace", "grace"), ("Hugo", "hugo"), ("Iris", "iris"), ("Jack", "jack"), ("Kate", "kate"), ("Liam", "liam"),
    ),
    "ru": (
        ("Анна", "anna"), ("Борис", "boris"), ("Вера", "vera"), ("Глеб", "gleb"), ("Дарья", "darya"), ("Егор", "egor"),  # noqa: RUF001  # Cyrillic it is
        ("Ирина", "irina"), ("Олег", "oleg"),
    ),
}  # fmt: skip
LAST_NAMES = {
    "en": (
        ("Archer", "archer"), ("Baker", "baker"), ("Cooper", "cooper"), ("Dyer", "dyer"), ("Fisher", "fisher"),
        ("Mason", "mason"), ("Parker", "parker"), ("Turner", "turner"), ("Weaver", "weaver"), ("Wright", "wright"),
    ),
    "ru": (
        ("Коваленко", "kovalenko"), ("Ким", "kim"), ("Черных", "chernykh"), ("Седых", "sedykh"), ("Бондаренко", "bondarenko"),
    ),
}  # fmt: skip
TITLES = ("marketing director", "head of marketing", "shop owner", "web developer", "analyst", "office manager")
COMPANIES = ("Northern Tea", "Lamp & Loom", "Green Door", "Paper Boat", "Quiet Mill", "Round Table", "Stone Bridge")
INDUSTRIES = ("retail", "trade", "education", "logistics", "health")
TURNOVERS = (60_000, 300_000, 900_000, 1_500_000, 4_000_000)


LINKS = (
    "utm_source=telegram&utm_campaign=spring&offer=price-list", "utm_source=vk&utm_medium=cpc&utm_campaign=owners",
    "utm_source=yandex&utm_medium=cpc&utm_campaign=prices", "utm_source=vc&utm_campaign=case", "",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One of them: `arrives` on that day; `scanned` when a machine at their mail server looks at each link first."""

    seed: int
    number: int
    role: Role
    arrives: float
    scanned: bool
    consents: bool
    profile: dict[str, Any]

    @property
    def email(self) -> str:
        """Their address."""
        return str(self.profile["email"])

    @property
    def link(self) -> str:
        """What stands in the link by which they came."""
        return self.dice("link").choice(LINKS)

    def dice(self, *about: object) -> Random:
        """Their chance in that matter: the same in every run."""
        return Random("/".join(map(str, (self.seed, self.number, *about))))  # noqa: S311  # a script, no secret


def person(number: int, seed: int, now: datetime) -> Person:
    """The person of that number; `now` is when the webinar's date is counted from."""
    dice = Random(f"{seed}/{number}")  # noqa: S311  # a script, no secret
    language = dice.choice(("en", "en", "ru"))
    country, city, zone = dice.choice(PLACES[language])
    (first, first_latin), (last, last_latin) = dice.choice(FIRST_NAMES[language]), dice.choice(LAST_NAMES[language])
    role = dice.choices(list(ROLES), list(ROLES.values()))[0]
    profile: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "email": f"{first_latin}.{last_latin}.{number}@example.{dice.choice(('com', 'org'))}",
        "language": language,
        "time_zone": zone,
        "country": country,
        "city": city,
        "job_title": dice.choice(TITLES),
        "company": {
            "name": dice.choice(COMPANIES),
            "industry": dice.choice(INDUSTRIES),
            "turnover": dice.choice(TURNOVERS),
            "country": country,
        },
    }
    if role in ("attendee", "absentee"):
        profile["custom"] = {"webinar_at": (now + WEBINAR_IN).isoformat()}
    return Person(
        seed=seed,
        number=number,
        role=role,
        arrives=dice.uniform(0, ARRIVALS),
        scanned=dice.random() < SHARE_OF_SCANNED,
        consents=dice.random() >= SHARE_WITHOUT_CONSENT,
        profile=profile,
    )


class Deed(NamedTuple):
    """What somebody does, so many days after the mail came."""

    does: Does
    after: float


def reaction(who: Person, nth: int, offers: Collection[Offer]) -> tuple[Deed, ...]:
    """What they do with the nth mail they get, which offers that; nothing when they ignore it."""
    dice = who.dice("mail", nth)
    read = dice.uniform(0.05, 1.2)
    deeds = [Deed("scan", 0.0)] if who.scanned and "click" in offers else []
    if "survey" in offers:
        deeds += [Deed("answer", read)] if dice.random() < 0.85 else []
    elif "share" in offers:
        deeds += [Deed("share", read)] if dice.random() < 0.7 else []
    elif "click" in offers:
        deeds += [
            deed for deed in _by_role(who, nth, dice, read) if "unsubscribe" in offers or "leave" not in deed.does
        ]
    return tuple(deeds)


def _by_role(who: Person, nth: int, dice: Random, read: float) -> list[Deed]:
    lucky, click = dice.random(), Deed("click", read)
    match who.role:
        case "buyer":
            decides = who.dice("decides").randint(1, 3)
            buys = [Deed("buy", read + dice.uniform(0.1, 1.5))] if nth == decides else []
            return ([click] if buys or lucky < 0.6 else []) + buys
        case "reader":
            return [click] if lucky < 0.75 else []
        case "visitor":
            visits = [Deed("visit", read + dice.uniform(0, 2)) for _ in range(dice.randint(1, 3))]
            asks = [Deed("request", read + 2)] if nth == 3 else []
            return ([click] if lucky < 0.6 else []) + visits + asks
        case "leaver":
            ways: tuple[Does, ...] = ("leave by the page", "leave by one click")
            return [Deed(ways[who.number % 2], read)] if nth >= 2 else []
        case "late":
            return [Deed("click", dice.uniform(3.2, 6))] if nth > 1 and lucky < 0.6 else []
        case "attendee":
            asks = [Deed("ask", 1.6)] if lucky < 0.4 else []
            return [Deed("attend", dice.uniform(1.0, 1.4)), *asks] if nth == 2 else [click]
        case "absentee":
            return [click] if nth > 2 and lucky < 0.4 else []
        case "customer":
            back: tuple[Does, Does] = ("visit", "buy")
            return [click, Deed(back[nth % 2], read + 0.3)] if lucky < 0.35 else []
        case "silent":
            return []


Answer: TypeAlias = Literal["accepted", "rejected"]


def answer_of_sales(seed: int, email: str) -> tuple[Answer | None, float]:
    """What sales says to a lead that was handed over, and after how many days; None when it says nothing."""
    dice = Random(f"{seed}/sales/{email}")  # noqa: S311  # a script, no secret
    answers: tuple[Answer | None, ...] = ("accepted", "rejected", None)
    return dice.choices(answers, (45, 35, 20))[0], dice.uniform(0.05, 2)


def points_of(who: Person) -> int:
    """How likely they are to recommend us, from 0 to 10."""
    return who.dice("survey").choices((10, 9, 8, 6, 3), (35, 25, 20, 12, 8))[0]
