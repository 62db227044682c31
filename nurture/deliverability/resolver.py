"""Names asked of the domain name system itself."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration
from dns.reversename import from_address

from nurture.deliverability.names import Address
from nurture.errors import NamesAway

PATIENCE = 5.0  # seconds for one question, whichever of the servers answers


class Resolved:
    """Names by the servers given, or by those of this machine."""

    def __init__(self, servers: Sequence[str] = (), port: int = 53) -> None:
        self._servers, self._port = servers, port
        self._resolver: Resolver | None = None
        self._in_the_world: bool | None = None

    async def texts(self, name: str) -> list[str]:
        """See the port."""
        return [b"".join(one.strings).decode("utf-8", "replace") for one in await self._ask(name, "TXT")]

    async def mail_hosts(self, name: str) -> list[str]:
        """See the port."""
        found = sorted(await self._ask(name, "MX"), key=lambda one: (one.preference, str(one.exchange)))
        return [one.exchange.to_text(omit_final_dot=True).strip(".") for one in found]

    async def addresses(self, name: str) -> list[Address]:
        """See the port."""
        return [ip_address(one.address) for kind in ("A", "AAAA") for one in await self._ask(name, kind)]

    async def pointers(self, address: Address) -> list[str]:
        """See the port."""
        found = await self._ask(str(from_address(str(address))), "PTR")
        return [one.target.to_text(omit_final_dot=True) for one in found]

    async def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            return list(await self._servers_asked().resolve(name, kind, search=False))
        except (NXDOMAIN, NoAnswer):
            await self._knows_the_world()
            return []
        except (DNSException, OSError) as error:
            raise NamesAway(f"DNS could not be asked for {kind} of {name}: {type(error).__name__}") from error

    async def _knows_the_world(self) -> None:
        """A server in a closed network says of every name that there is none: it knows no root either."""
        if self._in_the_world is None:
            try:
                await self._servers_asked().resolve(".", "NS")
                self._in_the_world = True
            except (NXDOMAIN, NoAnswer):
                self._in_the_world = False
        if not self._in_the_world:
            raise NamesAway("DNS as it can be asked from here knows nothing of the world outside")

    def _servers_asked(self) -> Resolver:
        if self._resolver is None:
            try:
                self._resolver = Resolver(configure=not self._servers)
            except NoResolverConfiguration as error:
                raise NamesAway("DNS cannot be asked: this machine names no server of it") from error
            if self._servers:
                self._resolver.nameservers = list(self._servers)
                self._resolver.port = self._port
            self._resolver.lifetime = PATIENCE
        return self._resolver
