"""Who takes mail for domains that large receivers host, found out by their mail hosts while mail goes on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from nurture.deliverability.names import Names
from nurture.deliverability.receivers import NAMED, by_mail_hosts, receiver
from nurture.errors import NamesAway

MOST_DOMAINS = 50_000
KNOWN_FOR, UNTOLD_FOR = timedelta(days=1), timedelta(minutes=10)
AT_ONCE = 4


class Hosting:
    """Receivers by the MX of a domain; until that is known, it goes by its own name."""

    def __init__(self, names: Names, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._names, self._clock = names, clock
        self._known: dict[str, tuple[str, datetime]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    def receiver(self, address: str) -> str:
        """Who takes mail for the address, as far as it is known; what is not is asked for meanwhile."""
        domain = receiver(address)
        if domain in NAMED:
            return domain
        name, until = self._known.get(domain, (domain, None))
        if (until is None or until <= self._clock()) and domain not in self._asking and domain:
            self._asking[domain] = asyncio.create_task(self._ask(domain))
        return name

    async def settled(self) -> None:
        """All that is being asked for is known."""
        await asyncio.gather(*self._asking.values())

    async def _ask(self, domain: str) -> None:
        try:
            async with self._few:
                found = by_mail_hosts(await self._names.mail_hosts(domain)) or domain
            lasts = KNOWN_FOR
        except NamesAway:
            found, lasts = domain, UNTOLD_FOR
        finally:
            del self._asking[domain]
        if len(self._known) >= MOST_DOMAINS:
            del self._known[next(iter(self._known))]
        self._known[domain] = found, self._clock() + lasts
