"""The doctor of mail, and signed mail, against a DNS server and a relay that are real."""
# ruff: noqa: N802  # aiosmtpd names its hooks for the commands

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import aiosmtpd
import dkim
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from dns import flags, message, rcode, rrset
from pydantic import SecretStr

from activities.channels import channels
from nurture.catalogue import Catalogue
from nurture.channels import Envelope as Written
from nurture.deliverability.dkim_keys import private_key, record
from nurture.deliverability.relay import look
from nurture.deliverability.resolver import Resolved
from nurture.errors import NamesAway
from nurture.metrics import Metrics
from nurture.settings import Settings
from nurture.store import Store
from tests.integration.commands import run

CERTIFICATES = Path(aiosmtpd.__file__).parent / "tests" / "certs"
PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
ZONE = {
    (".", "NS"): ["a.root-servers.net."],
    ("shop.se.", "TXT"): ['"v=spf1 ip4:5.150.200.10 " "-all"'],
    ("shop.se.", "MX"): ["20 second.shop.se.", "10 first.shop.se."],
    ("null.se.", "MX"): ["0 ."],
    ("first.shop.se.", "A"): ["5.150.200.10"],
    ("first.shop.se.", "AAAA"): ["2001:db8::10"],
    ("10.200.150.5.in-addr.arpa.", "PTR"): ["mail.shop.se."],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers out of a zone, and fails at names that begin with `broken`."""

    def __init__(self, zone: dict[tuple[str, str], list[str]]) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # it is one
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = message.from_wire(data)
        answer = message.make_response(query)
        answer.flags |= flags.RA
        [asked] = query.question
        name, kind = asked.name.to_text(), asked.rdtype.name
        if name.startswith("broken."):
            answer.set_rcode(rcode.SERVFAIL)
        elif found := self.zone.get((name, kind)):
            answer.answer.append(rrset.from_text(name, 60, "IN", kind, *found))
        elif name not in {known for known, _ in self.zone}:
            answer.set_rcode(rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def answering(zone: dict[tuple[str, str], list[str]]) -> AsyncIterator[Resolved]:
    """Names as a server on this machine knows them."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(zone), local_addr=("127.0.0.1", 0))
    try:
        yield Resolved(["127.0.0.1"], transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


class Sink:
    """Keeps mails as they came."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope.original_content or b"")
        return "250 2.0.0 Ok"


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Sink, int]]:
    """A relay on a free port of this machine."""
    sink, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="relay", loop=loop, tls_context=tls), "127.0.0.1", 0)
    try:
        yield sink, server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_names_are_asked_of_a_server() -> None:
    async with answering(ZONE) as names:
        assert await names.texts("shop.se") == ["v=spf1 ip4:5.150.200.10 -all"]
        assert await names.mail_hosts("shop.se") == ["first.shop.se", "second.shop.se"]
        assert await names.mail_hosts("null.se") == [""]
        assert await names.addresses("first.shop.se") == [ip_address("5.150.200.10"), ip_address("2001:db8::10")]
        assert await names.pointers(ip_address("5.150.200.10")) == ["mail.shop.se"]
        assert await names.texts("first.shop.se") == await names.texts("gone.shop.se") == []


async def test_a_server_that_fails_or_knows_nothing_of_the_world_has_not_answered() -> None:
    async with answering(ZONE) as names:
        with pytest.raises(NamesAway, match=r"could not be asked for TXT of broken\.shop\.se"):
            await names.texts("broken.shop.se")
    async with answering({("shop.se.", "TXT"): ['"here"']}) as closed:
        assert await closed.texts("shop.se") == ["here"]
        with pytest.raises(NamesAway, match="nothing of the world"):
            await closed.texts("gone.shop.se")


async def test_a_relay_is_met_as_a_stranger_meets_it() -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATES / "server.crt", CERTIFICATES / "server.key")
    trust = ssl.create_default_context(cafile=str(CERTIFICATES / "server.crt"))
    trust.check_hostname = False
    async with listening(server) as (_, port):
        trusted = await look("localhost", port, at_once=False, trust=trust)
        untrusted = await look("localhost", port, at_once=False)
    async with listening() as (_, port):
        plain = await look("127.0.0.1", port, at_once=False)
    gone = await look("127.0.0.1", port, at_once=False)

    assert (trusted.offers_tls, trusted.protocol) == (True, "TLSv1.3")
    assert trusted.until is not None
    assert "self-signed" in untrusted.untrusted
    assert (plain.offers_tls, plain.trouble) == (False, "")
    assert "Connect call failed" in gone.trouble


async def test_a_mail_is_signed_on_its_way_to_the_relay_and_proved_from_the_bytes_that_came(sqlite_url: str) -> None:
    async with listening() as (sink, port):
        here = Settings(_env_file=None, smtp_port=port, dkim_selector="autumn", dkim_key=SecretStr(PEM))
        store = Store(sqlite_url)
        channel = channels(here, store, Catalogue(), Metrics())["email"]
        await channel.send(
            Written(
                key="journey/greet", message_id="<one@shop.se>", date=datetime(2026, 11, 23, tzinfo=UTC),
                sender="hello@shop.se", recipient="ann@example.com", subject="Hello", html="<p>.</p>", text=".\n..\n",
                language="en", headers={"List-Unsubscribe": "<https://shop.se/u/1>"},
            )
        )  # fmt: skip
        await channel.close()
        await store.close()
    [mail] = sink.mails

    published = {b"autumn._domainkey.shop.se.": record(private_key(PEM)).encode()}
    assert dkim.verify(mail, dnsfunc=lambda name, timeout: published.get(name))
    assert not dkim.verify(mail.replace(b"/u/1", b"/u/2"), dnsfunc=lambda name, timeout: published.get(name))


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.usefixtures("repository")
def test_the_command_tells_what_is_at_fault_and_what_could_not_be_asked() -> None:
    with closed_port() as port:
        said = run("doctor", "mail", "--json", NURTURE_SMTP_PORT=str(port))
        shown = run("doctor", "mail", NURTURE_SMTP_PORT=str(port))
    told = json.loads(said.output)

    assert (said.exit_code, shown.exit_code, told["well"]) == (1, 1, False)
    assert {(line["check"], line["verdict"]) for line in told["lines"]} >= {
        ("sender", "fault"), ("TLS", "could not be asked"), ("one-click", "fault"),
    }  # fmt: skip
    assert "set NURTURE_BASE_URL" in " ".join(shown.output.split())
