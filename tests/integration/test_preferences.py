"""The preference page, on each database in turn: what it shows, what a person says by it, and what nobody else can."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select

from nurture import Topic
from nurture.catalogue import Catalogue
from nurture.links import Links
from nurture.profile import address_hash
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents, proofs, record_consent
from nurture.store.erasure import erase
from nurture.store.models import EventRow, LeadRow, LinkRow, MessageRow
from nurture.store.tracking_tables import ClickRow
from web.app import compose

TOPICS = [
    Topic(key="news", title={"en": "News", "ru": "Новости"}, about={"en": "Once a month", "ru": "Раз в месяц"}),
    Topic(key="service", title={"en": "Service", "ru": "Сервис"}, opt_out=True),
]
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Accept": "text/html"}


class Chooser:
    """A person before the page."""

    def __init__(self, client: httpx.AsyncClient, store: Store, links: Links, lead_id: str) -> None:
        self.client, self.store, self.links, self.lead_id = client, store, links, lead_id
        self.url = links.preferences(lead_id, "")

    async def looks(self) -> str:
        """The page."""
        page = await self.client.get(self.url, headers=BROWSER)
        assert page.status_code == 200
        return page.text

    async def saves(self, *ticked: str, page: str | None = None, **more: str) -> httpx.Response:
        """The boxes are ticked so and saved, on a page that was opened just now or before."""
        shown = page or await self.looks()
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', shown))
        return await self.client.post(
            self.url, data={**hidden, **{f"topic.{one}": "yes" for one in ticked}, **more}, headers=BROWSER
        )

    async def answers(self) -> dict[str, bool]:
        """What holds."""
        async with self.store.read() as session:
            return await current_consents(session, self.lead_id, datetime.now(UTC))


@pytest.fixture
async def ann(database_url: str, store: Store, now: datetime) -> AsyncIterator[Chooser]:
    here = Settings(_env_file=None, database_url=SecretStr(database_url), base_url="http://nurture")
    async with store.write() as session:
        lead = {"email": "ann@example.com"}
        session.add(LeadRow(id="ann", email="ann@example.com", profile=lead, created_at=now, updated_at=now))
        await session.flush()
        await record_consent(session, "ann", "news", True, "form", now)
    app = compose(here, Catalogue(topics={one.key: one for one in TOPICS}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://nurture") as client:
            yield Chooser(client, store, Links("http://nurture", here.secrets), "ann")


def boxes(page: str) -> dict[str, bool]:
    """The boxes of a page, and whether they are ticked."""
    found = re.findall(r'name="topic\.([\w-]+)" value="yes"( checked)?', page)
    return {name: bool(checked) for name, checked in found}


async def test_the_page_shows_how_things_stand_and_does_nothing(ann: Chooser) -> None:
    for _ in range(2):
        assert boxes(await ann.looks()) == {"news": True, "service": True, "tracking": True}
    assert await ann.answers() == {"news": True}


async def test_what_is_saved_holds_with_its_proof(ann: Chooser) -> None:
    saved = await ann.saves("service", "tracking", language="ru")

    assert (saved.status_code, "Сохранено" in saved.text) == (200, True)
    assert await ann.answers() == {"news": False}
    async with ann.store.read() as session:
        newest = (await proofs(session, "ann"))[0]
        lead = await session.get_one(LeadRow, "ann")
        events = (await session.exec(select(EventRow))).all()
    assert (newest.source, newest.text, newest.address_hash) == (
        "preferences", "News: Once a month", address_hash("ann@example.com"),
    )  # fmt: skip
    assert lead.language == "ru"
    assert [(one.name, one.properties) for one in events] == [("unsubscribed", {"topic": "news"})]


async def test_who_reads_a_language_that_is_not_offered_keeps_it(ann: Chooser) -> None:
    async with ann.store.write() as session:
        lead = await session.get_one(LeadRow, "ann")
        lead.language, lead.profile = "de", {**lead.profile, "language": "de"}
        session.add(lead)
    assert '<option value=""></option>' in await ann.looks()
    await ann.saves("news", "service", "tracking", language="")

    async with ann.store.read() as session:
        assert (await session.get_one(LeadRow, "ann")).language == "de"


async def test_off_and_on_again_is_as_it_was(ann: Chooser) -> None:
    await ann.saves("service", "tracking")
    await ann.saves("news", "service", "tracking")

    assert (await ann.answers(), boxes(await ann.looks())["news"]) == ({"news": True}, True)


async def test_all_off_and_one_on_again_is_that_one(ann: Chooser) -> None:
    stopped = await ann.saves(all="off")
    assert ("You are unsubscribed" in stopped.text, await ann.answers()) == (True, {"news": False, "*": False})
    assert boxes(await ann.looks()) == {"news": False, "service": False, "tracking": True}

    await ann.saves("news", "tracking")
    assert boxes(await ann.looks()) == {"news": True, "service": False, "tracking": True}

    await ann.saves(all="off")
    assert boxes(await ann.looks()) == {"news": False, "service": False, "tracking": True}


async def test_what_changed_meanwhile_is_not_undone_by_a_page_that_was_open(ann: Chooser) -> None:
    page = await ann.looks()
    await ann.client.post(ann.links.unsubscribe("ann", "news"), data={"List-Unsubscribe": "One-Click"})
    await ann.saves("news", "service", "tracking", page=page)

    assert (await ann.answers())["news"] is False


async def test_who_objects_to_being_followed_is_told_of_nothing_else(ann: Chooser) -> None:
    await ann.saves("news", "service")

    assert await ann.answers() == {"news": True, "tracking": False}
    async with ann.store.read() as session:
        assert (await session.exec(select(EventRow))).all() == []


async def test_a_post_without_the_button_of_the_page_changes_nothing(ann: Chooser) -> None:
    answers = [
        await ann.client.post(ann.url, data=data, headers=BROWSER)
        for data in ({}, {"all": "off"}, {"confirm": "x", "all": "off"}, {"List-Unsubscribe": "One-Click"})
    ]

    assert {one.status_code for one in answers} == {422}
    assert await ann.answers() == {"news": True}


async def test_forged_and_foreign_tokens_are_answered_all_alike(ann: Chooser) -> None:
    token = ann.url.rpartition("/")[2]
    other = ann.links.unsubscribe("ann", "news").rpartition("/")[2]
    forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[1:], other, "x", "x.y", "a" * 2000]
    answers = [
        await getattr(ann.client, how)(f"/p/{one}", headers=BROWSER) for one in forged for how in ("get", "post")
    ]

    assert {one.status_code for one in answers} == {404}
    assert len({one.text for one in answers}) == 1


async def test_of_who_was_erased_the_page_knows_nothing_and_keeps_nothing(ann: Chooser, now: datetime) -> None:
    async with ann.store.write() as session:
        await erase(session, "ann", "ops", now)

    assert boxes(await ann.looks()) == {"news": False, "service": True, "tracking": True}
    assert (await ann.saves("news", "service", "tracking")).status_code == 200
    async with ann.store.read() as session:
        assert (await session.exec(select(LeadRow))).all() == []


async def test_the_unsubscribe_page_leads_there(ann: Chooser) -> None:
    page = await ann.client.get(ann.links.unsubscribe("ann", "news", ""), headers=BROWSER)

    assert f'href="{ann.url}"' in page.text


# --- scanners ---

PROFILES: list[dict[str, str]] = [
    *({"User-Agent": name} for name in (
        "", "Barracuda Sentinel (EE)", "Proofpoint URL Defense", "Mimecast-Scanner/1.0", "SafeLinks/1.0", "Zscaler",
        "Symantec Email Security", "TrendMicro IMSS", "FireEye ETP", "Cisco IronPort", "Sophos Email Appliance",
        "Kaspersky KSMG", "Slackbot-LinkExpanding 1.0", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1",
        "Googlebot/2.1", "python-requests/2.32", "curl/8.9", "Go-http-client/2.0", "Mozilla/5.0 HeadlessChrome/130.0",
    )),
    {**BROWSER, "Sec-Purpose": "prefetch;prerender"},
]  # fmt: skip


async def test_scanners_change_nothing_at_any_link_and_are_noted_as_machines(
    ann: Chooser, now: datetime
) -> None:  # B-13
    links = ann.links
    await has_a_message(ann.store, now)
    places = [
        links.unsubscribe("ann", "news", "m"), links.unsubscribe("ann", "*", "m"), links.preferences("ann", "m"),
        links.survey("ann", "nps", "m"), links.confirm("none", datetime(2027, 1, 1, tzinfo=UTC)), links.hand_off("none", 1),
        links.pixel("m"), links.click("l"), links.trap("m"),
    ]  # fmt: skip
    for headers in [*PROFILES, BROWSER]:
        for method in ("HEAD", "OPTIONS", *(["GET"] if headers is not BROWSER else [])):
            for place in places:
                await ann.client.request(method, place, headers=headers)

    assert await ann.answers() == {"news": True}
    async with ann.store.read() as session:
        events = (await session.exec(select(EventRow))).all()
    assert {(one.name, one.machine) for one in events} == {("message_clicked", True), ("message_opened", True)}


async def has_a_message(store: Store, now: datetime) -> None:
    """Ann was sent the message `m` with the link `l`."""
    message = MessageRow(
        id="m", lead_id="ann", occurrence="a/0/1", campaign="c", template="c/one", channel="email", purpose="marketing",
        topic="news", status="accepted", message_id="<m>", due_at=now, updated_at=now,
    )  # fmt: skip
    async with store.write() as session:
        session.add(message)
        await session.flush()
        session.add(LinkRow(id="l", message_id="m", url="https://example.com/prices"))


@pytest.mark.parametrize(
    ("agent", "machine"),
    [
        pytest.param(BROWSER["User-Agent"], False, id="a mail program"),
        pytest.param("Mozilla/5.0", True, id="Apple's privacy protection"),
        pytest.param("Mozilla/5.0 (via ggpht.com GoogleImageProxy)", True, id="a proxy"),
    ],
)
async def test_an_open_is_noted_once_and_of_proxies_as_a_machines(
    ann: Chooser, now: datetime, agent: str, machine: bool
) -> None:
    await has_a_message(ann.store, now)
    shown = [await ann.client.get(ann.links.pixel("m"), headers={"User-Agent": agent}) for _ in range(2)]
    forged = await ann.client.get("/i/x.y", headers={"User-Agent": agent})

    assert {(one.status_code, one.content, one.headers["content-type"]) for one in (*shown, forged)} == {
        (200, shown[0].content, "image/gif")
    }
    async with ann.store.read() as session:
        assert [(one.name, one.machine) for one in (await session.exec(select(EventRow))).all()] == [
            ("message_opened", machine)
        ]


async def test_of_who_objects_no_click_and_no_open_is_noted(ann: Chooser, now: datetime) -> None:
    await has_a_message(ann.store, now)
    await ann.saves("news", "service")
    followed = await ann.client.get(ann.links.click("l"), headers=BROWSER)
    await ann.client.get(ann.links.pixel("m"), headers=BROWSER)

    assert followed.headers["location"] == "https://example.com/prices"
    async with ann.store.read() as session:
        assert (await session.exec(select(EventRow))).all() == []
        assert (await session.exec(select(ClickRow))).all() == []
