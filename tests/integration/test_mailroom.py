"""Mails that come back, by a door of our own and by a mailbox: each tells once what it tells, and none is lost."""

import asyncio
import hmac
import smtplib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from nurture import gives, on
from nurture.catalogue import Catalogue
from nurture.errors import Unavailable
from nurture.intake import Recorder, Reports
from nurture.ledger import Status
from nurture.mailroom.door import open_door
from nurture.mailroom.mailroom import NOT_OURS, UNREADABLE, Mailroom
from nurture.mailroom.round import go_round
from nurture.profile import address_hash
from nurture.scores import Score
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.messages import planned, write
from nurture.store.models import EventRow, LeadRow, OutboxRow
from nurture.store.suppressions import suppressed
from tests import mails
from tests.integration.conftest import REPORTS_LOGIN
from tests.integration.dovecot import Box, Dovecot
from web.app import compose

THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
INTEREST = Score(key="interest", rules=(gives(15, on("message_replied")),))
TOO_DEEP = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(5000))


@pytest.fixture
async def mailroom(store: Store) -> Mailroom:
    """A mailroom, and a lead with a message that mails can be about."""
    async with store.write() as session:
        session.add(LeadRow(id="ann", email="ann@example.com", created_at=THEN, updated_at=THEN))
        await session.flush()
        row = planned(
            THEN, occurrence="greet/0/1", lead_id="ann", campaign="road", template="road/greet", channel="email",
            purpose="marketing", topic="news", message_id=mails.OURS, due_at=THEN,
        )  # fmt: skip
        await write(session, row.model_copy(update={"status": Status.ACCEPTED.value, "committed_at": THEN}))
    recorder = Recorder(Catalogue(scores={"interest": INTEREST}), Settings(_env_file=None))
    return Mailroom(Reports(store, recorder, outbox_limit=100))


async def events(store: Store) -> list[str]:
    async with store.read() as session:
        return list((await session.exec(select(EventRow.name).order_by(col(EventRow.received)))).all())


async def scopes(store: Store) -> set[str]:
    async with store.read() as session:
        return set(await suppressed(session, address_hash("ann@example.com")))


# --- what a mail tells ---


async def test_a_reply_is_an_event_that_journeys_hear_and_that_gives_points(
    mailroom: Mailroom, store: Store, now: datetime
) -> None:
    await mailroom.take(mails.answer(), now)

    assert await events(store) == ["message_replied"]
    async with store.read() as session:
        assert (await session.get_one(LeadRow, "ann")).scores == {"interest": 15.0}
        [told] = (await session.exec(select(OutboxRow))).all()
    assert "event.message_replied" in told.body["keys"]


async def test_a_mail_that_is_delivered_again_and_again_counts_once(
    mailroom: Mailroom, store: Store, now: datetime
) -> None:
    await asyncio.gather(*(mailroom.take(mails.answer(), now) for _ in range(5)))
    await mailroom.take(mails.failed("5.1.1"), now)
    await mailroom.take(mails.failed("5.1.1"), now + timedelta(days=8))

    assert await events(store) == ["message_replied", "message_bounced"]


async def test_a_bounce_gives_up_the_leads_own_address_whatever_address_it_names(
    mailroom: Mailroom, store: Store, now: datetime
) -> None:
    await mailroom.take(mails.failed("5.1.1").replace(b"rfc822; ann@example.com", b"rfc822; bob@example.com"), now)

    assert await scopes(store) == {"all"}
    async with store.read() as session:
        assert await suppressed(session, address_hash("bob@example.com")) == {}


async def test_a_complaint_ends_marketing_and_a_refusal_by_mail_ends_the_topic(
    mailroom: Mailroom, store: Store, now: datetime
) -> None:
    await mailroom.take(mails.arf("abuse"), now)
    await mailroom.take(mails.answer(body="unsubscribe"), now)

    assert await scopes(store) == {"marketing"}
    async with store.read() as session:
        assert await current_consents(session, "ann", now) == {"news": False}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(mails.answer("Automatic reply: away"), id="an absence"),
        pytest.param(mails.RECEIPT, id="a receipt"),
        pytest.param(mails.FROM_A_STRANGER, id="a stranger"),
        pytest.param(mails.failed("5.1.1").replace(mails.NAME.encode(), b"0" * 32), id="a bounce of no message"),
        pytest.param(mails.failed("5.7.1").replace(b"failed", b"delayed"), id="a delay"),
        pytest.param(mails.BROKEN, id="broken"),
        pytest.param(TOO_DEEP, id="too deep"),
    ],
)
async def test_what_says_nothing_of_our_messages_changes_nothing_and_is_counted(
    mailroom: Mailroom, store: Store, now: datetime, content: bytes
) -> None:
    await mailroom.take(content, now)

    assert await events(store) == []
    assert await scopes(store) == set()
    assert sum(mailroom.tally[name] for name in (NOT_OURS, UNREADABLE)) in (0, 1)
    assert mailroom.tally.total() >= 1


