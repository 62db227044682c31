"""What the script on a site sends, on each database in turn: taken from our own sites, and answered always alike."""

import gzip
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import SQLModel, select

from nurture.catalogue import Catalogue
from nurture.errors import DatabaseAway
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.capture_tables import ArrivalRow
from nurture.store.models import EventRow, LeadRow
from web.app import compose

SITE = "https://www.example.com"
VISITOR = "0123456789abcdef"


@pytest.fixture
async def app(database_url: str, store: Store) -> AsyncIterator[FastAPI]:
    app = compose(Settings(_env_file=None, database_url=SecretStr(database_url), sites=[f"{SITE}/"]), Catalogue())
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on our site."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Origin": SITE, "User-Agent": "a browser", "Content-Type": "text/plain"}
    async with httpx.AsyncClient(transport=transport, base_url="http://nurture", headers=headers) as one:
        yield one


def seen(n: int = 1, **given: Any) -> str:
    return json.dumps({"visitor": VISITOR, "view": f"{n:032x}", "url": f"{SITE}/prices?utm_source=vk#top", **given})


async def rows(store: Store, model: type[SQLModel]) -> Sequence[Any]:
    async with store.read() as session:
        return (await session.exec(select(model))).all()


async def test_a_page_view_is_a_visit_of_a_lead_known_by_its_cookie(client: httpx.AsyncClient, store: Store) -> None:
    answer = await client.post("/t", content=seen(title="Prices\n", referrer="https://vk.com/"))

    [event] = await rows(store, EventRow)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (event.name, event.properties, event.source) == ("visit", {"page": "/prices", "title": "Prices"}, "tracker")
    assert [(one.channel, one.event) for one in await rows(store, ArrivalRow)] == [("vk", event.id)]


async def test_a_view_sent_again_is_one_visit(client: httpx.AsyncClient, store: Store) -> None:
    for _ in range(2):
        await client.post("/t", content=seen())

    assert len(await rows(store, EventRow)) == 1


async def test_how_long_a_page_was_read_comes_in_parts(client: httpx.AsyncClient, store: Store) -> None:
    for part in (1, 1, 2):
        await client.post("/t", content=seen(part=part, seconds=10 * part))

    assert [one.properties for one in await rows(store, EventRow)] == [
        {"page": "/prices", "seconds": 10},
        {"page": "/prices", "seconds": 20},
    ]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (seen(), {"Origin": "https://other.example"}),
        (seen(), {"Origin": "null"}),
        (seen(), {"Origin": ""}),
        (seen(url="https://other.example/"), {}),
        (seen(visitor="short"), {}),
        (seen(visitor="x" * 65), {}),
        (seen(view="1"), {}),
        (seen(email="ann@example.com"), {}),
        (seen(part=0), {}),
        (seen(seconds=10**9, part=1), {}),
        (seen(title="x" * 9000), {}),
        ("no JSON", {}),
        ("[]", {}),
        ("", {}),
    ],
)
async def test_what_is_not_a_view_of_ours_is_answered_alike_and_not_taken(
    client: httpx.AsyncClient, store: Store, content: str, headers: dict[str, str]
) -> None:
    answer = await client.post("/t", content=content, headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert await rows(store, EventRow) == []


@pytest.mark.parametrize("headers", [{"User-Agent": "a crawler"}, {"Sec-Purpose": "prefetch"}, {"User-Agent": ""}])
async def test_a_machines_view_is_noted_as_one(
    client: httpx.AsyncClient, store: Store, headers: dict[str, str]
) -> None:
    await client.post("/t", content=seen(), headers=headers)

    assert [one.machine for one in await rows(store, EventRow)] == [True]
    assert await rows(store, ArrivalRow) == []


async def test_one_browser_cannot_flood_it(client: httpx.AsyncClient, store: Store) -> None:
    answers = [(await client.post("/t", content=seen(n))).status_code for n in range(150)]

    assert set(answers) == {204}
    assert 120 <= len(await rows(store, EventRow)) < 130


async def test_a_view_that_cannot_be_taken_in_is_let_go(
    client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("away")

    monkeypatch.setattr(app.state.nurture.intake, "accept", away)

    assert (await client.post("/t", content=seen())).status_code == 204


async def test_of_words_in_a_link_nothing_can_be_injected(client: httpx.AsyncClient, store: Store) -> None:
    link = f"{SITE}/%3Cscript%3E?utm_source=%00%3Cscript%3Ealert(1)%3C/script%3E&utm_campaign=%0Aa"
    await client.post("/t", content=seen(url=link))

    [lead] = await rows(store, LeadRow)
    touch = lead.profile["first_touch"]
    assert (touch["channel"], touch["placement"]) == ("<script>alert(1)</script>", "a")  # escaped where it is shown


# --- the script ---


async def test_the_script_is_small_cached_and_of_its_kind(client: httpx.AsyncClient, now: datetime) -> None:
    first = await client.get("/nurture.js")
    again = await client.get("/nurture.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert len(first.content) < 3000
    assert len(gzip.compress(first.content)) < 1500


async def test_the_script_sends_nothing_anywhere_else() -> None:
    script = (Path(__file__).parents[2] / "web/nurture.js").read_text()

    assert "http://" not in script
    assert "https://" not in script
