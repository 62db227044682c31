"""The SMTP channel against a real SMTP server that fails as it is told."""
# ruff: noqa: N802  # aiosmtpd names its hooks for the commands

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import aiosmtpd
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Session
from aiosmtpd.smtp import Envelope as Received
from pydantic import SecretStr

from nurture.channels import Envelope
from nurture.channels import smtp as channel_module
from nurture.channels.mail import own_name
from nurture.channels.smtp import SmtpChannel
from nurture.errors import AddressRefused, Ambiguous, MessageRefused, ProviderUnavailable, SendError

CERTIFICATES = Path(aiosmtpd.__file__).parent / "tests" / "certs"
PASSWORD = "canary-password"
CLOSE, SILENCE = "close the connection", "say nothing"


class Relay:
    """A real SMTP server: it remembers what it took, and for each stage answers first what its script says."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.senders: list[str] = []
        self.took_one = asyncio.Event()
        self.commands: list[str] = []
        self.greetings = 0
        self.port = 0
        self.script: dict[str, deque[str]] = {stage: deque() for stage in ("MAIL", "RCPT", "DATA", "content", "RSET")}
        self.sessions: list[SMTP] = []

    def will(self, stage: str, *answers: str) -> None:
        """Answer this at that stage, then as usual."""
        self.script[stage].extend(answers)

    def hang_up(self) -> None:
        """Close every connection from this side."""
        for session in self.sessions:
            if session.transport is not None:
                session.transport.close()

    async def answer(self, stage: str, session: SMTP) -> str | None:
        """What the script says at this stage; it may also close the connection, or say nothing until it is closed."""
        self.commands.append(stage)
        said = self.script[stage].popleft() if self.script[stage] else None
        if said in {CLOSE, SILENCE}:
            if said == CLOSE and session.transport is not None:
                session.transport.close()
            await asyncio.Event().wait()
        return said

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Received, name: str, answer: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = name
        return answer

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Received, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        self.senders.append(address)
        return await self.answer("MAIL", server) or "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Received, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self.answer("RCPT", server) or "250 2.1.5 Ok"

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Received) -> str:
        return await self.answer("RSET", server) or "250 2.0.0 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Received) -> str:
        self.mails.append(bytes(envelope.original_content or b""))
        self.took_one.set()
        return await self.answer("content", server) or "250 2.0.0 Ok: queued as 4XyZ1234"


class _Server(SMTP):
    """aiosmtpd, with a script for DATA too."""

    async def smtp_DATA(self, arg: str) -> None:
        relay: Relay = self.event_handler
        said = await relay.answer("DATA", self)
        if said == "354":
            await self.push(said)
            assert self.transport is not None
            self.transport.close()
        elif said is not None:
            await self.push(said)
        else:
            await super().smtp_DATA(arg)


def authenticate(server: SMTP, session: Session, envelope: Received, mechanism: str, login: object) -> AuthResult:
    return AuthResult(handled=False, success=getattr(login, "password", b"") == PASSWORD.encode())


@asynccontextmanager
async def listening(**options: object) -> AsyncIterator[Relay]:
    """A relay on a free port of this machine."""
    relay, loop = Relay(), asyncio.get_running_loop()

    def session() -> SMTP:
        server = _Server(relay, hostname="relay", loop=loop, **options)  # type: ignore[arg-type]  # whatever the test wants
        relay.sessions.append(server)
        return server

    listener = await loop.create_server(session, "127.0.0.1", 0)
    relay.port = listener.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        listener.close()
        relay.hang_up()


@asynccontextmanager
async def channel_to(port: int, **options: object) -> AsyncIterator[SmtpChannel]:
    given = {"security": "none", "connections": 2, "timeout": 20.0} | options
    channel = SmtpChannel("127.0.0.1", port, **given)  # type: ignore[arg-type]  # whatever the test wants
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with listening() as relay:
        yield relay


@pytest.fixture
async def channel(relay: Relay) -> AsyncIterator[SmtpChannel]:
    async with channel_to(relay.port) as channel:
        yield channel


def envelope(number: int = 1, text: str = "Hello\n.\n..dots") -> Envelope:
    return Envelope(
        key=f"journey/{number}", message_id=f"{number}@mail.example.com", date=datetime(2026, 11, 22, tzinfo=UTC),
        sender="Anna <anna@example.com>", recipient="canary-bob@customer.example", subject="Prices",
        html="<p>Hello</p>", text=text, language="en",
    )  # fmt: skip


async def failure(send: Awaitable[object]) -> SendError:
    """The error a send ends with; none of its words names anybody."""
    with pytest.raises(SendError) as caught:
        await send
    error: BaseException | None = caught.value
    told = repr(vars(caught.value))
    while error is not None:
        told += repr(error)
        error = error.__cause__
    assert not [secret for secret in ("canary", "anna@") if secret in told]
    return caught.value


async def test_a_mail_arrives_whole(relay: Relay, channel: SmtpChannel) -> None:
    receipt = await channel.send(envelope())

    mail = message_from_bytes(relay.mails[0])
    assert mail["Message-ID"] == "<1@mail.example.com>"
    assert mail.get_payload(0).get_payload(decode=True) == b"Hello\r\n.\r\n..dots\r\n"  # type: ignore[union-attr]  # of parts
    assert receipt.provider_id == "4XyZ1234"
    assert receipt.reply == "2.0.0 Ok: queued as 4XyZ1234"


async def test_a_connection_is_kept_from_message_to_message(relay: Relay, channel: SmtpChannel) -> None:
    for number in range(5):
        await channel.send(envelope(number))

    assert relay.greetings == 1
    assert len(relay.mails) == 5


async def test_many_messages_share_a_few_connections(relay: Relay, channel: SmtpChannel) -> None:
    await asyncio.gather(*(channel.send(envelope(number)) for number in range(40)))

    assert relay.greetings == 2
    assert len(relay.mails) == 40


async def test_a_connection_is_renewed_after_so_many_messages(
    relay: Relay, channel: SmtpChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MESSAGES_PER_CONNECTION", 2)
    for number in range(5):
        await channel.send(envelope(number))

    assert relay.greetings == 3


async def test_a_kept_connection_that_the_relay_closed_is_replaced_unseen(relay: Relay, channel: SmtpChannel) -> None:
    await channel.send(envelope(1))
    relay.hang_up()
    await channel.send(envelope(2))

    assert relay.greetings == 2
    assert len(relay.mails) == 2


@pytest.mark.parametrize("answer", ["421 4.4.2 idle too long", CLOSE])
async def test_a_kept_connection_that_is_closed_at_mail_is_replaced_unseen(
    relay: Relay, channel: SmtpChannel, answer: str
) -> None:
    await channel.send(envelope(1))
    relay.will("MAIL", answer)
    await channel.send(envelope(2))

    assert relay.greetings == 2
    assert len(relay.mails) == 2


async def test_bounces_of_each_message_come_to_an_address_of_its_own(relay: Relay) -> None:
    async with channel_to(relay.port, return_path="returns@example.org") as channel:
        await channel.send(envelope(1))
        await channel.send(envelope(2))

    names = [own_name(envelope(n).message_id) for n in (1, 2)]
    assert relay.senders == [f"returns+{name}@example.org" for name in names]
    assert all(b"From: " in mail and b"returns" not in mail for mail in relay.mails)


@pytest.mark.parametrize("answer", ["421 4.7.0 too many connections", CLOSE])
async def test_it_is_replaced_once_and_no_more(relay: Relay, channel: SmtpChannel, answer: str) -> None:
    await channel.send(envelope(1))
    relay.will("MAIL", answer, answer)

    error = await failure(channel.send(envelope(2)))
    assert isinstance(error, ProviderUnavailable)
    assert error.cause == "provider"
    assert relay.greetings == 2


async def test_a_rested_connection_that_no_longer_answers_is_replaced(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "TRUSTED_REST", -1.0)
    async with channel_to(relay.port, timeout=2.0) as channel:
        await channel.send(envelope(1))
        relay.will("RSET", SILENCE)
        await channel.send(envelope(2))

    assert relay.greetings == 2
    assert len(relay.mails) == 2


STAGES = ("MAIL", "RCPT", "DATA", "content")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "reply",
    ["421 4.3.2 shutting down", "450 4.2.1 later", "451 4.7.1 slow down", "452 4.3.1 no room", "552 5.2.2 full"],
)
async def test_what_passes_is_put_off_at_any_stage(relay: Relay, channel: SmtpChannel, stage: str, reply: str) -> None:
    relay.will(stage, reply)
    error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert error.code == reply.split()[1]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "reply", ["550 5.7.1 policy", "554 5.7.1 spam", "552 5.3.4 too large", "554 no", "550 no reason"]
)
async def test_a_refused_message_is_not_the_fault_of_the_address(
    relay: Relay, channel: SmtpChannel, stage: str, reply: str
) -> None:
    relay.will(stage, reply)

    assert type(await failure(channel.send(envelope()))) is MessageRefused


@pytest.mark.parametrize("stage", ["RCPT", "content"])
async def test_an_unknown_address_is_refused_as_such(relay: Relay, channel: SmtpChannel, stage: str) -> None:
    relay.will(stage, "550 5.1.1 <canary-bob@customer.example>: canary-bob is unknown")
    error = await failure(channel.send(envelope()))

    assert type(error) is AddressRefused
    assert error.reply == "5.1.1 <<address>>: <address> is unknown"


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("421 4.4.2 shutting down", "provider"),
        ("451 4.3.0 queue file write error", "provider"),
        ("450 4.2.0 greylisted", "message"),
        ("451 4.7.1 slow down", "message"),
        ("552 5.2.2 mailbox full", "message"),
        ("530 5.7.0 authentication required", "provider"),
    ],
)
async def test_whose_trouble_it_is_is_told(relay: Relay, channel: SmtpChannel, reply: str, cause: str) -> None:
    relay.will("RCPT", reply)
    error = await failure(channel.send(envelope()))

    assert isinstance(error, ProviderUnavailable)
    assert error.cause == cause


async def test_after_a_refusal_the_connection_serves_the_next_message(relay: Relay, channel: SmtpChannel) -> None:
    await channel.send(envelope(1))
    relay.will("RCPT", "550 5.1.1 unknown")
    await failure(channel.send(envelope(2)))
    await channel.send(envelope(3))

    assert relay.commands[4:] == ["MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA", "content"]
    assert relay.greetings == 1


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [CLOSE, SILENCE])
async def test_trouble_before_the_go_ahead_leaves_the_message_unsent(relay: Relay, stage: str, fault: str) -> None:
    relay.will(stage, fault)
    async with channel_to(relay.port, timeout=0.4) as channel:
        error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert not error.permanent
    assert relay.mails == []


@pytest.mark.parametrize("fault", [CLOSE, SILENCE, "no reply at all: canary"])
async def test_no_answer_after_the_dot_is_ambiguous(relay: Relay, fault: str) -> None:
    relay.will("content", fault)
    async with channel_to(relay.port, timeout=0.6) as channel:
        error = await failure(channel.send(envelope()))

    assert type(error) is Ambiguous
    assert len(relay.mails) == 1


async def test_a_connection_lost_right_after_the_go_ahead_is_never_called_refused(
    relay: Relay, channel: SmtpChannel
) -> None:
    relay.will("DATA", "354")

    assert type(await failure(channel.send(envelope()))) in {Ambiguous, ProviderUnavailable}
    assert relay.mails == []


async def test_a_connection_lost_before_the_dot_could_go_out_leaves_the_message_unsent(
    relay: Relay, channel: SmtpChannel
) -> None:
    line = channel._free._queue[-1]  # type: ignore[attr-defined]  # the instant between go-ahead and dot has no other door
    offer = line.offer

    async def offer_and_lose(mail: object) -> None:
        await offer(mail)
        line._smtp.transport.abort()

    line.offer = offer_and_lose

    assert type(await failure(channel.send(envelope()))) is ProviderUnavailable
    assert relay.mails == []


async def test_after_an_ambiguous_message_the_next_goes_over_a_new_connection(relay: Relay) -> None:
    relay.will("content", SILENCE)
    async with channel_to(relay.port, timeout=0.6, connections=1) as channel:
        await failure(channel.send(envelope(1)))
        await channel.send(envelope(2))

    assert relay.greetings == 2


async def test_a_cancelled_send_gives_its_connection_back(relay: Relay) -> None:
    relay.will("content", SILENCE)
    async with channel_to(relay.port, connections=1) as channel:
        sending = asyncio.create_task(channel.send(envelope(1)))
        await relay.took_one.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await channel.send(envelope(2))

    assert len(relay.mails) == 2


async def test_a_send_waits_for_a_free_connection_but_not_for_ever(relay: Relay) -> None:
    relay.will("content", SILENCE)
    async with channel_to(relay.port, connections=1, timeout=0.6) as channel:
        first, second = await asyncio.gather(
            channel.send(envelope(1)), channel.send(envelope(2)), return_exceptions=True
        )

    assert isinstance(first, Ambiguous)
    assert isinstance(second, ProviderUnavailable)
    assert "busy" in str(second)


@asynccontextmanager
async def speaking(speak: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[int]:
    """A server that says its own at once and then nothing more."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        speak(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    "banner", [b"", b"220-still thinking\r\n", b"554 5.7.1 go away\r\n", b"421 busy\r\n", b"HTTP/1.1 400 Bad\r\n"]
)
async def test_a_relay_that_does_not_let_us_in_delays_every_message_and_refuses_none(banner: bytes) -> None:
    async with speaking(lambda writer: writer.write(banner)) as port, channel_to(port, timeout=0.4) as channel:
        assert type(await failure(channel.send(envelope()))) is ProviderUnavailable


