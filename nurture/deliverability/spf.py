"""SPF (RFC 7208): who may send in a domain's name, read as far as it reaches and asked about addresses.

A record is read once with all that it includes, so that what it costs is known whatever address is asked about.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, NamedTuple, TypeAlias

from nurture.deliverability.names import Address, Names
from nurture.errors import NamesAway

MOST_LOOKUPS, MOST_VOIDS, MOST_HOSTS = 10, 2, 10
ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
KNOWN = ASKING | {"all", "ip4", "ip6"}

Network: TypeAlias = IPv4Network | IPv6Network
Sign: TypeAlias = Literal["+", "-", "~", "?"]


class Result(StrEnum):
    """What a record says of an address; `UNTOLD` where it depends on the message itself."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    UNTOLD = "untold"


SAID: dict[Sign, Result] = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


class Term(NamedTuple):
    """One mechanism: its sign, what it is, the addresses it stands for, or the record it includes."""

    sign: Sign
    kind: str
    networks: tuple[Network, ...] = ()
    included: "Record | None" = None


@dataclass
class Record:
    """The record of a domain with all it refers to; `text` is None when there is none."""

    domain: str
    text: str | None = None
    terms: list[Term] = field(default_factory=list)
    redirect: "Record | None" = None
    faults: list[str] = field(default_factory=list)

    def says(self, address: Address) -> Result:
        """What receivers make of a mail that comes from the address."""
        if self.faults:
            return Result.PERMERROR
        if self.text is None:
            return Result.NONE
        for term in self.terms:
            matched = _matches(term, address)
            if isinstance(matched, Result):
                return matched
            if matched:
                return SAID[term.sign]
        if self.redirect is None:
            return Result.NEUTRAL
        return Result.PERMERROR if self.redirect.text is None else self.redirect.says(address)

    @property
    def ends_in(self) -> Sign | None:
        """What it says of everybody else; None when it does not say it."""
        last = next((term for term in self.terms if term.kind == "all"), None)
        if last is None and self.redirect is not None:
            return self.redirect.ends_in
        return last.sign if last else None

    def everything(self) -> "list[Record]":
        """It and all it refers to."""
        below = [term.included for term in self.terms if term.included] + ([self.redirect] if self.redirect else [])
        return [self, *(one for record in below for one in record.everything())]

    @property
    def kinds(self) -> set[str]:
        """The kinds of mechanisms in it and in all it refers to."""
        return {term.kind for record in self.everything() for term in record.terms}


def _matches(term: Term, address: Address) -> bool | Result:
    if term.included is not None:
        match term.included.says(address):
            case Result.PASS:
                return True
            case Result.NONE | Result.PERMERROR:
                return Result.PERMERROR
            case Result.UNTOLD:
                return Result.UNTOLD
            case _:
                return False
    if term.kind in ("exists", "ptr", "untold"):
        return Result.UNTOLD
    return term.kind == "all" or any(address in network for network in term.networks)


class Reading:
    """One reading of a domain's record: what it is, and how many lookups a receiver may need for it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.lookups = 0
        self.voids = 0

    async def read(self, domain: str, above: tuple[str, ...] = ()) -> Record:
        """The record of that domain; `NamesAway` when the domain's own cannot be asked for."""
        record = Record(domain)
        found = [text for text in await self._names.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
        if not found:
            self.voids += bool(above)
            return record
        record.text = found[0]
        if len(found) > 1:
            record.faults.append(f"{domain} has {len(found)} SPF records, and receivers use none of them")
            return record
        if domain in above:
            record.faults.append(f"{domain} includes itself")
            return record
        for word in record.text.split()[1:]:
            await self._term(record, word, (*above, domain))
        if any(term.kind == "all" for term in record.terms):
            record.redirect = None  # RFC 7208, 6.1: it is not looked at
        return record

    async def _term(self, record: Record, word: str, above: tuple[str, ...]) -> None:
        name, equals, value = word.partition("=")
        if equals and ":" not in name and "/" not in name:
            if name.lower() == "redirect":
                self.lookups += 1
                record.redirect = await self._below(record, value, above)
            return
        sign: Sign = word[0] if word[0] in SAID else "+"
        body = word.removeprefix(word[0]) if word[0] in SAID else word
        kind, value = _parted(body)
        if kind not in KNOWN:
            record.faults.append(f"{word!r} in the record of {record.domain} is no mechanism of SPF")
            return
        self.lookups += kind in ASKING
        if self.lookups > MOST_LOOKUPS * 3:
            return  # so many that it does not matter how many: nobody is asked for the rest
        record.terms.append(await self._made(record, sign, kind, value, above))

    async def _made(self, record: Record, sign: Sign, kind: str, value: str, above: tuple[str, ...]) -> Term:
        if kind in ("all", "ptr", "exists"):
            return Term(sign, kind)
        if kind == "include":
            included = await self._below(record, value, above)
            if included is not None and included.text is None:
                record.faults.append(f"include:{value} has no SPF record")
            return Term(sign, kind if included else "untold", included=included)
        if kind in ("ip4", "ip6"):
            try:
                return Term(sign, kind, (ip_network(value, strict=False),))
            except ValueError:
                record.faults.append(f"{kind}:{value} in the record of {record.domain} is no address")
                return Term(sign, kind)
        return await self._hosts(record, sign, kind, value)

    async def _below(self, record: Record, domain: str, above: tuple[str, ...]) -> Record | None:
        """What it refers to; None where that depends on the message or cannot be asked for now."""
        if not domain or "%" in domain:
            if not domain:
                record.faults.append(f"the record of {record.domain} refers to a domain and names none")
            return None
        try:
            return await self.read(domain.lower().rstrip("."), above)
        except NamesAway:
            return None

    async def _hosts(self, record: Record, sign: Sign, kind: str, value: str) -> Term:
        """The addresses of `a` and `mx`."""
        domain, slash, lengths = value.partition("/")
        domain = domain or record.domain
        if "%" in domain:
            return Term(sign, "untold")
        try:
            hosts = [domain] if kind == "a" else await self._names.mail_hosts(domain)
            if len(hosts) > MOST_HOSTS:
                record.faults.append(f"mx of {domain}: receivers look at {MOST_HOSTS} hosts at most")
            found = [address for host in hosts[:MOST_HOSTS] for address in await self._names.addresses(host)]
        except NamesAway:
            return Term(sign, "untold")
        self.voids += not found
        four, _, six = f"{slash}{lengths}".partition("//")
        return Term(sign, kind, tuple(_network(address, four.strip("/"), six) for address in found))


def _parted(body: str) -> tuple[str, str]:
    """A mechanism's kind and what it says: `a/24`, `mx:example.com`, `include:example.com`."""
    for at, character in enumerate(body):
        if character in ":/":
            return body[:at].lower(), body[at + (character == ":") :]
    return body.lower(), ""


def _network(address: Address, four: str, six: str) -> Network:
    length = four if address.version == 4 else six
    return ip_network(f"{address}/{length}" if length.isdigit() else str(address), strict=False)
