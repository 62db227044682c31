"""Policies of DMARC, and whose word counts for whom."""

import pytest

from nurture.deliverability.dmarc import Policy, aligned, organisational, policy_of
from tests.unit.deliverability.written import Written


async def policy(domain: str, **records: str) -> Policy | None:
    """The policy in force, of records by their domain, underscores for dots."""
    table = {("TXT", f"_dmarc.{name.replace('_', '.')}"): [text] for name, text in records.items()}
    return await policy_of(Written(table), domain)


async def test_a_domain_without_a_policy_has_that_of_the_domain_above() -> None:
    above = "v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:d@example.com"

    assert (own := await policy("example.com", example_com=above)) is not None
    assert (own.wants, own.strict_dkim, own.strict_spf, own.reports_to) == (
        "reject", True, False, "mailto:d@example.com",
    )  # fmt: skip
    assert (below := await policy("news.example.com", example_com=above)) is not None
    assert (below.wants, below.at) == ("quarantine", "_dmarc.example.com")
    assert await policy("news.example.com") is None


@pytest.mark.parametrize("text", ["v=DMARC1", "v=DMARC1; p=maybe"])
async def test_a_policy_that_cannot_be_read_is_a_fault(text: str) -> None:
    found = await policy("example.com", example_com=text)

    assert found is not None
    assert found.fault


async def test_of_two_policies_none_counts() -> None:
    found = await policy_of(Written({("TXT", "_dmarc.example.com"): ["v=DMARC1; p=none"] * 2}), "example.com")

    assert found is not None
    assert "2 DMARC records" in found.fault


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("news.shop.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("mail.example.com", "example.com"),
        ("com", "com"),
    ],
)
def test_the_organisation_is_what_somebody_registered(domain: str, organisation: str) -> None:
    assert organisational(domain) == organisation


def test_a_strict_policy_wants_the_very_domain() -> None:
    assert aligned("mail.example.com", "news.example.com", strict=False)
    assert not aligned("mail.example.com", "news.example.com", strict=True)
    assert aligned("example.com", "example.com", strict=True)
    assert not aligned("one.co.uk", "other.co.uk", strict=False)
