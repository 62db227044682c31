"""The port to the domain name system: what is known of a name, and whether anybody could be asked at all."""

from ipaddress import IPv4Address, IPv6Address
from typing import Protocol, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class Names(Protocol):
    """The answers are empty when there is no such name or nothing of that kind; `NamesAway` when nobody answers."""

    async def texts(self, name: str) -> list[str]:
        """Its TXT records, each put together of its strings."""

    async def mail_hosts(self, name: str) -> list[str]:
        """Its MX records by preference, without the dot at their end; one that is empty takes no mail (RFC 7505)."""

    async def addresses(self, name: str) -> list[Address]:
        """Its A and AAAA records."""

    async def pointers(self, address: Address) -> list[str]:
        """The names that the address points back to, without the dot at their end."""
