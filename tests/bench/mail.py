"""Messages a second through render, ledger and SMTP in one worker process, beside a bare loop that pushes the same mails."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiosmtplib

from activities.channels import channels
from activities.equipment import Equipment
from activities.walk import walk
from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, compose
from nurture.journey import begin
from nurture.laptop.ports import HOST
from nurture.loader import load
from nurture.metrics import Metrics
from nurture.pace import Pace
from nurture.settings import Settings
from nurture.store.campaigns import current
from tests.bench import leads
from tests.bench.rows import Row
from tests.bench.stage import Stage
from worker import equip
from workflows.ports import WalkOrder

MESSAGES, ROUNDS, AT_ONCE = 500, 3, 100


class Run(NamedTuple):
    """Messages a second, and milliseconds of this process's CPU for each."""

    rate: float
    cpu: float


@dataclass
class Draft:
    """A channel that keeps the mails for the bare loop."""

    name: str = "email"
    mails: list[Mail] = field(default_factory=list)

    async def send(self, envelope: Envelope) -> Receipt:
        """Keep it."""
        self.mails.append(compose(envelope))
        return Receipt("250 kept")

    async def lookup(self, message_id: str) -> bool | None:
        """It cannot tell."""

    async def close(self) -> None:
        """Nothing to let go of."""


async def measure(folder: Path, scale: float) -> list[Row]:
    """Whole walks as the worker's activities make them, as many at a time; the bare loop has as many connections."""
    number = int(MESSAGES * scale)
    async with Stage(folder) as stage:
        await stage.sink()
        settings, draft = stage.settings, Draft()
        catalogue = load(settings.campaigns, settings.templates)
        await _walked(equip(settings, stage.store, catalogue, {"email": draft}), 100)
        ways = channels(settings, stage.store, catalogue, Metrics())
        equipment = equip(settings, stage.store, catalogue, ways)
        ours: list[Run] = []
        bare: list[Run] = []
        for _ in range(ROUNDS):
            bare.append(await _pushed(settings, draft.mails, number))
            ours.append(await _walked(equipment, number))
        await ways["email"].close()
    our, plain = _middle(ours), _middle(bare)
    return [
        Row("render, ledger and SMTP, one worker process", our.rate, "messages/s", at_least=200),
        Row("the same to a bare loop", our.rate / plain.rate, "ratio", at_least=0.5),
        Row("the bare loop", plain.rate, "messages/s"),
        Row("render, ledger and SMTP, CPU", our.cpu, "ms a message"),
        Row("the bare loop, CPU", plain.cpu, "ms a message"),
    ]


async def _walked(equipment: Equipment, number: int) -> Run:
    """Walks that each send one message and park."""
    store = equipment.store
    people = await leads.settle(store, number)
    journeys = await leads.enter(store, "road", people, start=False)
    async with store.read() as session:
        version = await current(session, "road")
    places = asyncio.Semaphore(AT_ONCE)

    async def go(lead_id: str, journey_id: str) -> None:
        now = datetime.now(UTC)
        order = WalkOrder(
            journey_id=journey_id, lead_id=lead_id, version=version.hash, pace=Pace(origin=now),
            position=begin(version, now), now=now,
        )  # fmt: skip
        async with places:
            walked = await walk(equipment, order, datetime.now(UTC))
        assert [one.kind for one in walked.replies] == ["did", "parked"]

    sending = asyncio.gather(*(go(*one) for one in zip(people, journeys, strict=True)))
    return await _timed(sending, number)


async def _pushed(settings: Settings, mails: Sequence[Mail], number: int) -> Run:
    """A loop that does nothing else, over as many kept connections as the channel has."""
    turns = iter(range(number))

    async def push() -> None:
        async with aiosmtplib.SMTP(hostname=HOST, port=settings.smtp_port, start_tls=False) as line:
            for at in turns:
                mail = mails[at % len(mails)]
                await line.sendmail(mail.sender, [mail.recipient], mail.content)

    return await _timed(asyncio.gather(*(push() for _ in range(settings.email_connections))), number)


async def _timed(sending: Awaitable[object], number: int) -> Run:
    begun, cpu = time.monotonic(), time.process_time()
    await sending
    return Run(number / (time.monotonic() - begun), 1000 * (time.process_time() - cpu) / number)


def _middle(runs: list[Run]) -> Run:
    return Run._make(median(column) for column in zip(*runs, strict=True))