async def test_nobody_there_is_a_delay_that_names_the_relay() -> None:
    async with speaking(lambda writer: None) as port:
        pass
    async with channel_to(port) as channel:
        error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert f"127.0.0.1:{port}" in str(error)


async def test_right_credentials_are_used() -> None:
    async with (
        listening(authenticator=authenticate, auth_require_tls=False) as relay,
        channel_to(relay.port, username="us", password=SecretStr(PASSWORD)) as channel,
    ):
        await channel.send(envelope())

    assert len(relay.mails) == 1


async def test_wrong_credentials_delay_every_message_and_are_not_repeated() -> None:
    async with (
        listening(authenticator=authenticate, auth_require_tls=False) as relay,
        channel_to(relay.port, username="canary-us", password=SecretStr("canary-wrong")) as channel,
    ):
        error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert error.code == "535"
    assert "credentials" in str(error)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_relay_that_asks_for_a_login_we_lack_delays_every_message() -> None:
    async with (
        listening(authenticator=authenticate, auth_require_tls=False, auth_required=True) as relay,
        channel_to(relay.port) as channel,
    ):
        error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert "credentials" in str(error)


def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server with a certificate of its own, and of a client that trusts it."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATES / "server.crt", CERTIFICATES / "server.key")
    client = ssl.create_default_context(cafile=str(CERTIFICATES / "server.crt"))
    client.check_hostname = False
    return server, client


