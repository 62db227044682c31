"""What a web process works with, and how a request comes by it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request
from standardwebhooks import Webhook

from nurture.catalogue import Catalogue
from nurture.channels.heard import Hearer
from nurture.channels.reports import Reporter
from nurture.intake import Intake, Reports
from nurture.links import Links
from nurture.mailroom.mailroom import Mailroom
from nurture.readiness import Checklist
from nurture.settings import Settings
from nurture.store import Store
from web.captures import CaptureCounts
from web.keys import Keys
from web.outside import Outside
from web.throttle import Throttle


@dataclass(frozen=True)
class State:
    """Settings, store, catalogue, intake, what takes reports and mails in, links, the API keys known, the seals of webhooks by
    source, those who report of messages, those by whom people write to us, what their proofs are fetched by, and what it
    needs; what was counted of forms, and how often a caller, an address and a visitor's browser may come.
    """

    settings: Settings
    store: Store
    catalogue: Catalogue
    intake: Intake
    reports: Reports
    mailroom: Mailroom
    links: Links
    keys: Keys
    seals: dict[str, tuple[Webhook, ...]]
    reporters: dict[str, Reporter]
    hearers: dict[str, Hearer]
    outside: Outside
    checklist: Checklist
    captures: CaptureCounts
    callers: Throttle
    addresses: Throttle
    browsers: Throttle


def state(request: Request) -> State:
    """The process's state."""
    found: State = request.app.state.nurture
    return found


async def present(request: Request) -> State:
    """The same for routes that depend on it: a plain function would be called in a thread, for each request."""
    return state(request)


def clock() -> datetime:
    """The time at which a request is handled."""
    return datetime.now(UTC)
