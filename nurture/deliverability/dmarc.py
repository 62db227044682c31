"""DMARC (RFC 7489): what a domain wants done with mail that neither SPF nor DKIM vouches for, and when they do."""

from dataclasses import dataclass
from functools import cache

from publicsuffixlist import PublicSuffixList

from nurture.deliverability.names import Names
from nurture.deliverability.tags import tags


@dataclass(frozen=True)
class Policy:
    """The policy in force for a domain, and where it stands; `fault` says why receivers pass it over."""

    at: str
    text: str = ""
    fault: str = ""
    wants: str = "none"
    strict_spf: bool = False
    strict_dkim: bool = False
    reports_to: str = ""


async def policy_of(names: Names, domain: str) -> Policy | None:
    """The domain's own, or that of the domain above it which somebody registered; None when there is none."""
    organisation = organisational(domain)
    for place in dict.fromkeys([domain, organisation]):
        at = f"_dmarc.{place}"
        found = [text for text in await names.texts(at) if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if len(found) > 1:
            return Policy(at, fault=f"{at} has {len(found)} DMARC records, and receivers use none of them")
        if found:
            return _read(at, found[0], below=place != domain)
    return None


def _read(at: str, text: str, *, below: bool) -> Policy:
    said = tags(text)
    if "p" not in said:
        return Policy(at, text, fault=f"the record at {at} has no p=")
    wants = said.get("sp", said["p"]) if below else said["p"]
    if wants.lower() not in ("none", "quarantine", "reject"):
        return Policy(at, text, fault=f"p={wants} at {at} is no policy: write none, quarantine or reject")
    return Policy(
        at,
        text,
        wants=wants.lower(),
        strict_spf=said.get("aspf") == "s",
        strict_dkim=said.get("adkim") == "s",
        reports_to=said.get("rua", ""),
    )


def aligned(domain: str, sender: str, *, strict: bool) -> bool:
    """Whether a signature or a return address of the one domain vouches for mail from the other."""
    return domain == sender or (not strict and organisational(domain) == organisational(sender))


def organisational(domain: str) -> str:
    """The domain as somebody registered it, by the public suffix list: example.co.uk of news.shop.example.co.uk."""
    return _suffixes().privatesuffix(domain) or domain


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