async def test_starttls_encrypts_the_connection() -> None:
    server, client = certified()
    async with (
        listening(tls_context=server, require_starttls=True) as relay,
        channel_to(relay.port, security="starttls", tls=client) as channel,
    ):
        await channel.send(envelope(1))
        await channel.send(envelope(2))

    assert len(relay.mails) == 2


async def test_a_relay_without_starttls_gets_no_message(relay: Relay) -> None:
    async with channel_to(relay.port, security="starttls") as channel:
        assert type(await failure(channel.send(envelope()))) is ProviderUnavailable
    assert relay.commands == []


async def test_a_relay_with_a_strange_certificate_gets_no_message() -> None:
    server, _ = certified()
    async with (
        listening(tls_context=server) as relay,
        channel_to(relay.port, security="starttls") as channel,
    ):
        error = await failure(channel.send(envelope()))

    assert type(error) is ProviderUnavailable
    assert "certificate" in str(error)
    assert relay.commands == []


async def test_a_message_that_cannot_be_touches_no_relay(relay: Relay, channel: SmtpChannel) -> None:
    bad = Envelope(**{**vars(envelope()), "subject": "a\r\nBcc: eve@example.com"})

    assert type(await failure(channel.send(bad))) is MessageRefused
    assert relay.greetings == 0


async def test_a_closed_channel_opens_again_at_the_next_message(relay: Relay, channel: SmtpChannel) -> None:
    await channel.send(envelope(1))
    await channel.close()
    await channel.send(envelope(2))

    assert relay.greetings == 2


def http_reply(status: str) -> Callable[[asyncio.StreamWriter], None]:
    return lambda writer: writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("status", "known"), [("200 OK", True), ("404 Not Found", False), ("500 Oops", None), ("302 Found", None)]
)
async def test_a_lookup_says_yes_no_or_that_it_cannot_tell(status: str, known: bool | None) -> None:
    async with (
        speaking(http_reply(status)) as port,
        channel_to(1, lookup_url=f"http://127.0.0.1:{port}/lookup/") as channel,
    ):
        assert await channel.lookup("<1@mail.example.com>") is known


async def test_without_anybody_to_ask_a_lookup_cannot_tell(channel: SmtpChannel) -> None:
    assert await channel.lookup("1@mail.example.com") is None
    async with channel_to(1, lookup_url="http://127.0.0.1:1") as other:
        assert await other.lookup("1@mail.example.com") is None
