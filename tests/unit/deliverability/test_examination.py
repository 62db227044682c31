"""The examination of our mail, against a table of what DNS says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from nurture.calendar import between
from nurture.campaign import Campaign, State
from nurture.catalogue import Catalogue
from nurture.deliverability.dkim_keys import private_key, record
from nurture.deliverability.examination import Examination
from nurture.deliverability.line import Line, Verdict, to_publish
from nurture.deliverability.relay import Relay
from nurture.errors import BadInput
from nurture.settings import Settings
from nurture.steps import Send
from nurture.version import frozen
from tests.unit.deliverability.written import Written

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
DOMAIN = "shop.se"
OURS = "5.150.200.10"
KEY = (
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx"
    "/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)  # 1024 bits: the example of RFC 6376
WELL: dict[tuple[str, str], list[str]] = {
    ("TXT", DOMAIN): [f"v=spf1 ip4:{OURS} -all", "something else"],
    ("TXT", f"autumn._domainkey.{DOMAIN}"): [record(private_key(PEM))],
    ("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1; p=reject; rua=mailto:dmarc@shop.se"],
    ("MX", DOMAIN): ["in.shop.se"],
    ("A", "in.shop.se"): ["5.150.200.11"],
    ("PTR", OURS): ["mail.shop.se"],
    ("A", "mail.shop.se"): [OURS],
}
ENCRYPTED = Relay(offers_tls=True, protocol="TLSv1.3", until=NOW + timedelta(days=60))


def settings(**different: Any) -> Settings:
    """As they are when all is well."""
    given: dict[str, Any] = {
        "sender": f"Our shop <hello@{DOMAIN}>", "base_url": "https://go.shop.se", "smtp_host": "relay.shop.se",
        "smtp_security": "starttls", "sending_addresses": [OURS], "dkim_selector": "autumn", "dkim_key": SecretStr(PEM),
        **different,
    }  # fmt: skip
    return Settings(_env_file=None, **given)


def campaign(**said: Any) -> Catalogue:
    made = Campaign(
        "greet", [State("first", [Send(template="x"), Send(template="y", legal_basis="a contract")])], **said
    )
    return Catalogue(campaigns={"greet": frozen(made)})


async def examine(
    *, here: Settings | None = None, catalogue: Catalogue | None = None, relay: Relay = ENCRYPTED,
    silent: frozenset[str] = frozenset(), only: str | None = None, names: dict[tuple[str, str], list[str]] | None = None,
) -> list[Line]:  # fmt: skip
    """The lines, where all is well but for what is given; `names` replaces what DNS says."""

    async def look() -> Relay:
        return relay

    written = Written({**WELL, **(names or {})}, silent)
    return await Examination(here or settings(), catalogue or campaign(), written, look, NOW).lines(only)


def grave(lines: list[Line], check: str) -> list[str]:
    """What is at fault with it."""
    return [line.seen for line in lines if line.check == check and line.verdict is Verdict.FAULT]


def of(lines: list[Line], check: str) -> Line:
    [line] = [line for line in lines if line.check == check]
    return line


async def test_all_is_well_where_it_is() -> None:
    lines = await examine()

    assert [line.check for line in lines] == ["SPF", "DKIM", "DMARC", "MX", "PTR", "TLS", "one-click"]
    assert [line for line in lines if line.grave] == []
    assert of(lines, "one-click").about == "1 marketing, 1 transactional"


@pytest.mark.parametrize(
    ("record", "seen", "remedy"),
    [
        ("v=spf1 a:gone.shop.se ~all", f"it does not cover {OURS}: softfail", f"v=spf1 a:gone.shop.se ip4:{OURS} ~all"),
        ("v=spf1 redirect=shop.se", "shop.se includes itself", ""),
        ("v=spf1 +all", "v=spf1 +all lets everybody send in your name", ""),
        ("v=spf1 ip4:5.150.200.10 ips:1 -all", "'ips:1' in the record of shop.se is no mechanism of SPF", ""),
        ("", "no SPF record", f"v=spf1 ip4:{OURS} ~all"),
    ],
)
async def test_spf_is_at_fault_with_the_record_to_publish(record: str, seen: str, remedy: str) -> None:
    lines = await examine(names={("TXT", DOMAIN): [record] if record else []})

    assert grave(lines, "SPF") == [seen]
    assert [line.record for line in lines if line.check == "SPF" and line.record] == (
        [f'shop.se. TXT "{remedy}"'] if remedy else []
    )


async def test_spf_that_costs_too_many_lookups_is_used_by_nobody() -> None:
    many = " ".join(f"a:h{n}.shop.se" for n in range(11))
    lines = await examine(names={("TXT", DOMAIN): [f"v=spf1 ip4:{OURS} {many} -all"]})

    assert grave(lines, "SPF") == ["11 lookups: receivers stop after 10 and use none of it"]


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ([], "no key is published"),
        (["v=DKIM1; k=ed25519; p="], "the key is revoked: p= is empty"),
        ([KEY], "what is published does not belong to NURTURE_DKIM_KEY"),
        ([KEY, KEY], "2 records: receivers take any of them"),
    ],
)
async def test_dkim_is_at_fault_with_the_record_to_publish(keys: list[str], seen: str) -> None:
    lines = await examine(names={("TXT", f"autumn._domainkey.{DOMAIN}"): keys})

    assert grave(lines, "DKIM") == [seen]
    assert of(lines, "DKIM").record == to_publish(f"autumn._domainkey.{DOMAIN}", record(private_key(PEM)))


async def test_a_relays_own_key_is_looked_at_by_its_selector_and_a_short_one_is_told() -> None:
    lines = await examine(here=settings(dkim_key=None), names={("TXT", f"autumn._domainkey.{DOMAIN}"): [KEY]})

    assert (of(lines, "DKIM").verdict, of(lines, "DKIM").seen) == (Verdict.WARNING, "a key of 1024 bits")
    assert of(lines, "one-click").verdict is Verdict.WARNING


async def test_without_a_policy_and_with_nobody_who_vouches_dmarc_is_at_fault() -> None:
    none = await examine(names={("TXT", f"_dmarc.{DOMAIN}"): []})
    nobody = await examine(names={("TXT", DOMAIN): ["v=spf1 -all"], ("TXT", f"autumn._domainkey.{DOMAIN}"): []})

    assert of(none, "DMARC").record == f'_dmarc.{DOMAIN}. TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"'
    assert grave(nobody, "DMARC") == ["p=reject, and neither SPF nor DKIM vouches for it: DKIM vouches for nothing"]


async def test_a_signature_of_another_domain_vouches_for_nothing_that_readers_see() -> None:
    lines = await examine(
        here=settings(dkim_domain="relay.net"),
        names={("TXT", "autumn._domainkey.relay.net"): [record(private_key(PEM))]},
    )

    assert of(lines, "DMARC").verdict is Verdict.WARNING
    assert "DKIM of relay.net does not vouch for shop.se" in of(lines, "DMARC").seen


async def test_a_policy_of_the_domain_above_counts_unless_it_is_strict() -> None:
    news = {
        ("TXT", "news.shop.se"): [f"v=spf1 ip4:{OURS} -all"], ("MX", "news.shop.se"): ["in.shop.se"],
    }  # fmt: skip
    here = settings(sender="news@news.shop.se", dkim_domain=DOMAIN)
    lenient = await examine(here=here, names=news)
    strict = await examine(
        here=here, names={**news, ("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1; p=none; adkim=s; rua=mailto:d@shop.se"]}
    )

    assert of(lenient, "DMARC").verdict is Verdict.OK
    assert of(strict, "DMARC").verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        ({("MX", DOMAIN): []}, "no MX: nobody can answer, and receivers distrust it"),
        ({("MX", DOMAIN): [""]}, "it takes no mail: nobody can answer"),
        ({("A", "in.shop.se"): []}, "in.shop.se has no address: nobody can answer"),
    ],
)
async def test_a_sender_whom_nobody_can_answer_is_at_fault(names: dict[tuple[str, str], list[str]], seen: str) -> None:
    assert grave(await examine(names=names), "MX") == [seen]


async def test_an_address_must_point_to_a_name_that_leads_back() -> None:
    nowhere = await examine(names={("PTR", OURS): []})
    elsewhere = await examine(names={("A", "mail.shop.se"): ["5.150.200.99"]})
    lent = await examine(names={("PTR", OURS): ["5-150-200-10.cloud.net"], ("A", "5-150-200-10.cloud.net"): [OURS]})

    assert grave(nowhere, "PTR") == ["it points back to no name: Gmail refuses it"]
    assert grave(elsewhere, "PTR") == ["mail.shop.se does not lead to it again"]
    assert of(lent, "PTR").verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("relay", "security", "verdict"),
    [
        (Relay(trouble="connection refused"), "starttls", Verdict.UNASKED),
        (Relay(offers_tls=True, untrusted="certificate has expired"), "starttls", Verdict.FAULT),
        (Relay(), "none", Verdict.FAULT),
        (ENCRYPTED, "none", Verdict.WARNING),
        (ENCRYPTED._replace(until=NOW + timedelta(days=3)), "starttls", Verdict.WARNING),
    ],
)
async def test_the_relays_encryption_is_looked_at(relay: Relay, security: str, verdict: Verdict) -> None:
    lines = await examine(here=settings(smtp_security=security), relay=relay)

    assert of(lines, "TLS").verdict is verdict


async def test_mailboxes_act_on_public_https_only() -> None:
    lines = await examine(here=settings(base_url="http://127.0.0.1:8000"))

    assert grave(lines, "one-click") == ["links begin with http://127.0.0.1:8000: mailboxes act on public https only"]


async def test_where_nobody_answers_nothing_is_said_to_be_well() -> None:
    silent = frozenset({DOMAIN, f"autumn._domainkey.{DOMAIN}", f"_dmarc.{DOMAIN}", OURS})
    lines = await examine(silent=silent, relay=Relay(trouble="no network"))

    assert {line.check: line.verdict for line in lines} == {
        "SPF": Verdict.UNASKED, "DKIM": Verdict.UNASKED, "DMARC": Verdict.UNASKED, "MX": Verdict.UNASKED,
        "PTR": Verdict.UNASKED, "TLS": Verdict.UNASKED, "one-click": Verdict.OK,
    }  # fmt: skip


async def test_every_sender_is_looked_at_or_only_the_one_asked_for() -> None:
    catalogue = campaign(sender="The team <team@other.se>", window=between("09:00", "17:00"))

    assert {line.about for line in await examine(catalogue=catalogue) if line.check == "MX"} == {DOMAIN, "other.se"}
    assert {line.about for line in await examine(catalogue=catalogue, only="x@other.se") if line.check == "MX"} == {
        "other.se"
    }
    with pytest.raises(BadInput, match="--from"):
        await examine(only="nobody")


async def test_a_warm_up_is_told_and_one_of_nobody_is_a_mistake() -> None:
    ramp = {"start": "2026-11-20", "first": 10, "growth": 2, "until": 500}
    lines = await examine(here=settings(warm_up={"shop.se": ramp, "other.se": ramp}))

    told = [(line.about, line.verdict, line.seen) for line in lines if line.check == "warm-up"]
    assert told == [
        ("shop.se", Verdict.OK, "80 today, all from 26 Nov 2026"), ("other.se", Verdict.WARNING, "nothing is sent from it"),
    ]  # fmt: skip


async def test_a_sender_of_an_example_is_told_at_once() -> None:
    lines = await examine(here=settings(sender="hello@example.com"))

    assert grave(lines, "sender") == ["example.com is for examples: nobody can publish anything for it"]


async def test_a_provider_signs_and_returns_by_itself() -> None:
    here = settings(email_by="postmark", email_api_key=SecretStr("key"), dkim_key=None, sending_addresses=[])
    lines = await examine(here=here, names={("TXT", DOMAIN): [], ("TXT", f"autumn._domainkey.{DOMAIN}"): [KEY]})

    assert [line.check for line in lines if line.verdict is Verdict.OK] == ["SPF", "DMARC", "MX", "TLS", "one-click"]


def test_a_key_without_a_selector_or_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NURTURE_DKIM_SELECTOR"):
        settings(dkim_selector=None)
    with pytest.raises(ValueError, match="openssl genrsa") as refused:
        settings(dkim_key=SecretStr("canary"))
    assert "canary" not in str(refused.value)
    with pytest.raises(ValueError, match="cannot be read"):
        settings(dkim_key=None, dkim_key_file=tmp_path / "gone.pem")
