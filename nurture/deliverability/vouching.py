"""Who vouches for a domain's mail: SPF, DKIM and DMARC, each looked at as receivers do."""

import re
from collections.abc import Iterable, Iterator

from nurture.deliverability import dmarc
from nurture.deliverability.dkim_keys import GOOD_BITS, LEAST_BITS, published, record
from nurture.deliverability.line import Line, fault, listed, ok, to_publish, unasked, warning
from nurture.deliverability.names import Address, Names
from nurture.deliverability.spf import MOST_LOOKUPS, MOST_VOIDS, Reading, Record, Result
from nurture.settings import Settings

LAST = re.compile(r"[+~?-]?all|redirect=.*", re.IGNORECASE)


class Vouching:
    """The checks of one domain, in order: what SPF and DKIM are found to be worth, DMARC goes by.

    `spf` and `dkim` say whether they vouch for its mail, None as long as it is not known.
    """

    def __init__(self, settings: Settings, names: Names) -> None:
        self._settings, self._names = settings, names
        self._by_smtp = settings.email_by == "smtp"
        self.spf: bool | None = None
        self.dkim: bool | None = None

    async def look_at_spf(self, domain: str, addresses: list[Address]) -> list[Line]:
        """The record of those who may send in its name."""
        reading = Reading(self._names)
        found = await reading.read(domain)
        if not self._by_smtp:
            return list(self._spf_of_provider(domain, found))
        if found.text is None:
            self.spf = False
            new = _with_addresses("v=spf1 ~all", addresses)
            return [fault("SPF", domain, "no SPF record", "publish one", to_publish(domain, new))]
        if broken := [why for one in found.everything() for why in one.faults]:
            self.spf = False
            return [fault("SPF", domain, one, "put the record right: receivers use none of it") for one in broken]
        return [
            *self._spf_costs(domain, reading),
            *_spf_says(domain, found),
            *self._spf_covers(domain, found, addresses),
        ]

    def _spf_of_provider(self, domain: str, found: Record) -> Iterator[Line]:
        broken = [why for one in found.everything() for why in one.faults]
        for one in broken:
            yield warning("SPF", domain, one, "put the record right: receivers use none of it")
        if not broken:
            seen = "no record" if found.text is None else found.text
            yield ok(
                "SPF", domain, f"{seen}; {self._settings.email_by} sends with a return address that it sees to itself"
            )

    def _spf_costs(self, domain: str, reading: Reading) -> Iterator[Line]:
        if reading.lookups > MOST_LOOKUPS:
            self.spf = False
            yield fault(
                "SPF", domain, f"{reading.lookups} lookups: receivers stop after {MOST_LOOKUPS} and use none of it",
                "take away includes that are not needed, or write their addresses (ip4:) in their place",
            )  # fmt: skip
        if reading.voids > MOST_VOIDS:
            yield warning(
                "SPF", domain, f"{reading.voids} of its names have no address: many receivers stop after {MOST_VOIDS}",
                "take those names away",
            )  # fmt: skip

    def _spf_covers(self, domain: str, found: Record, addresses: list[Address]) -> Iterator[Line]:
        if not addresses:
            yield warning(
                "SPF", domain, f"{found.text}; which address the world sees is not known from here",
                "set NURTURE_SENDING_ADDRESSES to what the relay sends from",
            )  # fmt: skip
            return
        if self.spf is False:
            return
        results = {address: found.says(address) for address in addresses}
        missing = [address for address, result in results.items() if result is not Result.PASS]
        untold = [address for address in missing if results[address] is Result.UNTOLD]
        self.spf = None if untold else not missing
        if not missing:
            yield ok("SPF", domain, f"{found.text} covers {listed(addresses)}")
        elif untold:
            yield unasked("SPF", domain, f"whether it covers {listed(untold)} hangs on a record that did not answer")
        else:
            new = _with_addresses(found.text or "", missing)
            seen = ", ".join(f"{address}: {results[address]}" for address in missing)
            make = fault if self._settings.sending_addresses else warning
            yield make("SPF", domain, f"it does not cover {seen}", "publish this in its place", to_publish(domain, new))

    async def look_at_dkim(self, domain: str) -> list[Line]:
        """The published key that signatures are proved by."""
        here = self._settings
        key, selector = here.dkim_private_key if self._by_smtp else None, here.dkim_selector
        if selector is None:
            return [
                warning("DKIM", domain, "which key signs is not known from here",
                        "set NURTURE_DKIM_SELECTOR to that of the relay or provider, or NURTURE_DKIM_KEY to sign here"),
            ]  # fmt: skip
        at = f"{selector}._domainkey.{here.dkim_domain or domain}"
        texts = await self._names.texts(at)
        ours = record(key) if key is not None else ""
        right = to_publish(at, ours) if ours else ""
        self.dkim = False
        if not texts:
            remedy = "publish it" if ours else "publish the record that the relay or provider shows you"
            return [fault("DKIM", at, "no key is published", remedy, right)]
        if len(texts) > 1:
            return [fault("DKIM", at, f"{len(texts)} records: receivers take any of them", "leave one", right)]
        found = published(texts[0])
        if found.fault:
            return [fault("DKIM", at, found.fault, "publish the key anew", right)]
        if found.algorithm == "rsa" and found.bits < LEAST_BITS:
            return [fault("DKIM", at, f"a key of {found.bits} bits, which receivers refuse", "make one of 2048 bits")]
        if key is not None and not found.belongs_to(key):
            return [
                fault(
                    "DKIM",
                    at,
                    "what is published does not belong to NURTURE_DKIM_KEY",
                    "publish this in its place",
                    right,
                )
            ]
        self.dkim = True
        return list(_dkim_weak(at, found.algorithm, found.bits, testing=found.testing)) or [
            ok("DKIM", at, f"{found.algorithm}, {found.bits} bits, {'by our key' if key else 'by relay or provider'}")
        ]

    async def look_at_dmarc(self, domain: str) -> list[Line]:
        """Its policy, and whether anything vouches for the very domain that readers see."""
        found = await dmarc.policy_of(self._names, domain)
        new = to_publish(f"_dmarc.{dmarc.organisational(domain)}", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
        if found is None:
            return [
                fault(
                    "DMARC", domain, "no policy: Gmail, Yahoo and Outlook want one of bulk senders", "publish one", new
                )
            ]
        if found.fault:
            return [fault("DMARC", domain, found.fault, "publish one record that holds", new)]
        lines = [self._alignment(domain, found)]
        if not found.reports_to:
            lines.append(
                warning(
                    "DMARC", domain, f"{found.text}: nobody is told of what fails", "say where reports go: rua=", new
                )
            )
        return lines

    def _alignment(self, domain: str, policy: dmarc.Policy) -> Line:
        """Whether SPF or DKIM vouches for the very domain that readers see; we return to the address that we are from."""
        signs = self._settings.dkim_domain or domain
        by_dkim = self.dkim and dmarc.aligned(signs, domain, strict=policy.strict_dkim)
        by_spf = self.spf if self._by_smtp else None
        if by_dkim:
            return ok("DMARC", domain, f"p={policy.wants} at {policy.at}; DKIM of {signs} vouches for it")
        apart = self.dkim and not by_dkim
        why = f"DKIM of {signs} does not vouch for {domain}" if apart else "DKIM vouches for nothing"
        mend = "set NURTURE_DKIM_DOMAIN to the sender's domain" if apart else "mend DKIM, which survives forwarding"
        if by_spf:
            return warning("DMARC", domain, f"p={policy.wants}; only SPF vouches for it, and {why}", mend)
        if self.dkim is None or by_spf is None:
            return warning("DMARC", domain, f"p={policy.wants}; whether anything vouches for it is not known", mend)
        return fault("DMARC", domain, f"p={policy.wants}, and neither SPF nor DKIM vouches for it: {why}", mend)


def _spf_says(domain: str, found: Record) -> Iterator[Line]:
    """What the record says beside whom it covers."""
    if found.ends_in == "+":
        yield fault("SPF", domain, f"{found.text} lets everybody send in your name", "let it end in ~all or -all")
    if found.ends_in in (None, "?"):
        yield warning("SPF", domain, f"{found.text} says nothing of all others", "let it end in ~all or -all")
    if "ptr" in found.kinds:
        yield warning(
            "SPF", domain, "it uses ptr, which receivers are told to pass over", "write addresses in its place"
        )


def _dkim_weak(at: str, algorithm: str, bits: int, *, testing: bool) -> Iterator[Line]:
    if algorithm == "rsa" and bits < GOOD_BITS:
        yield warning("DKIM", at, f"a key of {bits} bits", f"make one of {GOOD_BITS} bits")
    if algorithm == "ed25519":
        yield warning(
            "DKIM", at, "Ed25519, which Gmail and Outlook do not take yet", f"make an RSA key of {GOOD_BITS} bits"
        )
    if testing:
        yield warning("DKIM", at, "t=y says that it is a test, and receivers pass it over", "take t=y away")


def _with_addresses(text: str, addresses: Iterable[Address]) -> str:
    """The record with the addresses before what it says of all others."""
    words = text.split()
    lasts = (at for at, word in enumerate(words) if LAST.fullmatch(word))
    last = next(lasts, len(words))
    return " ".join([*words[:last], *(f"ip{one.version}:{one}" for one in addresses), *words[last:]])
