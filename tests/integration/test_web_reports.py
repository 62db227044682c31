"""What providers of e-mail report: proven, written down once, in any order, and no more made of it than was said."""

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from nurture.intake.reports import NAMED
from nurture.ledger import Status
from nurture.profile import address_hash
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.messages import planned, write
from nurture.store.models import EventRow, LeadRow, MessageRow
from nurture.store.suppressions import suppressed
from tests.integration.conftest import REPORTS_LOGIN
from tests.integration.scene import Scene

NAME = "0123456789abcdef0123456789abcdef"
LOGIN = {"Authorization": f"Basic {b64encode(REPORTS_LOGIN.encode()).decode()}"}
THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "ID": 7,
    "Email": "ann@example.com",
    "BouncedAt": "2026-11-20T12:00:05Z",
}


def delivery(name: str = NAME, at: str = "2026-11-20T12:00:01Z") -> dict[str, Any]:
    return {"RecordType": "Delivery", "MessageID": "m1", "DeliveredAt": at, "Metadata": {"message": name},
            "Recipient": "ann@example.com"}  # fmt: skip


def bounce(**more: Any) -> dict[str, Any]:
    return {**BOUNCE, "Metadata": {"message": NAME}, **more}


def complaint() -> dict[str, Any]:
    return bounce(RecordType="SpamComplaint", Type="SpamComplaint", ID=8)


def leaving() -> dict[str, Any]:
    return {"RecordType": "SubscriptionChange", "MessageID": "m1", "ChangedAt": "2026-11-20T12:01:00Z",
            "SuppressSending": True, "Origin": "Recipient", "Recipient": "ann@example.com",
            "Metadata": {"message": NAME}}  # fmt: skip


async def post(client: httpx.AsyncClient, record: Any, headers: dict[str, str] = LOGIN) -> httpx.Response:
    return await client.post("/hooks/email/postmark", json=record, headers=headers)


async def sent(store: Store, status: Status = Status.ACCEPTED, lead: str | None = "ann") -> None:
    """A lead and a message to it, as it was handed over."""
    async with store.write() as session:
        session.add(LeadRow(id="ann", email="ann@example.com", created_at=THEN, updated_at=THEN))
        await session.flush()
        row = planned(
            THEN, occurrence="greet/0/1", lead_id=lead, campaign="road", template="road/greet", channel="email",
            purpose="marketing", topic="news", message_id=f"<{NAME}@example.org>", due_at=THEN,
        )  # fmt: skip
        await write(session, row.model_copy(update={"status": status.value, "committed_at": THEN}))


async def events(store: Store) -> list[tuple[str, str | None]]:
    async with store.read() as session:
        found = (await session.exec(select(EventRow).order_by(col(EventRow.received)))).all()
    return [(one.name, one.properties.get("fault")) for one in found]


async def refused_by(store: Store) -> dict[str, str]:
    async with store.read() as session:
        return await suppressed(session, address_hash("ann@example.com"))


async def status(store: Store) -> str:
    async with store.read() as session:
        return (await session.exec(select(MessageRow.status))).one()


