"""Who may call what: every route of the API, with every key."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from nurture.store import Store
from nurture.store.api_keys import SCOPES, make_key, revoke

LEAD = {"email": "ann@example.com"}
ROUTES: dict[str, tuple[str, str, Any]] = {
    "events:write": ("POST", "/v1/events", {"name": "visit", "lead": LEAD}),
    "leads:write": ("POST", "/v1/leads", {"lead": LEAD}),
    "leads:read": ("GET", "/v1/leads/nobody", None),
    "journeys:write": ("POST", "/v1/journeys", {"campaign": "none", "lead": LEAD}),
    "hand-offs:read": ("GET", "/v1/hand-offs", None),
    "hand-offs:write": ("POST", "/v1/hand-offs/nobody/answer", {"answer": "accepted", "by": "anna"}),
}


async def asked(client: httpx.AsyncClient, route: str, key: str | None) -> httpx.Response:
    method, path, body = ROUTES[route]
    client.headers.pop("Authorization", None)
    headers = {b"Authorization": f"Bearer {key}".encode()} if key is not None else {}
    return await client.request(method, path, json=body, headers=headers)


async def a_key(store: Store, *scopes: str) -> str:
    async with store.write() as session:
        return await make_key(session, "test", scopes, datetime.now(UTC))


def test_every_scope_has_its_route() -> None:
    assert set(ROUTES) == set(SCOPES)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_key_opens_the_routes_of_its_scopes_only(
    client: httpx.AsyncClient, store: Store, route: str, scope: str
) -> None:
    answer = await asked(client, route, await a_key(store, scope))

    assert (answer.status_code in (200, 202, 404)) is (route == scope)
    assert route == scope or (answer.status_code, route in answer.json()["detail"]) == (403, True)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("key", [None, "", "nk_1_2", "nk_", "nk_é_é", "x" * 5000])
async def test_without_a_valid_key_nothing_opens(client: httpx.AsyncClient, route: str, key: str | None) -> None:
    answer = await asked(client, route, key)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_half_a_key_is_none(client: httpx.AsyncClient, store: Store) -> None:
    kind, key_id, secret = (await a_key(store, *SCOPES)).split("_")
    for wrong in (f"{kind}_{key_id}_{secret[:-1]}0x", f"{kind}_{key_id}_", f"{kind}__{secret}"):
        assert (await asked(client, "events:write", wrong)).status_code == 401


async def test_a_revoked_key_opens_nothing_more(client: httpx.AsyncClient, store: Store) -> None:
    key = await a_key(store, *SCOPES)
    async with store.write() as session:
        await revoke(session, key.split("_")[1], datetime.now(UTC))

    assert (await asked(client, "events:write", key)).status_code == 401
