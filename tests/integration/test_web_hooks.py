"""Webhooks of other systems: whoever cannot sign is not heard, whoever repeats is heard once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlmodel import select
from standardwebhooks import Webhook

from nurture.store import Store
from nurture.store.erasure import erase
from nurture.store.models import EventRow
from tests.integration.conftest import HOOK_SECRETS

FIRST, SECOND = HOOK_SECRETS.split()
FOREIGN = "whsec_" + "QUJD" * 8
BODY = '{"type": "order.paid", "data": {"email": "ann@example.com"}}'


def signed(body: str = BODY, *, secret: str = FIRST, ago: timedelta = timedelta(0), name: str = "w1") -> dict[str, str]:
    """The headers of a webhook, sent so long ago."""
    then = datetime.now(UTC) - ago
    signature = Webhook(secret).sign(name, then, body)
    return {"webhook-id": name, "webhook-timestamp": str(int(then.timestamp())), "webhook-signature": signature}


async def post(client: httpx.AsyncClient, headers: Mapping[str, str], body: str | bytes = BODY) -> httpx.Response:
    return await client.post("/hooks/in/shop", content=body, headers=headers)


async def heard(store: Store) -> list[str]:
    async with store.read() as session:
        return list((await session.exec(select(EventRow.name))).all())


async def test_a_signed_webhook_becomes_an_event_once_however_often_it_comes(
    client: httpx.AsyncClient, store: Store
) -> None:
    answers = [await post(client, signed()) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert await heard(store) == ["order_paid"]


@pytest.mark.parametrize("secret", [FIRST, SECOND])
async def test_while_one_secret_replaces_another_both_sign(client: httpx.AsyncClient, secret: str) -> None:
    assert (await post(client, signed(secret=secret))).status_code == 202


async def test_the_signature_of_one_of_several_that_fits_will_do(client: httpx.AsyncClient) -> None:
    good = signed()
    both = {**good, "webhook-signature": f"v1,{'A' * 43}= {good['webhook-signature']}"}

    assert (await post(client, both)).status_code == 202


WRONG: dict[str, Callable[[], dict[str, str]]] = {
    "unsigned": dict,
    "an empty signature": lambda: {**signed(), "webhook-signature": ""},
    "a blank signature": lambda: {**signed(), "webhook-signature": "v1,"},
    "another scheme": lambda: {**signed(), "webhook-signature": f"v0,{signed()['webhook-signature'][3:]}"},
    "no base64": lambda: {**signed(), "webhook-signature": "v1,not base64 at all"},
    "another's secret": lambda: signed(secret=FOREIGN),
    "another id": lambda: {**signed(), "webhook-id": "w2"},
    "another time": lambda: {**signed(), "webhook-timestamp": "1700000000"},
    "no time": lambda: {**signed(), "webhook-timestamp": "soon"},
    "too old": lambda: signed(ago=timedelta(seconds=301)),
    "too far ahead": lambda: signed(ago=-timedelta(minutes=10)),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_not_signed_rightly_is_not_heard(client: httpx.AsyncClient, store: Store, wrong: str) -> None:
    refused = await post(client, WRONG[wrong]())

    assert (refused.status_code, await heard(store)) == (401, [])
    assert "signature does not fit" in refused.json()["detail"]


ALTERED: dict[str, str | bytes] = {
    "a space more": f"{BODY} ",
    "written anew": BODY.replace(" ", ""),
    "no text": BODY.encode().replace(b"ann", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", ALTERED.values(), ids=ALTERED)
async def test_a_body_altered_on_the_way_is_not_heard(
    client: httpx.AsyncClient, store: Store, body: str | bytes
) -> None:
    assert ((await post(client, signed(), body)).status_code, await heard(store)) == (401, [])


async def test_a_header_given_twice_is_not_heard(client: httpx.AsyncClient, store: Store) -> None:
    twice = [*signed().items(), ("webhook-id", "w2")]
    refused = await client.post("/hooks/in/shop", content=BODY, headers=twice)

    assert (refused.status_code, await heard(store)) == (401, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", "the payload is no object"),
        ('{"data": {}}', "the payload has no text at type"),
        ('{"type": "order.paid", "data": {}}', "the payload names no lead"),
        ('{"type": "order.paid", "data": {"email": "nobody"}}', "email"),
        ("{", "the body is no JSON"),
    ],
)
async def test_a_payload_that_cannot_be_read_is_refused_with_its_fault(
    client: httpx.AsyncClient, store: Store, body: str, said: str
) -> None:
    refused = await post(client, signed(body), body)

    assert (refused.status_code, await heard(store)) == (422, [])
    assert said in refused.json()["detail"]


async def test_a_type_that_is_not_mapped_is_taken_and_ignored(client: httpx.AsyncClient, store: Store) -> None:
    body = '{"type": "order.packed", "data": {}}'
    answer = await post(client, signed(body), body)

    assert (answer.status_code, answer.json()["ignored"], await heard(store)) == (202, True, [])


async def test_a_source_that_nobody_declared_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.post("/hooks/in/shap", content=BODY, headers=signed())).status_code == 404


async def test_a_late_webhook_about_an_erased_lead_is_ignored_and_an_event_is_refused(
    client: httpx.AsyncClient, store: Store
) -> None:
    event = {"name": "order_paid", "lead": {"email": "ann@example.com"}}
    lead_id = (await client.post("/v1/events", json=event)).json()["lead_id"]
    async with store.write() as session:
        await erase(session, lead_id, "ops", datetime.now(UTC))

    late = await post(client, signed())
    again = await client.post("/v1/events", json=event)

    assert (late.status_code, late.json()["ignored"]) == (202, True)
    assert (again.status_code, "was erased" in again.json()["detail"]) == (409, True)
    assert await heard(store) == []