async def test_a_delivery_is_an_event_once_however_often_it_is_told(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    answers = await asyncio.gather(*(post(client, delivery()) for _ in range(8)))

    assert [one.status_code for one in answers] == [200] * 8
    assert sum(one.json()["taken"] for one in answers) == 1
    assert await events(store) == [("message_delivered", None)]


@pytest.mark.parametrize(
    ("kind", "fault", "scopes"),
    [("HardBounce", "address", {"all"}), ("SoftBounce", "mailbox", set()), ("SpamNotification", "sender", set())],
)
async def test_only_an_address_that_does_not_exist_is_written_to_no_more(
    client: httpx.AsyncClient, store: Store, kind: str, fault: str, scopes: set[str]
) -> None:
    await sent(store)

    await post(client, bounce(Type=kind))

    assert await events(store) == [("message_bounced", fault)]
    assert (await refused_by(store)).keys() == scopes


async def test_who_complains_gets_no_marketing_any_more(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    await post(client, complaint())

    assert await events(store) == [("message_complained", None)]
    assert (await refused_by(store)).keys() == {"marketing"}


async def test_who_unsubscribes_there_has_unsubscribed_here(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    await post(client, leaving())

    async with store.read() as session:
        assert await current_consents(session, "ann") == {"news": False}
    assert await events(store) == [("unsubscribed", None)]


@pytest.mark.parametrize("report", [delivery(), bounce(), complaint()])
async def test_any_report_shows_that_the_provider_has_a_message_in_doubt(
    client: httpx.AsyncClient, store: Store, report: dict[str, Any]
) -> None:
    await sent(store, Status.UNKNOWN)

    await post(client, report)

    assert await status(store) == Status.ACCEPTED
    assert (await events(store))[0] == ("message_sent", None)


async def test_reports_in_any_order_come_to_the_same(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    for report in (complaint(), bounce(), delivery(), bounce(), complaint()):
        await post(client, report)

    assert sorted(name for name, _ in await events(store)) == [
        "message_bounced", "message_complained", "message_delivered",
    ]  # fmt: skip
    assert (await refused_by(store)).keys() == {"all", "marketing"}


async def test_a_report_of_no_message_of_ours_has_no_effect(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    answers = [await post(client, delivery(name)) for name in ("f" * 32, "x", f"{NAME}' OR 1=1 --")]

    assert [(one.status_code, one.json()) for one in answers] == [(200, {"taken": 0})] * 3
    assert await events(store) == []


async def test_a_report_of_an_erased_leads_message_is_dropped(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)
    async with store.write() as session:
        await erase(session, "ann", "ann herself", datetime.now(UTC))

    answer = await post(client, bounce())

    assert (answer.status_code, answer.json()) == (200, {"taken": 0})
    assert await events(store) == []


async def test_of_a_notice_to_the_team_the_ledger_is_told(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store, Status.UNKNOWN, lead=None)

    await post(client, delivery())

    assert await status(store) == Status.ACCEPTED
    assert await events(store) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
        {"Authorization": "Bearer x"},
        {"Authorization": ""},
    ],
)
async def test_who_cannot_prove_to_be_the_provider_is_not_heard(
    client: httpx.AsyncClient, store: Store, headers: dict[str, str]
) -> None:
    await sent(store)

    answer = await post(client, bounce(), headers)

    assert answer.status_code == 401
    assert await events(store) == []
    assert await refused_by(store) == {}


async def test_a_provider_without_a_secret_is_not_there(client: httpx.AsyncClient) -> None:
    answer = await client.post("/hooks/email/mailgun", json={})

    assert answer.status_code == 404
    assert "NURTURE_HOOK_SECRETS__" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"3", b'{"RecordType": {}}', json.dumps([1] * 999).encode()]
)
async def test_nonsense_that_is_proven_does_no_harm(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/hooks/email/postmark", content=body, headers=LOGIN)

    assert answer.status_code in {200, 422}


async def test_an_event_is_not_of_the_future(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)
    await post(client, delivery(at=(datetime.now(UTC) + timedelta(days=9)).isoformat()))

    async with store.read() as session:
        (event,) = (await session.exec(select(EventRow))).all()
    assert event.at <= event.received


async def test_messages_are_found_by_their_names_without_reading_all(scene: Scene) -> None:
    async with scene.store.read() as session:
        connection = await session.connection()
        asked = str(NAMED.compile(dialect=connection.dialect))
        if scene.store.sqlite:
            plan = [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", ("[]",))]
        else:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            asked = asked.replace("$1", "'{x}'")
            plan = [row[0] for row in await connection.exec_driver_sql(f"EXPLAIN {asked}")]

    assert "ix_messages_name" in "\n".join(plan)
