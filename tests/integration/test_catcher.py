"""The mail catcher as a process of its own: real SMTP in, an inbox and JSON out, and a log that outlives it."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from nurture.channels import Envelope
from nurture.channels.smtp import SmtpChannel
from nurture.errors import ProviderUnavailable
from nurture.laptop.catcher import listen
from nurture.laptop.inbox import inbox
from nurture.laptop.mailbox import Mailbox

MAIL = Envelope(
    key="journey-7/greet/1",
    message_id="a1b2@mail.example.com",
    date=datetime(2026, 11, 22, tzinfo=UTC),
    sender="Anna <anna@example.com>",
    recipient="bob@customer.example",
    subject="Прайс-лист <для вас>",
    html='<p>Hello <a href="https://t.example/c?a=1&amp;b=2">See <b>prices</b></a></p><script>alert(1)</script>',
    text="Hello there",
    language="en",
    headers={"List-Unsubscribe": f"<https://t.example/u/{'t' * 200}>"},
)


@dataclass
class Running:
    """A catcher, a channel to it, and a browser of sorts."""

    http: httpx.AsyncClient
    channel: SmtpChannel
    process: Process | None = None

    async def json(self, path: str) -> dict[str, Any]:
        """What the JSON API answers."""
        return dict((await self.http.get(path)).raise_for_status().json())

    async def mails(self, query: str = "") -> list[dict[str, Any]]:
        """The mails that the JSON API tells of."""
        return list((await self.json(f"/api/mails?{query}"))["mails"])

    async def page(self, path: str) -> str:
        """A page of the inbox."""
        return (await self.http.get(path)).raise_for_status().text


@pytest.fixture
async def catcher(tmp_path: Path) -> AsyncIterator[Running]:
    """A catcher in this process."""
    mailbox, smtp = Mailbox(tmp_path / "mails.jsonl"), socket.create_server(("127.0.0.1", 0))
    server = await listen(mailbox, smtp)
    transport = httpx.ASGITransport(inbox(mailbox))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        channel = SmtpChannel("127.0.0.1", smtp.getsockname()[1], security="none")
        yield Running(http, channel)
        await channel.close()
    server.close()
    mailbox.close()


async def start(log: Path, *options: str) -> Process:
    arguments = ("-m", "nurture.laptop.catcher", "--log", str(log), *options)
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE, stderr=PIPE)


@asynccontextmanager
async def catching(log: Path) -> AsyncIterator[Running]:
    """A catcher that is a process of its own, on free ports, ended by SIGTERM."""
    process = await start(log)
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    channel = SmtpChannel("127.0.0.1", ready["smtp_port"], security="none", lookup_url=f"{ready['url']}api/lookup")
    async with httpx.AsyncClient(base_url=ready["url"], trust_env=False) as http:
        yield Running(http, channel, process)
    await channel.close()
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    await process.communicate()


async def test_a_mail_is_told_whole(catcher: Running) -> None:
    await catcher.channel.send(MAIL)
    [mail] = await catcher.mails()

    assert (mail["recipient"], mail["subject"], mail["key"]) == (MAIL.recipient, MAIL.subject, MAIL.key)
    assert (mail["message_id"], mail["text"]) == (MAIL.message_id, "Hello there\n")
    assert mail["links"] == [{"text": "See prices", "url": "https://t.example/c?a=1&b=2"}]
    assert mail["headers"]["List-Unsubscribe"] == MAIL.headers["List-Unsubscribe"]


async def test_mails_are_told_in_order_to_one_address_and_after_an_id(catcher: Running) -> None:
    for number, recipient in enumerate(["bob@x.example", "eva@x.example", "bob@x.example"], start=1):
        await catcher.channel.send(replace(MAIL, recipient=recipient, key=str(number)))

    assert [mail["id"] for mail in await catcher.mails()] == [1, 2, 3]
    assert [mail["key"] for mail in await catcher.mails("to=BOB@x.example")] == ["1", "3"]
    assert [mail["key"] for mail in await catcher.mails("after=1&limit=1")] == ["2"]
    assert (await catcher.json("/api/mails?after=1&limit=1"))["last"] == 2
    assert (await catcher.json("/api/mails?to=nobody@x.example"))["last"] == 3
    assert await catcher.json("/api/count") == {"count": 3}
    assert await catcher.json("/api/count?to=bob@x.example") == {"count": 2}


async def test_a_reader_may_wait_for_the_next_mail(catcher: Running) -> None:
    waiting = asyncio.create_task(catcher.mails("wait=20"))
    await catcher.json("/api/count")
    await catcher.channel.send(MAIL)

    assert [mail["id"] for mail in await waiting] == [1]


async def test_nothing_that_was_acknowledged_is_forgotten_over_a_kill(tmp_path: Path) -> None:
    log = tmp_path / "mails.jsonl"
    async with catching(log) as first:
        await asyncio.gather(*(first.channel.send(replace(MAIL, key=str(number))) for number in range(20)))
        assert first.process is not None
        first.process.kill()
        await first.process.wait()
    async with catching(log) as second:
        await second.channel.send(replace(MAIL, key="after", message_id="after@mail.example.com"))

        assert sorted(mail["key"] for mail in await second.mails()) == sorted([*map(str, range(20)), "after"])
        assert await second.channel.lookup(MAIL.message_id) is True
        assert await second.channel.lookup("after@mail.example.com") is True
        assert await second.channel.lookup("never@mail.example.com") is False


async def test_a_mail_stands_in_the_log_before_it_is_acknowledged(catcher: Running, tmp_path: Path) -> None:
    await catcher.channel.send(MAIL)
    entry = json.loads((tmp_path / "mails.jsonl").read_text())

    assert [entry[name] for name in ("message_id", "recipient", "subject", "key")] == [
        MAIL.message_id, MAIL.recipient, MAIL.subject, MAIL.key
    ]  # fmt: skip
    assert datetime.fromisoformat(entry["at"]).tzinfo is not None


async def test_a_torn_last_line_is_cut_off_and_the_next_mail_stands_alone(tmp_path: Path) -> None:
    log, now = tmp_path / "mails.jsonl", datetime.now(UTC)
    for content in (b"Subject: one\r\n\r\n1", b"Subject: two\r\n\r\n2"):
        mailbox = Mailbox(log)
        await mailbox.keep("a@x.example", "b@x.example", content, now)
        mailbox.close()
        with log.open("a") as file:
            file.write('{"at": "2026-11-22T0')
    mailbox = Mailbox(log)

    assert [(mail.subject, mailbox.content(mail)[-1:]) for mail in mailbox.after(0)] == [("one", b"1"), ("two", b"2")]
    mailbox.close()


async def test_a_log_that_cannot_be_written_delays_the_mail(catcher: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(ProviderUnavailable):
            await catcher.channel.send(MAIL)
    await catcher.channel.send(MAIL)

    assert len(await catcher.mails()) == 1


def full_disk(file: int) -> None:
    raise OSError("no space left on device")


async def test_the_inbox_lists_searches_and_pages(catcher: Running) -> None:
    await asyncio.gather(*(catcher.channel.send(replace(MAIL, recipient=f"lead{n}@x.example")) for n in range(60)))
    page, second = await catcher.page("/"), await catcher.page("/?page=2")

    assert "60</strong> mails caught" in page
    assert (page.count("<li>"), second.count("<li>")) == (50, 10)
    assert (await catcher.page("/?q=LEAD59")).count("<li>") == 1
    assert (await catcher.page("/?q=прайс-лист")).count("<li>") == 50
    assert "Nothing found" in await catcher.page("/?q=nobody")


async def test_one_mail_shows_each_of_its_parts(catcher: Running) -> None:
    await catcher.channel.send(MAIL)

    assert "<iframe" in await catcher.page("/mails/1")
    assert "Hello there" in await catcher.page("/mails/1?part=text")
    assert "List-Unsubscribe" in await catcher.page("/mails/1?part=headers")
    assert "Content-Transfer-Encoding" in await catcher.page("/mails/1?part=source")
    assert 'href="https://t.example/c?a=1&amp;b=2"' in await catcher.page("/mails/1/body")
    assert (await catcher.http.get("/mails/2")).status_code == 404


async def test_what_a_mail_says_runs_nowhere(catcher: Running) -> None:
    await catcher.channel.send(replace(MAIL, subject="<script>alert(1)</script>", key='"><script>x'))
    pages = [
        await catcher.page(path)
        for path in ("/", "/?q=<script>", "/mails/1", "/mails/1?part=text", "/mails/1?part=source")
    ]
    policies = {
        path: (await catcher.http.get(path)).headers["Content-Security-Policy"]
        for path in ("/mails/1", "/mails/1/body")
    }

    assert not [page for page in pages if "<script>" in page]
    assert policies["/mails/1"].startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "sandbox allow-popups" in policies["/mails/1/body"]
    assert "script-src" not in policies["/mails/1/body"]
    assert "allow-scripts" not in pages[2]


async def test_another_host_name_is_refused_so_that_no_foreign_page_reads_the_mails(catcher: Running) -> None:
    answer = await catcher.http.get("/api/mails", headers={"Host": "evil.example"})

    assert answer.status_code == 400


@pytest.mark.parametrize("query", ["after=x", "limit=", "wait=-", "page=1e3"])
async def test_a_number_that_is_none_is_refused_by_its_name(catcher: Running, query: str) -> None:
    path = "/" if query.startswith("page") else "/api/mails"
    answer = await catcher.http.get(f"{path}?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


async def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start(tmp_path / "mails.jsonl", "--smtp-port", str(taken.getsockname()[1]))
        _, error = await process.communicate()

    assert process.returncode == 1
    assert b"another port with --smtp-port" in error
    assert len(error.splitlines()) == 1


async def test_nobody_is_named_on_the_console(tmp_path: Path) -> None:
    async with catching(tmp_path / "mails.jsonl") as running:
        await running.channel.send(MAIL)
        await running.page("/")
        assert running.process is not None
        running.process.send_signal(signal.SIGTERM)
        out, error = await running.process.communicate()

    assert (out, error) == (b"", b"")


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    Mailbox(tmp_path / "mails.jsonl").close()

    assert (tmp_path / "mails.jsonl").stat().st_mode & 0o077 == 0
