"""What providers of e-mail report: proven, written down once, in any order, and no more made of it than was said."""

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from nurture import gives, on
from nurture.catalogue import Catalogue
from nurture.errors import Unavailable
from nurture.intake import Recorder, Reports
from nurture.intake.reports import NAMED
from nurture.ledger import Status
from nurture.profile import address_hash
from nurture.returns.report import Kind, Report
from nurture.scores import Score
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.merge_tables import MergeRow
from nurture.store.messages import planned, write
from nurture.store.models import EventRow, LeadRow, MessageRow
from nurture.store.return_tables import ReturnRow
from nurture.store.suppressions import suppressed
from tests import amazon
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


async def more_sent(store: Store, number: int) -> None:
    """So many more messages to that lead, named by their numbers."""
    rows = [
        planned(THEN, occurrence=f"more/{n}/1", lead_id="ann", campaign="road", template="road/greet", channel="email",
                purpose="marketing", topic="news", message_id=f"<{n:032x}@example.org>", due_at=THEN)
        for n in range(number)
    ]  # fmt: skip
    async with store.write() as session:
        for row in rows:
            await write(session, row.model_copy(update={"status": Status.ACCEPTED.value, "committed_at": THEN}))


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


def full(n: int, day: int) -> dict[str, Any]:
    return bounce(Type="SoftBounce", ID=n, BouncedAt=f"2026-11-{day:02}T12:00:00Z", Metadata={"message": f"{n:032x}"})


async def test_a_mailbox_that_takes_nothing_for_a_week_is_given_up(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)
    await more_sent(store, 4)
    for n, day in enumerate((1, 4, 7)):
        await post(client, full(n, day))
        await post(client, full(n, day))
    await post(client, full(2, 9) | {"ID": 99})
    assert await refused_by(store) == {}, "the third has come back twice, and too soon at first"

    await post(client, full(3, 8))
    assert (await refused_by(store)).keys() == {"all"}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3)])
async def test_a_message_that_arrived_meanwhile_keeps_it_in_whatever_order_that_is_told(
    client: httpx.AsyncClient, store: Store, order: tuple[int, ...]
) -> None:
    await sent(store)
    await more_sent(store, 4)
    told = [full(0, 1), full(1, 4), delivery(f"{2:032x}", "2026-11-05T12:00:00Z"), full(3, 9)]

    for n in order:
        await post(client, told[n])

    assert await refused_by(store) == {}


INTEREST = Score(key="interest", rules=(gives(3, on("message_opened")), gives(-20, on("message_complained"))))


@pytest.fixture
def reports(store: Store) -> Reports:
    """What takes reports in, with a score that listens to them and little room in the outbox."""
    settings = Settings(_env_file=None)
    return Reports(store, Recorder(Catalogue(scores={"interest": INTEREST}), settings), outbox_limit=6)


async def points(store: Store) -> dict[str, float]:
    async with store.read() as session:
        return (await session.get_one(LeadRow, "ann")).scores


async def test_reports_give_points_once_as_whatever_happens_does(reports: Reports, store: Store, now: datetime) -> None:
    await sent(store)
    told = [Report("1", Kind.OPENED, NAME, THEN), Report("2", Kind.COMPLAINED, NAME, THEN)]

    await asyncio.gather(*(reports.take("postmark", told, now) for _ in range(5)))

    assert await points(store) == {"interest": -17.0}


async def test_a_machine_that_opens_gives_none(reports: Reports, store: Store, now: datetime) -> None:
    await sent(store)

    await reports.take("postmark", [Report("1", Kind.OPENED, NAME, THEN, machine=True)], now)

    assert await points(store) == {}


async def test_an_outbox_that_is_full_refuses_all_and_takes_nothing(
    reports: Reports, store: Store, now: datetime
) -> None:
    await sent(store)
    await reports.take("postmark", [Report(f"{n}", Kind.DELIVERED, NAME, THEN) for n in range(6)], now)

    with pytest.raises(Unavailable, match="try again later"):
        await reports.take("postmark", [Report("late", Kind.COMPLAINED, NAME, THEN)], now)
    assert len(await events(store)) == 6
    assert await refused_by(store) == {}


