"""The gallery's pages: every message, for readers made up and for leads of the store."""

import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from nurture import Campaign, State, send
from nurture.catalogue import Catalogue
from nurture.gallery import gallery
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.models import LeadRow
from nurture.version import frozen
from tests.unit.templates.folder import Folder

GREETING = '<p>Hello {{ lead.first_name or "you" }}, {{ 1200 | money("EUR", whole=true) }}</p>'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.message(GREETING, subject="Prices for {{ lead.first_name or 'you' }}")
    folder.message(GREETING, subject="Preise", file="news/may.de.j2")
    return folder


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    copy = shutil.copy(migrated, tmp_path / "nurture.db")
    store = Store(f"sqlite:///{copy}")
    yield store
    await store.close()


@pytest.fixture
async def page(folder: Folder, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    async with of(folder, store) as client:
        yield client


def of(folder: Folder, store: Store) -> httpx.AsyncClient:
    settings = Settings(_env_file=None, templates=folder.path, sender="The shop <shop@example.com>")
    may = Campaign("may", [State("send", [send("news/may")])])
    app = gallery(settings, Catalogue(campaigns={"may": frozen(may)}), store)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8026")


async def test_all_messages_are_listed_with_their_subjects(page: httpx.AsyncClient) -> None:
    answer = await page.get("/")

    assert '<a href="/messages/news/may">news/may</a>' in answer.text
    assert "Prices for Ann" in answer.text
    assert "de, en" in answer.text


async def test_a_message_is_shown_with_its_text_its_headers_and_its_size(page: httpx.AsyncClient) -> None:
    text = (await page.get("/messages/news/may")).text

    assert "Hello Ann, €1,200" in text
    assert "<dt>From</dt><dd>The shop &lt;shop@example.com&gt;</dd>" in text
    assert "<dt>List-Unsubscribe-Post</dt><dd>List-Unsubscribe=One-Click</dd>" in text
    assert "bytes of HTML" in text


async def test_language_and_reader_are_chosen(page: httpx.AsyncClient) -> None:
    german = (await page.get("/messages/news/may?language=de&reader=unknown")).text

    assert "<h1>Preise</h1>" in german
    assert "Hello you, 1.200 €" in german


async def test_a_message_is_read_in_the_skin_of_a_lead_of_the_store(
    page: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    known = {"first_name": "Zoë", "language": "de"}
    async with store.write() as session:
        session.add(LeadRow(id="z" * 32, profile=known, created_at=now, updated_at=now))

    text = (await page.get("/messages/news/may?lead=" + "z" * 32)).text
    assert "Hello Zoë" in text
    assert "<h1>Preise</h1>" in text


async def test_a_lead_that_is_not_there_is_told_of_and_the_page_is_shown_all_the_same(page: httpx.AsyncClient) -> None:
    answer = await page.get("/messages/news/may?lead=nobody@example.com")

    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "Hello Ann" in answer.text


async def test_an_edit_is_seen_with_the_next_page(page: httpx.AsyncClient, folder: Folder) -> None:
    await page.get("/messages/news/may")
    folder.message("<p>Half price now</p><img src='https://example.com/a.png'>")

    text = (await page.get("/messages/news/may")).text
    assert "Half price now" in text
    assert "a picture has no alt" in text


async def test_a_message_that_breaks_says_where(page: httpx.AsyncClient, folder: Folder) -> None:
    folder.message("<p>{{ lead.frist_name }}</p>")

    assert "may.en.j2:2: a name that nobody provides" in (await page.get("/messages/news/may")).text
    assert (await page.get("/")).status_code == 200


async def test_the_mail_is_shut_in_and_so_is_the_page(page: httpx.AsyncClient) -> None:
    message, body = await page.get("/messages/news/may"), await page.get("/bodies/news/may")

    assert "default-src 'none'" in message.headers["content-security-policy"]
    assert "script-src" not in message.headers["content-security-policy"]
    assert "sandbox allow-popups" in body.headers["content-security-policy"]
    assert "allow-scripts" not in body.headers["content-security-policy"]
    assert body.text.startswith('<!doctype html><base target="_blank">')


@pytest.mark.parametrize("path", ["/messages/news/june", "/messages/../secret", "/bodies/layouts/message"])
async def test_what_is_no_message_is_not_found(page: httpx.AsyncClient, path: str) -> None:
    assert (await page.get(path)).status_code == 404


async def test_no_page_of_somebody_elses_reads_it_through_a_name_of_theirs(page: httpx.AsyncClient) -> None:
    assert (await page.get("/", headers={"host": "evil.example"})).status_code == 400