# --- the door ---


@asynccontextmanager
async def door(mailroom: Mailroom) -> AsyncIterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    async with open_door(mailroom, "127.0.0.1", port):
        yield port


def deliver(port: int, content: bytes, *to: str, sender: str = "") -> Counter[int]:
    """Deliver it as a mail server does; the answers, one for each recipient."""
    with smtplib.LMTP("127.0.0.1", port) as lmtp:
        lmtp.ehlo()
        assert lmtp.mail(sender)[0] == 250
        for one in to or ("returns@example.org",):
            assert lmtp.rcpt(one)[0] == 250
        assert lmtp.docmd("DATA")[0] == 354
        lmtp.send(content.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        return Counter(lmtp.getreply()[0] for _ in to or ("one",))


async def test_what_is_delivered_to_the_door_is_taken_in_before_it_is_acknowledged(
    mailroom: Mailroom, store: Store
) -> None:
    async with door(mailroom) as port:
        answers = await asyncio.to_thread(deliver, port, mails.answer(), sender="ann@example.com")

        assert answers == {250: 1}
        assert await events(store) == ["message_replied"]


async def test_each_recipient_has_an_answer_of_its_own(mailroom: Mailroom, store: Store) -> None:
    async with door(mailroom) as port:
        answers = await asyncio.to_thread(deliver, port, mails.answer(), "a@example.org", "b@example.org")

    assert answers == {250: 2}
    assert await events(store) == ["message_replied"]


async def test_a_bounce_is_known_by_the_address_that_it_is_delivered_to(mailroom: Mailroom, store: Store) -> None:
    content = mails.BY_ITS_ADDRESS.replace(b"Delivered-To", b"X-Nothing")
    async with door(mailroom) as port:
        await asyncio.to_thread(deliver, port, content, f"bounces+{mails.NAME}@example.org")

    assert await events(store) == ["message_bounced"]


async def test_what_cannot_be_taken_in_now_is_to_be_delivered_again(mailroom: Mailroom, store: Store) -> None:
    async with store.write() as session:
        rows = [OutboxRow(lead_id="ann", kind="event", due_at=THEN, created_at=THEN) for _ in range(100)]
        session.add_all(rows)
    async with door(mailroom) as port:
        assert await asyncio.to_thread(deliver, port, mails.answer()) == {451: 1}
        assert await events(store) == []

        async with store.write() as session:
            for row in (await session.exec(select(OutboxRow))).all():
                await session.delete(row)
        assert await asyncio.to_thread(deliver, port, mails.answer()) == {250: 1}
    assert await events(store) == ["message_replied"]


# --- what a provider hands on ---


MAILGUN = {"timestamp": "1764000000", "token": "t" * 50}


@pytest.fixture
async def edge(database_url: str, mailroom: Mailroom) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP edge of an installation whose providers take mails in."""
    secrets = {"postmark": SecretStr(REPORTS_LOGIN), "mailgun": SecretStr("key")}
    settings = Settings(_env_file=None, database_url=SecretStr(database_url), hook_secrets=secrets)
    app = compose(settings, Catalogue())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://nurture") as client,
    ):
        yield client


def signed(key: bytes = b"key") -> dict[str, str]:
    return {**MAILGUN, "signature": hmac.new(key, "".join(MAILGUN.values()).encode(), "sha256").hexdigest()}


async def test_a_mail_that_postmark_hands_on_is_taken_in_once(edge: httpx.AsyncClient, store: Store) -> None:
    login = httpx.BasicAuth(*REPORTS_LOGIN.split(":"))
    inbound = {"MessageStream": "inbound", "From": "ann@example.com", "RawEmail": mails.answer().decode()}

    answers = [await edge.post("/hooks/email/postmark/mime", json=inbound, auth=login) for _ in range(2)]

    assert [one.json() for one in answers] == [{"taken": 1}, {"taken": 0}]
    assert await events(store) == ["message_replied"]


@pytest.mark.parametrize("multipart", [False, True])
async def test_a_mail_that_a_route_of_mailgun_forwards_is_taken_in(
    edge: httpx.AsyncClient, store: Store, multipart: bool
) -> None:
    fields = {**signed(), "recipient": "hello@example.org", "body-mime": mails.failed("5.1.1").decode()}
    given: dict[str, Any] = (
        {"files": {name: (None, value) for name, value in fields.items()}} if multipart else {"data": fields}
    )

    answer = await edge.post("/hooks/email/mailgun/mime", **given)

    assert answer.json() == {"taken": 1}
    assert await events(store) == ["message_bounced"]


async def test_a_mail_that_nobody_proves_to_hand_on_is_not_taken(edge: httpx.AsyncClient, store: Store) -> None:
    forged = {**signed(b"another"), "body-mime": mails.answer().decode()}

    assert (await edge.post("/hooks/email/mailgun/mime", data=forged)).status_code == 401
    assert (await edge.post("/hooks/email/postmark/mime", json={"RawEmail": "x"})).status_code == 401
    assert (await edge.post("/hooks/email/sendgrid/mime", json={})).status_code == 404
    assert await events(store) == []


async def test_a_webhook_without_the_mail_in_it_says_what_to_set(edge: httpx.AsyncClient) -> None:
    login = httpx.BasicAuth(*REPORTS_LOGIN.split(":"))

    answer = await edge.post("/hooks/email/postmark/mime", json={"MessageStream": "inbound"}, auth=login)

    assert (answer.status_code, answer.json()["field"]) == (422, "body")


# --- the mailbox ---


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """One server for all, with a mailbox for each."""
    # Not below pytest's own folder, which is shut to the user whom the mailbox belongs to.
    with TemporaryDirectory(prefix="nurture-dovecot-", ignore_cleanup_errors=True) as folder:
        server = Dovecot(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def box(dovecot: Dovecot) -> Box:
    return dovecot.box()


@pytest.mark.imap
async def test_a_mailbox_is_read_once_whoever_reads_it_and_however_often(
    mailroom: Mailroom, store: Store, now: datetime, box: Box
) -> None:
    box.deliver(mails.answer("Automatic reply: away"), mails.answer(), mails.failed("5.1.1"))

    rounds = await asyncio.gather(*(go_round(box.account, store, mailroom, now) for _ in range(3)))
    assert sorted(rounds) == [0, 0, 3]
    assert await events(store) == ["message_replied", "message_bounced"]
    assert await go_round(box.account, store, mailroom, now) == 0

    box.deliver(mails.arf("abuse"))
    assert await go_round(box.account, store, mailroom, now) == 1
    assert await events(store) == ["message_replied", "message_bounced", "message_complained"]


@pytest.mark.imap
async def test_mails_whose_numbers_changed_are_read_again_and_count_no_more(
    mailroom: Mailroom, store: Store, now: datetime, box: Box
) -> None:
    box.deliver(mails.answer())
    await go_round(box.account, store, mailroom, now)

    box.renumber()
    box.deliver(mails.failed("5.1.1"))
    assert await go_round(box.account, store, mailroom, now) == 2
    assert await events(store) == ["message_replied", "message_bounced"]


@pytest.mark.imap
async def test_a_mailbox_is_left_as_it_is_and_read_on_where_a_worker_died(
    mailroom: Mailroom, store: Store, now: datetime, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.deliver(*(mails.answer().replace(b"reply-1", b"reply-%d" % n) for n in range(150)))

    async def dies(content: bytes, now: datetime) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as away:
        away.setattr(mailroom, "take", dies)
        with pytest.raises(Unavailable):
            await go_round(box.account, store, mailroom, now)
    mailroom._reports._limit = 10_000
    assert await go_round(box.account, store, mailroom, now) == 150

    assert await events(store) == ["message_replied"] * 150
    assert len(list((box.folder / "cur").iterdir())) == 0, "nothing is marked as seen"


@pytest.mark.imap
async def test_why_a_mailbox_cannot_be_read_is_told_without_the_login(
    mailroom: Mailroom, store: Store, now: datetime, box: Box
) -> None:
    wrong = replace(box.account, password=SecretStr("canary"))
    nowhere = replace(box.account, port=1)

    for account in (wrong, nowhere):
        with pytest.raises(Unavailable, match="cannot be read") as caught:
            await go_round(account, store, mailroom, now)
        assert "canary" not in str(caught.value)
    assert await go_round(box.account, store, mailroom, now) == 0, "and the lease is given back"