async def test_one_report_that_cannot_be_written_harms_no_other(
    reports: Reports, store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(store)
    whole = reports._recorder.record

    def picky(connection: Any, items: Any) -> Any:
        if any(item.id.endswith("poison") for item in items):
            raise RuntimeError("the database did not like it")
        return whole(connection, items)

    monkeypatch.setattr(reports._recorder, "record", picky)
    told = [Report(one, Kind.OPENED, NAME, THEN) for one in ("a", "poison", "b")]

    assert await reports.take("postmark", told, now) == [True, False, True]


async def test_who_complains_gets_no_marketing_any_more(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    await post(client, complaint())

    assert await events(store) == [("message_complained", None)]
    assert (await refused_by(store)).keys() == {"marketing"}


async def test_who_unsubscribes_there_has_unsubscribed_here(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)

    await post(client, leaving())

    async with store.read() as session:
        assert await current_consents(session, "ann", datetime.now(UTC)) == {"news": False}
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


async def test_a_click_may_come_before_its_delivery(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store)
    async with store.write() as session:
        lead = await locked(session, "ann")
        message = (await session.exec(select(MessageRow.id))).one()
        await record_own_event(session, lead, "message_clicked", {"message": message}, "click", datetime.now(UTC))

    await post(client, delivery())

    assert await events(store) == [("message_clicked", None), ("message_delivered", None)]
    async with store.read() as session:
        first = (await session.exec(select(EventRow.name).order_by(col(EventRow.at)))).first()
    assert first == "message_delivered", "it happened before"


async def test_a_report_that_meets_a_merge_is_of_the_lead_that_is_left(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store, lead="bob")
    async with store.write() as session:
        session.add(MergeRow(gone_id="bob", lead_id="ann", at=THEN, by="ops", was={}, journeys=[]))

    await post(client, bounce(Email=None))

    assert (await refused_by(store)).keys() == {"all"}
    async with store.read() as session:
        assert (await session.exec(select(ReturnRow.lead_id))).all() == ["ann"]


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


# --- Amazon, which signs with a certificate and asks first ---


@dataclass
class Amazon:
    """What may be fetched from Amazon, and what was; it can be out of reach."""

    there: bool = True
    asked: list[str] = field(default_factory=list)

    async def kept(self, url: str) -> bytes:
        if not self.there:
            raise Unavailable("the provider cannot be asked for its proof")
        return amazon.certificate() if url == amazon.CERTIFICATE else b""

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return b"<ConfirmSubscriptionResponse/>"


@pytest.fixture
def outside(client: httpx.AsyncClient) -> Amazon:
    """Amazon in the place of the internet, in the app behind the client."""
    app, there = client._transport.app.state, Amazon()  # type: ignore[attr-defined]  # httpx's own
    app.nurture = replace(app.nurture, outside=there)
    return there


async def by_amazon(client: httpx.AsyncClient, given: dict[str, Any]) -> httpx.Response:
    return await client.post(
        "/hooks/email/amazon_ses", content=json.dumps(given), headers={"Content-Type": "text/plain"}
    )


async def test_amazon_reports_a_delivery_once(client: httpx.AsyncClient, store: Store, outside: Amazon) -> None:
    await sent(store)

    answers = [await by_amazon(client, amazon.signed(Message=amazon.event("Delivery"))) for _ in range(2)]

    assert [one.json() for one in answers] == [{"taken": 1}, {"taken": 0}]
    assert await events(store) == [("message_delivered", None)]
    assert outside.asked == []


async def test_a_topic_that_asks_is_confirmed(client: httpx.AsyncClient, outside: Amazon) -> None:
    answer = await by_amazon(client, amazon.asking())

    assert (answer.status_code, outside.asked) == (200, [amazon.SUBSCRIBE])


async def test_nothing_is_fetched_for_who_is_not_amazon(client: httpx.AsyncClient, outside: Amazon) -> None:
    theirs = {**amazon.asking(), "TopicArn": "arn:aws:sns:eu-central-1:999999999999:theirs"}
    elsewhere = {**amazon.asking(), "SigningCertURL": "https://evil.example/SimpleNotificationService-0a.pem"}

    answers = [await by_amazon(client, one) for one in (theirs, elsewhere)]

    assert ([one.status_code for one in answers], outside.asked) == ([401, 401], [])


async def test_where_the_certificate_cannot_be_had_amazon_is_to_call_again(
    client: httpx.AsyncClient, store: Store, outside: Amazon
) -> None:
    await sent(store)
    outside.there = False

    answer = await by_amazon(client, amazon.signed(Message=amazon.event("Delivery")))

    assert (answer.status_code, await events(store)) == (503, [])
