"""Names out of a table."""

from ipaddress import IPv4Address, IPv6Address

from nurture.deliverability.names import Address
from nurture.errors import NamesAway


class Written:
    """Names out of a table: `{("TXT", "example.com"): ["v=spf1 -all"]}`.

    What is in `silent` is answered by nobody.
    """

    def __init__(self, table: dict[tuple[str, str], list[str]], silent: frozenset[str] = frozenset()) -> None:
        self._table, self._silent = table, silent
        self.asked: list[tuple[str, str]] = []

    async def texts(self, name: str) -> list[str]:
        """See the port."""
        return self._answer("TXT", name)

    async def mail_hosts(self, name: str) -> list[str]:
        """See the port."""
        return self._answer("MX", name)

    async def addresses(self, name: str) -> list[Address]:
        """See the port."""
        return [*map(IPv4Address, self._answer("A", name)), *map(IPv6Address, self._answer("AAAA", name))]

    async def pointers(self, address: Address) -> list[str]:
        """See the port."""
        return self._answer("PTR", str(address))

    def _answer(self, kind: str, name: str) -> list[str]:
        self.asked.append((kind, name.lower()))
        if name.lower() in self._silent:
            raise NamesAway(f"nobody answers for {name}")
        return list(self._table.get((kind, name.lower()), []))
