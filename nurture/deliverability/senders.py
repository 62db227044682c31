"""In whose name we send: the addresses that settings and campaigns use, by their domain."""

from collections.abc import Iterable
from typing import NamedTuple

from nurture.catalogue import Catalogue
from nurture.channels.mail import mailbox
from nurture.errors import MessageRefused
from nurture.steps import Message

NOT_OURS = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")


class Senders(NamedTuple):
    """Domains with the addresses used of each, and what is no address at all."""

    domains: dict[str, list[str]]
    unreadable: list[str]


def senders(usual: str, catalogue: Catalogue) -> Senders:
    """All of them."""
    return read([usual, *(version.campaign.sender for version in catalogue.campaigns.values())])


def read(written: Iterable[str]) -> Senders:
    """Mailboxes as they are written, each once."""
    found = Senders({}, [])
    for text in dict.fromkeys(filter(None, written)):
        try:
            address = mailbox("From", text)
        except MessageRefused:
            found.unreadable.append(text)
            continue
        known = found.domains.setdefault(address.domain.lower(), [])
        if address.addr_spec not in known:
            known.append(address.addr_spec)
    return found


def nobodys(domain: str) -> bool:
    """Whether the domain is one of those that are for examples only."""
    return domain in NOT_OURS or domain.endswith(tuple(f".{one}" for one in NOT_OURS))


class Kinds(NamedTuple):
    """How many messages can be unsubscribed from, and how many need not be."""

    marketing: int
    transactional: int


def messages(catalogue: Catalogue) -> Kinds:
    """The messages of all campaigns and mailings, by whether they are marketing."""
    campaigns = [version.campaign for version in catalogue.campaigns.values()]
    campaigns += [mailing.campaign for mailing in catalogue.mailings.values()]
    marketing = [
        campaign.purpose == "marketing" and not step.legal_basis
        for campaign in campaigns
        for state in campaign.states
        for step in state.steps
        if isinstance(step, Message)
    ]
    return Kinds(sum(marketing), len(marketing) - sum(marketing))
