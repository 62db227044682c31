"""How often one caller may do something: a burst at once, then so many a minute; kept in this process only."""

import time
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import Request

MOST_CALLERS = 50_000
MINUTE = 60.0


class Throttle:
    """Lets `burst` calls through at once, and `a_minute` from then on, for each caller alone."""

    def __init__(self, burst: int, a_minute: float) -> None:
        self._each = MINUTE / a_minute
        self._room = burst * self._each
        self._full_at: dict[str, float] = {}

    def lets(self, caller: str, now: float | None = None) -> bool:
        """Whether the caller may do it now; `now` in seconds of a clock that only goes forward."""
        now = time.monotonic() if now is None else now
        full_at = max(self._full_at.get(caller, now), now) + self._each
        if full_at - now > self._room:
            return False
        if len(self._full_at) >= MOST_CALLERS:
            self._forget(now)
        self._full_at[caller] = full_at
        return True

    def _forget(self, now: float) -> None:
        self._full_at = {caller: at for caller, at in self._full_at.items() if at > now}
        if len(self._full_at) >= MOST_CALLERS:  # a flood from everywhere: it is not this that stops it
            self._full_at.clear()


def caller_of(request: Request) -> str:
    """Who calls: an address, or the network of a home, where one has a network (IPv6)."""
    host = address_of(request)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped) if address.ipv4_mapped is not None else address.exploded[:19]
    return host


def network_of(request: Request) -> str:
    """The network it is called from: the addresses near the caller's, of which several machines of one owner have some."""
    try:
        address = ip_address(address_of(request))
    except ValueError:
        return address_of(request)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ip_network((address, 48 if isinstance(address, IPv6Address) else 24), strict=False))


def address_of(request: Request) -> str:
    """The address from which it is called."""
    return request.client.host if request.client is not None else ""
