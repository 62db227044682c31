"""Connections to other systems: to public addresses only, unless the settings allow others."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

import httpcore

from nurture.errors import NurtureError
from nurture.settings import Settings

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]
NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddress(NurtureError):
    """The host has an address in a private network, where nothing of ours is to go."""


class Network(httpcore.AsyncNetworkBackend):
    """Resolves a host once, checks every address of it, and connects to one that it has checked.

    What a name means may change between a check and the connection; here there is nothing between them.
    """

    def __init__(self, may_reach: Callable[[Address], bool], resolve: Resolve | None = None) -> None:
        self._may_reach, self._resolve = may_reach, resolve or resolved
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's word
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers; one that may not be reached refuses them all."""
        addresses = await self._resolve(host, port)
        if not all(map(self._may_reach, addresses)):
            raise PrivateAddress("its host is in a private network: NURTURE_PRIVATE_HOOKS=true allows that")
        trouble: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble


def reach(settings: Settings) -> Callable[[Address], bool]:
    """What these settings allow: public addresses, in development this machine, and anything when they say so."""
    loopback = settings.environment == "development"
    return lambda address: settings.private_hooks or is_public(address) or (loopback and _inner(address).is_loopback)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet."""
    inner = _inner(address)
    odd = inner.is_multicast or inner.is_reserved or (isinstance(inner, IPv6Address) and inner.is_site_local)
    return inner.is_global and not odd


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


async def resolved(host: str, port: int) -> list[Address]:
    """The addresses of a host, as the system resolves it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("the host is unknown") from error
    return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))
