"""Reports of providers a second into the web process, and a storm of bounces and complaints among sends."""

import asyncio
import json
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func
from sqlmodel import select

from nurture.ledger import Status
from nurture.store import Store
from nurture.store.bulk import insert_all
from nurture.store.models import EventRow, LeadRow, MessageRow
from nurture.store.return_tables import ReturnRow
from tests.bench import leads
from tests.bench.intake import postgres
from tests.bench.rows import Row
from tests.bench.stage import Stage
from tests.bench.wire import Wire

SINGLE, IN_BATCHES, BATCH, CONNECTIONS = 6_000, 24_000, 100, 32
BOUNCES, COMPLAINTS, JOURNEYS = 10_000, 1_000, 300
LOGIN = "hook:bench"
BASIC = {"authorization": f"Basic {b64encode(LOGIN.encode()).decode()}"}
KEY = generate_private_key(SECP256R1())
PUBLIC = b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
SIGNED = "x-twilio-email-event-webhook-"
NOW = datetime.now(UTC)


async def measure(folder: Path, scale: float) -> list[Row]:
    """SQLite first, then PostgreSQL as its server comes; the storm on SQLite."""
    secrets = {"postmark": LOGIN, "sendgrid": PUBLIC}
    found: list[Row] = []
    async with Stage(folder / "sqlite", hook_secrets=secrets) as stage:
        found += await _run(stage, "SQLite", scale)
    async with postgres(folder) as url, Stage(folder / "postgres", database_url=url, hook_secrets=secrets) as stage:
        found += await _run(stage, "PostgreSQL", scale)
    async with Stage(folder / "storm", hook_secrets=secrets, speed="1d=1s") as stage:
        return [*found, await _storm(stage, scale)]


async def _run(stage: Stage, database: str, scale: float) -> list[Row]:
    single, batched = int(SINGLE * scale), int(IN_BATCHES * scale)
    await _sent(stage.store, single + batched)
    await stage.web()
    cpu = stage.cpu("web")
    singly = await _rate(stage, "postmark", ((_delivery(n), BASIC) for n in range(single)))
    of_one = (stage.cpu("web") - cpu) / single
    cpu = stage.cpu("web")
    in_batches = await _rate(stage, "sendgrid", _batches(range(single, single + batched))) * BATCH
    of_many = (stage.cpu("web") - cpu) / batched
    kept = await _count(stage.store, EventRow)
    if kept != single + batched:
        raise AssertionError(f"{kept} reports are in the store: not each that was sent, once")
    return [
        Row(f"{database}, one report a request, {CONNECTIONS} connections", singly, "reports/s", at_least=1500),
        Row(f"{database}, the web process's CPU for one", 1000 * of_one, "ms"),
        Row(f"{database}, {BATCH} reports a request, {CONNECTIONS} connections", in_batches, "reports/s"),
        Row(f"{database}, the web process's CPU for each of them", 1000 * of_many, "ms"),
    ]


async def _storm(stage: Stage, scale: float) -> Row:
    """Bounces and complaints one by one and in any order, every tenth of them twice, while journeys send."""
    bounces, complaints = int(BOUNCES * scale), int(COMPLAINTS * scale)
    await _sent(stage.store, bounces + complaints)
    await stage.temporal()
    await stage.sink()
    await stage.web()
    await stage.worker()
    people = await leads.settle(stage.store, int(JOURNEYS * scale))
    told = [_bounce(n) if n < bounces else _complaint(n) for n in range(bounces + complaints)]
    told += told[::10]
    random.Random(23).shuffle(told)  # an order of play
    begun = time.monotonic()
    sending = asyncio.create_task(leads.enter(stage.store, "road", people, pace=86400, start=True))
    await _rate(stage, "postmark", ((one, BASIC) for one in told))
    took = time.monotonic() - begun
    await sending

    async def all_over() -> bool:
        return await leads.standing(stage.store, "road", "ended") == len(people)

    await stage.until("the end of the journeys", all_over, patience=300)
    kept = await _count(stage.store, ReturnRow)
    if kept != bounces + complaints:
        raise AssertionError(f"{kept} of {bounces + complaints} bounces and complaints are in the store")
    what = f"{bounces:,} bounces and {complaints:,} complaints, each once, while {len(people)} journeys send"
    return Row(f"SQLite, {what}", took, "s", at_most=60)


