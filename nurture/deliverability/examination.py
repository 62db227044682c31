"""The examination behind `nurture doctor mail`: what receivers look at, looked at beforehand.

Where nobody can be asked, that is what the line of a check says.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from nurture.calendar import resolve_zone
from nurture.catalogue import Catalogue
from nurture.deliverability.line import Line, fault, listed, ok, unasked, warning
from nurture.deliverability.names import Address, Names
from nurture.deliverability.ramp import house_day
from nurture.deliverability.relay import Relay
from nurture.deliverability.senders import messages, nobodys, read, senders
from nurture.deliverability.vouching import Vouching
from nurture.errors import BadInput, NamesAway
from nurture.settings import Settings

Look = Callable[[], Awaitable[Relay]]
RUNS_OUT = timedelta(days=14)


class Examination:
    """One examination of all that the settings and the catalogue send, or of `only` that address."""

    def __init__(self, settings: Settings, catalogue: Catalogue, names: Names, look: Look, now: datetime) -> None:
        self._settings, self._catalogue, self._names, self._look, self._now = settings, catalogue, names, look, now
        self._by_smtp = settings.email_by == "smtp"

    async def lines(self, only: str | None = None) -> list[Line]:
        """All lines, those of each domain together."""
        if only is not None and not read([only]).domains:
            raise BadInput(f"--from {only!r} is no address: write name@example.com")
        found = read([only]) if only is not None else senders(self._settings.sender, self._catalogue)
        lines = [
            fault("sender", text, "this is no mailbox", 'write "The team <team@example.com>"')
            for text in found.unreadable
        ]
        addresses = await self._addresses()
        for domain, used in found.domains.items():
            lines += await self._domain(domain, used, addresses)
        if self._by_smtp:
            lines += await self._pointers(addresses)
        if only is None:
            lines += [self._warm_up(domain, used=domain in found.domains) for domain in self._settings.warm_up]
        return [*lines, *await self._relay(), *self._one_click()]

    async def _domain(self, domain: str, used: Iterable[str], addresses: list[Address]) -> list[Line]:
        about = ", ".join(used)
        if nobodys(domain):
            return [
                fault("sender", about, f"{domain} is for examples: nobody can publish anything for it",
                      "set NURTURE_SENDER, or the sender of the campaign, to an address of your own"),
            ]  # fmt: skip
        vouching = Vouching(self._settings, self._names)
        return [
            *await asked("SPF", domain, vouching.look_at_spf(domain, addresses)),
            *await asked("DKIM", domain, vouching.look_at_dkim(domain)),
            *await asked("DMARC", domain, vouching.look_at_dmarc(domain)),
            *await asked("MX", domain, self._replies(domain)),
        ]

    async def _addresses(self) -> list[Address]:
        """From which addresses the world sees our mail come: as it is set, or those of a relay in the open."""
        if self._settings.sending_addresses:
            return [ip_address(str(one)) for one in self._settings.sending_addresses]
        try:
            found = [ip_address(self._settings.smtp_host)]
        except ValueError:
            try:
                found = await self._names.addresses(self._settings.smtp_host)
            except NamesAway:
                found = []
        return [one for one in found if one.is_global]

    async def _replies(self, domain: str) -> list[Line]:
        hosts = await self._names.mail_hosts(domain)
        if hosts == [""]:
            return [fault("MX", domain, "it takes no mail: nobody can answer", "publish where its mail goes")]
        if not hosts:
            if await self._names.addresses(domain):
                return [warning("MX", domain, "no MX: answers go to its own address", "publish where its mail goes")]
            return [
                fault(
                    "MX", domain, "no MX: nobody can answer, and receivers distrust it", "publish where its mail goes"
                )
            ]
        lost = [host for host in hosts if not await self._names.addresses(host)]
        if len(lost) == len(hosts):
            return [fault("MX", domain, f"{listed(hosts)} has no address: nobody can answer", "put the name right")]
        return [ok("MX", domain, f"answers go to {listed(hosts)}")]

    async def _pointers(self, addresses: list[Address]) -> list[Line]:
        if not addresses:
            return [
                warning("PTR", "the relay", "which address the world sees is not known from here",
                        "set NURTURE_SENDING_ADDRESSES to what the relay sends from"),
            ]  # fmt: skip
        return [line for one in addresses for line in await asked("PTR", str(one), self._pointer(one))]

    async def _pointer(self, address: Address) -> list[Line]:
        names = await self._names.pointers(address)
        asks = f"ask whoever lends you {address} to point it to a name of yours, which has that address"
        if not names:
            return [fault("PTR", str(address), "it points back to no name: Gmail refuses it", asks)]
        confirmed = [name for name in names if address in await self._names.addresses(name)]
        if not confirmed:
            return [fault("PTR", str(address), f"{listed(names)} does not lead to it again", asks)]
        if all(_looks_lent(name, address) for name in confirmed):
            return [warning("PTR", str(address), f"{listed(confirmed)} looks like an address lent to anybody", asks)]
        return [ok("PTR", str(address), listed(confirmed))]

    def _warm_up(self, domain: str, *, used: bool) -> Line:
        ramp, zone = self._settings.warm_up[domain], resolve_zone(None, self._settings.time_zone)[0]
        if not used:
            return warning(
                "warm-up", domain, "nothing is sent from it", "write the domain of a sender in NURTURE_WARM_UP"
            )
        volume = ramp.volume(house_day(self._now, zone))
        return ok("warm-up", domain, "over" if volume is None else f"{volume} today, all from {ramp.warm_on:%d %b %Y}")

    async def _relay(self) -> list[Line]:
        here = self._settings
        if not self._by_smtp:
            return [ok("TLS", here.email_by, "by its HTTPS API")]
        about, seen = f"{here.smtp_host}:{here.smtp_port}", await self._look()
        if seen.trouble:
            return [unasked("TLS", about, f"the relay cannot be reached: {seen.trouble}")]
        if seen.untrusted:
            return [fault("TLS", about, f"its certificate is not to be trusted: {seen.untrusted}", "have it renewed")]
        if not seen.offers_tls:
            if _at_home(here.smtp_host):
                return [ok("TLS", about, "no encryption, on this machine or in a network of your own")]
            return [
                fault("TLS", about, "it offers no encryption: passwords and mail go in the open", "take another relay")
            ]
        if here.smtp_security == "none":
            return [
                warning("TLS", about, "it offers STARTTLS, which is not used", "set NURTURE_SMTP_SECURITY=starttls")
            ]
        if seen.until is not None and seen.until < self._now + RUNS_OUT:
            return [warning("TLS", about, f"its certificate ends on {seen.until:%d %b %Y}", "have it renewed")]
        return [
            ok(
                "TLS",
                about,
                f"{seen.protocol}, a certificate until {seen.until:%d %b %Y}" if seen.until else seen.protocol,
            )
        ]

    def _one_click(self) -> list[Line]:
        here, kinds = self._settings, messages(self._catalogue)
        about = f"{kinds.marketing} marketing, {kinds.transactional} transactional"
        lines = []
        address = urlsplit(here.base_url)
        if address.scheme != "https" or _at_home(address.hostname or ""):
            lines.append(
                fault("one-click", about, f"links begin with {here.base_url}: mailboxes act on public https only",
                      "set NURTURE_BASE_URL to the public address of the web process"),
            )  # fmt: skip
        if self._by_smtp and here.dkim_private_key is None:
            lines.append(
                warning("one-click", about, "whether the relay's signature covers both headers is not known from here",
                        "have it sign List-Unsubscribe and List-Unsubscribe-Post, or set NURTURE_DKIM_KEY to sign here"),
            )  # fmt: skip
        who = "our signature" if self._by_smtp else here.email_by
        return lines or [ok("one-click", about, f"marketing carries both headers, covered by {who}")]


async def asked(check: str, about: str, lines: Awaitable[list[Line]]) -> list[Line]:
    """The lines of a check, or that nobody could be asked."""
    try:
        return await lines
    except NamesAway as error:
        return [unasked(check, about, str(error))]


def _looks_lent(name: str, address: Address) -> bool:
    """Whether the name is made of the address's numbers, as providers name what they lend to anybody."""
    return address.version == 4 and all(part in name for part in str(address).split("."))


def _at_home(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host
