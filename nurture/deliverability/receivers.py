"""Receivers: who takes a message for its reader, the large ones by name, all others by their domain."""

from collections.abc import Iterable

NAMED = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": ("outlook.com", "hotmail.com", "live.com", "msn.com"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
    "mail.ru": ("mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"),
    "yandex": ("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz"),
}
BY_DOMAIN = {domain: name for name, domains in NAMED.items() for domain in domains}
ABROAD = {"hotmail": "outlook", "outlook": "outlook", "live": "outlook", "yahoo": "yahoo"}  # in many countries

HOSTS = {
    "google.com": "gmail", "googlemail.com": "gmail", "outlook.com": "outlook", "yahoodns.net": "yahoo",
    "icloud.com": "icloud", "mail.ru": "mail.ru", "yandex.net": "yandex", "yandex.ru": "yandex",
}  # fmt: skip
"""Whose mail hosts end so, takes mail for domains of others, too."""


def by_mail_hosts(hosts: Iterable[str]) -> str | None:
    """The large receiver that takes mail for the domain of those hosts; None when it is none of them."""
    for host in hosts:
        parts = host.lower().rstrip(".").split(".")
        if (name := HOSTS.get(".".join(parts[-2:]))) is not None:
            return name
    return None


def receiver(address: str) -> str:
    """Who takes mail for the address."""
    domain = address.rpartition("@")[2].strip("<> ").lower()
    if domain in BY_DOMAIN:
        return BY_DOMAIN[domain]
    first, _, country = domain.partition(".")
    abroad = len(country) == 2 or country in ("co.uk", "co.jp", "co.in", "com.au", "com.br", "com.tr")
    return ABROAD[first] if abroad and first in ABROAD else domain


def in_public(name: str) -> str:
    """The receiver's name where nobody may be named: a domain of its own may be a person's."""
    return name if name in NAMED else "other"
