"""Whom mail is from, and whether mailbox providers will believe it."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from nurture.channels.mail import mailbox
from nurture.errors import MessageRefused
from nurture.faults import Level
from nurture.settings import Settings

SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
FREE = frozenset(
    {"aol.com", "bk.ru", "gmail.com", "gmx.com", "gmx.de", "googlemail.com", "hotmail.com", "icloud.com", "inbox.ru",
     "list.ru", "live.com", "mail.ru", "outlook.com", "proton.me", "protonmail.com", "rambler.ru", "web.de", "ya.ru",
     "yahoo.com", "yandex.com", "yandex.ru"}
)  # fmt: skip


def sender_findings(sender: str, settings: Settings) -> Iterator[tuple[Level, str]]:
    """What is wrong with a sender, the worst first: no mailbox, not ours to send from, not of one house with the links."""
    try:
        domain = mailbox("From", sender).domain.lower()
    except MessageRefused:
        yield "error", 'is no single mailbox: write it as "The team <team@example.com>"'
        return
    if domain in FREE:
        yield (
            "error",
            f"{domain} lets nobody else send in its name (DMARC), so this is refused: send from a domain of yours",
        )
    if settings.email_domain and not aligned(domain, settings.email_domain):
        signed = f"the provider signs as {settings.email_domain} (NURTURE_EMAIL_DOMAIN)"
        yield "error", f"{signed}, which DMARC does not take for {domain}: let both be of one domain"
    place = urlsplit(settings.base_url)
    if settings.environment == "development" and _is_this_machine(place.hostname or ""):
        return
    if place.scheme != "https":
        yield "error", "one click unsubscribes over https only (RFC 8058): give NURTURE_BASE_URL as https://…"
    if not aligned(domain, place.hostname or ""):
        yield (
            "warning",
            f"its links lead to {place.hostname}, as a forger's would: let NURTURE_BASE_URL be under {house_of(domain)}",
        )


def aligned(one: str, other: str) -> bool:
    """Whether two hosts are of the same house, as DMARC's relaxed alignment has it."""
    return house_of(one) == house_of(other)


def house_of(host: str) -> str:
    """The domain that somebody registered: `example.co.uk` of `go.example.co.uk`."""
    labels = host.lower().rstrip(".").split(".")
    wide = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVELS
    return ".".join(labels[-3 if wide else -2 :])


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
