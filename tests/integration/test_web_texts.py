"""What comes back by SMS and Telegram: chats become a lead's own, words become events, and stop means stop."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from nurture.addresses import hash_of
from nurture.ledger import Status
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.addresses import address_of, owner_of
from nurture.store.consents import current_consents, record_consent
from nurture.store.erasure import erase
from nurture.store.export import export
from nurture.store.messages import planned, write
from nurture.store.models import EventRow, IdentityRow, LeadRow, MessageRow, new_id
from nurture.store.story import story_of
from nurture.store.suppressions import suppress, suppressed
from tests.integration.conftest import TEXTS_WORD

PHONE, CHAT = "+4930123456", "7700123"
NAME = "0123456789abcdef0123456789abcdef"
THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "/hooks/texts/twilio"


async def sms(client: httpx.AsyncClient, text: str, number: str = PHONE, sid: str = "SM1") -> httpx.Response:
    return await by_twilio(client, {"MessageSid": sid, "From": number, "To": "+4930777", "Body": text})


async def by_twilio(client: httpx.AsyncClient, fields: dict[str, str], query: str = "") -> httpx.Response:
    signed = f"http://nurture{URL}{query}" + "".join(f"{name}{value}" for name, value in sorted(fields.items()))
    signature = b64encode(hmac.new(TEXTS_WORD.encode(), signed.encode(), "sha1").digest()).decode()
    return await client.post(f"{URL}{query}", data=fields, headers={"X-Twilio-Signature": signature})


async def telegram(client: httpx.AsyncClient, text: str, number: int = 1, **more: Any) -> httpx.Response:
    message = {"from": {"id": int(CHAT), "first_name": "Ann"}, "chat": {"id": int(CHAT), "type": "private"},
               "date": int(THEN.timestamp()), "text": text}  # fmt: skip
    update = {"update_id": number, **(more or {"message": message})}
    return await client.post(
        "/hooks/texts/telegram", json=update, headers={"X-Telegram-Bot-Api-Secret-Token": TEXTS_WORD}
    )


async def lead(store: Store, **keys: str) -> str:
    """A lead, by its keys, with a consent to SMS and Telegram."""
    lead_id = new_id()
    async with store.write() as session:
        profile = {"phone": keys["phone"]} if "phone" in keys else {}
        session.add(LeadRow(id=lead_id, profile=profile, created_at=THEN, updated_at=THEN))
        await session.flush()
        for kind, value in keys.items():
            session.add(IdentityRow(kind=kind.replace("_", "."), value=value, lead_id=lead_id))
        for channel in ("sms", "telegram"):
            await record_consent(session, lead_id, f"channel:{channel}", True, "test", THEN)
    return lead_id


async def sent(store: Store, lead_id: str, channel: str = "sms") -> None:
    """A message to the lead, as it was handed over."""
    async with store.write() as session:
        row = planned(
            THEN, occurrence="greet/0/1", lead_id=lead_id, campaign="road", template="road/greet", channel=channel,
            purpose="marketing", topic="news", message_id=f"<{NAME}@example.org>", due_at=THEN,
        )  # fmt: skip
        await write(session, row.model_copy(update={"status": Status.ACCEPTED.value, "committed_at": THEN}))


async def events(store: Store) -> list[tuple[str, dict[str, Any]]]:
    async with store.read() as session:
        found = (await session.exec(select(EventRow).order_by(col(EventRow.received)))).all()
    return [(one.name, one.properties) for one in found]


async def consents(store: Store, lead_id: str) -> dict[str, bool]:
    async with store.read() as session:
        return await current_consents(session, lead_id, datetime.now(UTC))


async def closed(store: Store, channel: str, address: str) -> dict[str, str]:
    async with store.read() as session:
        return await suppressed(session, hash_of(channel, address))


# --- SMS ---


async def test_an_answer_by_sms_is_an_event_once_about_the_last_message(
    client: httpx.AsyncClient, store: Store
) -> None:
    await sent(store, await lead(store, phone=PHONE))

    answers = [await sms(client, "Call me back") for _ in range(2)]

    assert [(one.status_code, one.text) for one in answers] == [(200, "<Response/>")] * 2
    ((name, about),) = await events(store)
    assert (name, about["channel"], about["text"], about["template"]) == (
        "message_replied", "sms", "Call me back", "road/greet",
    )  # fmt: skip


async def test_stop_ends_sms_and_nothing_else(client: httpx.AsyncClient, store: Store) -> None:
    lead_id = await lead(store, phone=PHONE)

    await sms(client, "Stop!")

    assert await consents(store, lead_id) == {"channel:sms": False, "channel:telegram": True}
    assert await events(store) == [("channel_stopped", {"channel": "sms"})]
    assert await closed(store, "sms", PHONE) == {"marketing": "its owner said stop"}


async def test_start_brings_sms_back_even_where_the_provider_had_refused(
    client: httpx.AsyncClient, store: Store
) -> None:
    lead_id = await lead(store, phone=PHONE)
    async with store.write() as session:
        await suppress(session, hash_of("sms", PHONE), "all", "the address was refused: 21610", THEN)
    await sms(client, "stop")
    await sms(client, "START", sid="SM2")

    assert (await consents(store, lead_id))["channel:sms"] is True
    assert await closed(store, "sms", PHONE) == {}


async def test_a_stop_of_nobody_we_know_makes_no_lead_and_holds(client: httpx.AsyncClient, store: Store) -> None:
    await sms(client, "STOP", number="+4930999999")

    async with store.read() as session:
        assert (await session.exec(select(LeadRow))).all() == []
    assert await closed(store, "sms", "+4930999999") == {"marketing": "its owner said stop"}


async def test_who_writes_first_becomes_a_lead(client: httpx.AsyncClient, store: Store) -> None:
    await sms(client, "What does it cost?", number="+4930999999")

    async with store.read() as session:
        lead_id = await owner_of(session, "phone", "+4930999999")
        assert lead_id is not None
        assert await address_of(session, lead_id, "phone") == "+4930999999"


async def test_twilio_reports_what_became_of_a_message(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store, await lead(store, phone=PHONE))
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005", "To": PHONE}

    for _ in range(2):
        assert (await by_twilio(client, fields, f"?message={NAME}")).status_code == 200

    assert [(name, about["fault"]) for name, about in await events(store)] == [("message_bounced", "address")]
    assert await closed(store, "sms", PHONE) == {"all": "the address does not exist"}
    assert await closed(store, "email", PHONE) == {}


@pytest.mark.parametrize(
    ("url", "status"), [(URL, 401), ("/hooks/texts/smsc", 401), ("/hooks/texts/telegram", 401), ("/hooks/texts/x", 404)]
)
async def test_who_is_not_proven_is_not_heard(client: httpx.AsyncClient, store: Store, url: str, status: int) -> None:
    lead_id = await lead(store, phone=PHONE)

    answer = await client.post(url, data={"From": PHONE, "Body": "STOP", "MessageSid": "SM1"})

    assert answer.status_code == status
    assert (await consents(store, lead_id))["channel:sms"] is True


async def test_what_a_lead_stopped_is_told_and_given_out(client: httpx.AsyncClient, store: Store) -> None:
    lead_id = await lead(store, phone=PHONE)
    await sms(client, "STOP")

    async with store.read() as session:
        told = await story_of(session, lead_id, datetime.now(UTC))
        given = await export(session, lead_id, datetime.now(UTC))
    assert [(one.channel, one.scope, one.reason) for one in told.closed] == [
        ("sms", "marketing", "its owner said stop")
    ]
    assert [one["reason"] for one in given["tables"]["suppressions"]] == ["its owner said stop"]


# --- Telegram ---


def token(lead_id: str, until: timedelta = timedelta(days=1)) -> str:
    links = Links("http://nurture", Settings(_env_file=None).secrets)
    return links.chat("our_bot", lead_id, datetime.now(UTC) + until).partition("=")[2]


async def test_a_start_with_the_link_of_a_lead_makes_the_chat_its_own(client: httpx.AsyncClient, store: Store) -> None:
    lead_id = await lead(store, email="ann@example.com")

    answer = await telegram(client, f"/start {token(lead_id)}")

    assert answer.json()["method"] == "sendMessage"
    assert "/stop" in answer.json()["text"]
    async with store.read() as session:
        assert await address_of(session, lead_id, "messenger.telegram") == CHAT
    assert await events(store) == [("channel_linked", {"channel": "telegram"})]


@pytest.mark.parametrize("spoilt", ["expired", "forged", "erased"])
async def test_a_link_that_is_not_good_links_nothing(client: httpx.AsyncClient, store: Store, spoilt: str) -> None:
    lead_id = await lead(store, email="ann@example.com")
    start = token(lead_id, timedelta(days=-1) if spoilt == "expired" else timedelta(days=1))
    if spoilt == "erased":
        async with store.write() as session:
            await erase(session, lead_id, "test", THEN)

    answer = await telegram(client, f"/start {start[:-1] if spoilt == 'forged' else start}")

    assert "no longer good" in answer.json()["text"]
    async with store.read() as session:
        assert await owner_of(session, "messenger.telegram", CHAT) is None


async def test_a_start_of_somebody_new_makes_a_lead_that_can_be_written_to(
    client: httpx.AsyncClient, store: Store
) -> None:
    await telegram(client, "/start")

    async with store.read() as session:
        lead_id = await owner_of(session, "messenger.telegram", CHAT)
        assert lead_id is not None
        assert (await session.get_one(LeadRow, lead_id)).profile == {"first_name": "Ann"}
    assert await consents(store, lead_id) == {"channel:telegram": True}


async def test_an_answer_in_the_chat_is_an_event_once(client: httpx.AsyncClient, store: Store) -> None:
    await sent(store, await lead(store, messenger_telegram=CHAT), "telegram")

    answers = [(await telegram(client, "Yes, please")).json() for _ in range(2)]

    assert answers == [{}, {}]
    ((name, about),) = await events(store)
    assert (name, about["channel"], about["text"], about["campaign"]) == (
        "message_replied", "telegram", "Yes, please", "road",
    )  # fmt: skip


async def test_stop_in_the_chat_ends_the_chat_and_nothing_else(client: httpx.AsyncClient, store: Store) -> None:
    lead_id = await lead(store, messenger_telegram=CHAT)

    answer = await telegram(client, "/stop")

    assert "/start" in answer.json()["text"]
    assert await consents(store, lead_id) == {"channel:sms": True, "channel:telegram": False}


async def test_who_shuts_the_bot_out_gets_nothing_until_they_start_it_again(
    client: httpx.AsyncClient, store: Store
) -> None:
    await lead(store, messenger_telegram=CHAT)
    shut = {"chat": {"id": int(CHAT), "type": "private"}, "new_chat_member": {"status": "kicked"}, "date": 1}

    await telegram(client, "", my_chat_member=shut)
    assert await closed(store, "telegram", CHAT) == {"all": "its owner shut us out"}
    await telegram(client, "/start", 2)
    assert await closed(store, "telegram", CHAT) == {}


async def test_a_chat_that_is_another_leads_stays_with_it(client: httpx.AsyncClient, store: Store) -> None:
    owner, other = await lead(store, messenger_telegram=CHAT), await lead(store, email="bob@example.com")

    await telegram(client, f"/start {token(other)}")

    async with store.read() as session:
        assert await owner_of(session, "messenger.telegram", CHAT) == owner
        assert (await session.exec(select(MessageRow))).all() == []