async def _rate(stage: Stage, provider: str, requests: Iterator[tuple[Any, dict[str, str]]]) -> float:
    """Requests a second over all connections, from the first to the last answer."""
    wires = [await Wire.open(stage.ports.web, "") for _ in range(CONNECTIONS)]
    sent = 0

    async def send(wire: Wire) -> None:
        nonlocal sent
        for given, headers in requests:
            sent += 1
            status = await wire.post(f"/hooks/email/{provider}", given, headers)
            if status != 200:
                raise AssertionError(f"a report was answered with {status}")

    begun = time.monotonic()
    await asyncio.gather(*(send(wire) for wire in wires))
    took = time.monotonic() - begun
    for wire in wires:
        wire.close()
    return sent / took


async def _sent(store: Store, number: int) -> None:
    """So many messages, each to a lead of its own."""
    people = [
        LeadRow(id=f"lead-{n}", email=f"lead-{n}@example.com", created_at=NOW, updated_at=NOW) for n in range(number)
    ]
    rows = [
        MessageRow(occurrence=f"bench/{n}", lead_id=f"lead-{n}", campaign="bench", template="price-list/remind",
                   channel="email", purpose="marketing", topic="news", status=Status.ACCEPTED.value, due_at=NOW,
                   message_id=f"<{n:032x}@example.com>", committed_at=NOW, updated_at=NOW)
        for n in range(number)
    ]  # fmt: skip
    async with store.write() as session:
        await insert_all(session, LeadRow, [one.model_dump() for one in people])
        await insert_all(session, MessageRow, [one.model_dump() for one in rows])


async def _count(store: Store, model: type[EventRow] | type[ReturnRow]) -> int:
    async with store.read() as session:
        return (await session.exec(select(func.count()).select_from(model))).one()


# --- what the providers say ---


def _delivery(n: int) -> dict[str, Any]:
    return _record(n, "Delivery", "DeliveredAt")


def _bounce(n: int) -> dict[str, Any]:
    return _record(n, "Bounce", "BouncedAt", Type="HardBounce", ID=n)


def _complaint(n: int) -> dict[str, Any]:
    return _record(n, "SpamComplaint", "BouncedAt", ID=n)


def _record(n: int, record: str, time_name: str, **more: Any) -> dict[str, Any]:
    common = {
        "RecordType": record,
        "MessageID": f"m{n}",
        time_name: NOW.isoformat(),
        "Metadata": {"message": f"{n:032x}"},
    }
    return {**common, "Recipient": f"lead-{n}@example.com", "Tag": "news", "ServerID": 23, **more}


def _batches(numbers: Sequence[int]) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Signed as SendGrid does it, before the clock runs."""
    made = []
    for first in range(0, len(numbers), BATCH):
        events = [
            {"event": "delivered", "sg_event_id": f"e{n}", "timestamp": int(NOW.timestamp()), "nurture": f"{n:032x}",
             "email": f"lead-{n}@example.com", "smtp-id": f"<{n}>", "response": "250 OK"}
            for n in numbers[first : first + BATCH]
        ]  # fmt: skip
        body, stamp = json.dumps(events).encode(), str(int(NOW.timestamp()))
        signature = b64encode(KEY.sign(stamp.encode() + body, ECDSA(SHA256()))).decode()
        made.append((body, {f"{SIGNED}signature": signature, f"{SIGNED}timestamp": stamp}))
    return iter(made)
