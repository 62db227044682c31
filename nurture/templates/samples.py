"""Readers made up, to try a message on: one of whom all is known, and one of whom nothing is."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parseaddr
from typing import Any

from nurture.calendar import resolve_zone
from nurture.fields import BANT
from nurture.message_variables import lead_variables
from nurture.settings import Settings

READERS: Mapping[str, Mapping[str, Any]] = {
    "known": {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.com",
        "phone": "+442079460000",
        "language": "en",
        "time_zone": "Europe/London",
        "country": "GB",
        "city": "London",
        "job_title": "Head of purchasing",
        "source": "site",
        "nps": 9,
        "company": {
            "name": "Example Trading",
            "size": 120,
            "turnover": 2_000_000,
            "industry": "retail",
            "country": "GB",
            "city": "London",
            "decision_makers": ["Ann Lee"],
        },
        "bant": {"budget": 50_000, "authority": "decides", "need": "soon", "timing": "this quarter"},
        "tags": ["vip"],
    },
    "unknown": {},
}
NOTICE: Mapping[str, Any] = {
    "lead_id": "(the lead's id)",
    "journey_id": "(the journey's id)",
    "team": "sales",
    "text": "A notice",
    "title": "A title",
    "due": None,
    "hand_off": "(the hand-off's id)",
    "why": {"campaign": "preview", "version": "", "definition": "preview", "title": "Preview", "facts": []},
    "scores": [{"name": "interest", "points": 70}],
    "points": [{"score": "interest", "rule": "visit", "points": 10}],
    "did": [],
    "received": [{"template": "price-list/greet", "at": "2026-11-23 10:00 UTC", "clicked": 1}],
    "company": {"name": "Example Trading", "turnover": 2_000_000},
    "bant": dict.fromkeys(BANT),
    "pages": [{"page": "/prices", "times": 3, "seconds": 240, "last": "2026-11-23 10:00 UTC"}],
    "asked": [],
    "deed": "assigned",
    "person": "Anna",
    "to_lead": False,
    "answer_by": datetime(2026, 11, 23, 16, tzinfo=UTC),
    "paused": True,
    "reason": "6 of 80 messages bounced (7.5 %)",
    "run": None,
}
DOCUMENT: Mapping[str, Any] = {
    "number": "2026-0001",
    "title": "A document",
    "date": date(2026, 11, 23),
    "valid_until": date(2026, 12, 23),
    "currency": "EUR",
    "lines": [
        {"title": "Setup", "quantity": Decimal(1), "unit": "", "price": Decimal("1200.00"), "tax": Decimal(19),
         "sum": Decimal("1200.00")},
        {"title": "Seats", "quantity": Decimal(10), "unit": "a month", "price": Decimal("40.00"), "tax": Decimal(19),
         "sum": Decimal("400.00")},
    ],
    "net": Decimal("1600.00"),
    "taxes": [{"rate": Decimal(19), "base": Decimal("1600.00"), "amount": Decimal("304.00")}],
    "total": Decimal("1904.00"),
    "tax_included": False,
    "data": {},
}  # fmt: skip


def sample_context(template: str, profile: Mapping[str, Any], stage: str, settings: Settings) -> dict[str, Any]:
    """What a message to that reader is given, with links that lead nowhere; the template may be a notice to a team."""
    base = settings.base_url.rstrip("/")
    to_team = template.startswith("team/")
    variables = lead_variables(profile, stage)
    links = {"unsubscribe": None, "answer": f"{base}/h/preview"}
    if not to_team:
        pages = {"unsubscribe": "u", "share": "r", "survey": "s", "confirm": "o", "document": "d"}
        links = {name: f"{base}/{page}/preview" for name, page in pages.items()}
        links["telegram"] = "https://t.me/preview"
    return {
        "lead": variables,
        "campaign": {"key": "preview", "title": "Preview"},
        "links": links,
        "referral": {"code": "preview"},
        "sender": {"name": parseaddr(settings.sender)[0], "postal_address": settings.postal_address},
        "zone": resolve_zone(variables["time_zone"], settings.time_zone)[0].key,
        "link": lambda url, _label="": url,
        "document": DOCUMENT,
        **(NOTICE if to_team else {}),
        "who": {**variables, "company_name": variables["company"]["name"]},
    }
