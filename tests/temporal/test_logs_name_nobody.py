"""Whatever goes wrong on a lead's journey, the log names nobody: ids only."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from nurture import Campaign, State, days, leave, on, send, wait
from nurture.catalogue import Catalogue
from nurture.channels.guarded import GuardedChannel
from nurture.channels.smtp import SmtpChannel
from nurture.errors import BadInput, ProviderUnavailable
from nurture.intake import Intake, Internal
from nurture.logs import set_up_logs
from nurture.store.models import OutboxRow
from tests.integration.test_smtp_channel import CLOSE, listening
from tests.temporal.town import Town, a_lead

BASIS = "the lead asked for it"
CANARIES = {
    "first_name": "Canaryfirst",
    "last_name": "Canarylast",
    "phone": "+49301234567",
    "city": "Canaryville",
    "email": "canary.address@nowhere.example",
}
TEXT = f"{' '.join(CANARIES.values())} is broken"


@pytest.fixture
def town(sandboxed: Town) -> Town:
    return sandboxed


@contextmanager
def logging_as_a_worker() -> Iterator[io.StringIO]:
    """What the process logs meanwhile, set up as a worker does it."""
    root, written, before = logging.getLogger(), io.StringIO(), list(logging.getLogger().handlers)
    with redirect_stderr(written):
        set_up_logs()
        try:
            yield written
        finally:
            structlog.reset_defaults()
            root.handlers[:] = before


def told(log: io.StringIO) -> set[str]:
    """The actions that were logged, none of which names anybody."""
    written = log.getvalue()
    assert [one for one in CANARIES.values() if one in written] == []
    return {json.loads(line)["action"] for line in written.splitlines()}


def campaign() -> Campaign:
    rooms = [State("first", [send("test/one", legal_basis=BASIS), wait(days(1)), leave("done")])]
    return Campaign("canary", enters=[on("asked")], exits=[on("objected")], states=rooms)


async def met(town: Town, log: io.StringIO, action: str) -> None:
    """A lead's journey meets with trouble, of which the log tells, and is ended."""
    row, handle = await town.begin(campaign(), await town.settle(a_lead(**CANARIES)))
    async with asyncio.timeout(15):
        while True:
            if action in told(log):
                break
            await asyncio.sleep(0.02)  # the worker works meanwhile
    town.postbox.trouble = None
    await town.hears(row, "exit:0", "objected")
    await handle.result()


@pytest.mark.parametrize(
    ("trouble", "action"),
    [
        (ValueError(TEXT), "activity.broke"),
        (IntegrityError("INSERT INTO leads", {"email": CANARIES["email"]}, ValueError(TEXT)), "activity.broke"),
        (ExceptionGroup(TEXT, [ValueError(TEXT)]), "activity.broke"),
        (ProviderUnavailable("no connection", cause="provider"), "activity.put_off"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_trouble_with_a_send(town: Town, trouble: Exception, action: str) -> None:
    town.postbox.trouble = trouble
    with logging_as_a_worker() as log:
        await met(town, log, action)


async def test_trouble_with_a_template(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise BadInput("test/one.en.j2: line 2: 'lead.nickname' is undefined")

    monkeypatch.setattr(town.equipment.templates, "render", breaks)
    with logging_as_a_worker() as log:
        await met(town, log, "activity.put_off")


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("RCPT", f"451 4.7.1 <{CANARIES['email']}> Canaryfirst is busy"),
        ("content", f"421 4.3.2 {CANARIES['email']} come later"),
        ("DATA", CLOSE),
    ],
)
async def test_what_a_relay_says_to_a_message(
    town: Town, monkeypatch: pytest.MonkeyPatch, stage: str, answer: str
) -> None:
    async with listening() as relay:
        relay.will(stage, *[answer] * 5)
        channel = GuardedChannel(SmtpChannel("127.0.0.1", relay.port, security="none"), town.store)
        monkeypatch.setitem(town.equipment.channels, "email", channel)
        with logging_as_a_worker() as log:
            await met(town, log, "activity.put_off")
        await channel.close()


async def test_an_address_that_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as relay:
        relay.will("RCPT", f"550 5.1.1 <{CANARIES['email']}>: Canaryfirst Canarylast is unknown here")
        channel = SmtpChannel("127.0.0.1", relay.port, security="none")
        monkeypatch.setitem(town.equipment.channels, "email", channel)
        with logging_as_a_worker() as log:
            row, _ = await town.begin(campaign(), await town.settle(a_lead(**CANARIES)))
            await town.comes_to(row, "first")
            assert told(log) == set()
        await channel.close()

    assert [one[1] for one in await town.messages(row)] == ["rejected"]


async def test_rows_of_the_outbox_that_cannot_be_done(town: Town) -> None:
    lead_id, now = await town.settle(a_lead(**CANARIES)), datetime.now(UTC)
    async with town.store.write() as session:
        session.add(OutboxRow(lead_id=lead_id, kind="enrol", body=dict(CANARIES), due_at=now, created_at=now))
    with logging_as_a_worker() as log:
        for minutes in range(30):
            await town.dispatch(now + timedelta(minutes=minutes))
        assert told(log) == {"outbox.again", "outbox.dead_letter"}


async def test_an_item_that_cannot_be_stored(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise ValueError(TEXT)

    intake = Intake(town.store, Catalogue(), town.settings)
    monkeypatch.setattr(intake.recorder, "record", breaks)
    with logging_as_a_worker() as log:
        [result] = await intake.accept([Internal(name="visit", lead=dict(CANARIES))], datetime.now(UTC))
        assert told(log) == {"intake.group_failed", "intake.item_failed"}
    await intake.close()

    assert [one for one in CANARIES.values() if one in str(result.error)] == []
