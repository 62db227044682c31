"""Links that machines and other people follow, as users of other engines know it."""

from datetime import UTC, datetime

import httpx
import pytest
from sqlmodel import select

from nurture import Campaign, State, clicked, days, leave, on, opened, send, wait_for
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.models import EventRow, LeadRow, LinkRow, MessageRow
from tests.integration.life import Life
from tests.integration.scenarios.telling import sent, stand

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


@pytest.fixture
async def links(store: Store, now: datetime) -> Links:
    """Two leads, each with a message that holds a link."""
    async with store.write() as session:
        for lead_id in ("ann", "bob"):
            session.add(LeadRow(id=lead_id, created_at=now, updated_at=now))
            await session.flush()
            session.add(
                MessageRow(
                    id=f"to-{lead_id}", lead_id=lead_id, occurrence="a/0/1", campaign="c", template="c/one", channel="email",
                    purpose="marketing", topic="news", status="accepted", message_id=f"<{lead_id}>", due_at=now, updated_at=now,
                )
            )  # fmt: skip
            await session.flush()
            session.add(LinkRow(id=f"l-{lead_id}", message_id=f"to-{lead_id}", url="https://example.com/prices"))
    return Links("http://nurture", Settings().secrets)


async def answers(store: Store) -> dict[str, dict[str, bool]]:
    async with store.read() as session:
        return {lead_id: await current_consents(session, lead_id, datetime.now(UTC)) for lead_id in ("ann", "bob")}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", BROWSER, id="B-13"),
        pytest.param("GET", {"User-Agent": ""}, id="B-13 nameless"),
        pytest.param("GET", {"User-Agent": "Proofpoint"}, id="B-13 a gateway"),
        pytest.param("GET", {**BROWSER, "Sec-Purpose": "prefetch"}, id="B-13 ahead"),
        pytest.param("HEAD", BROWSER, id="B-13 the head only"),
        pytest.param("OPTIONS", BROWSER, id="B-13 options"),
        pytest.param("POST", BROWSER, id="B-13 an empty form"),
    ],
)
async def test_a_scanner_at_the_unsubscribe_link_changes_nothing(
    client: httpx.AsyncClient, store: Store, links: Links, method: str, headers: dict[str, str]
) -> None:
    for _ in range(3):
        await client.request(method, links.unsubscribe("ann", "news", "to-ann"), headers=headers)

    assert await answers(store) == {"ann": {}, "bob": {}}


async def test_who_opens_a_forwarded_unsubscribe_link_unsubscribes_the_one_it_was_sent_to(
    client: httpx.AsyncClient, store: Store, links: Links
) -> None:  # D-31
    one_click = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        await client.post(links.unsubscribe("ann", "news", "to-ann"), data=one_click, headers=BROWSER)

    assert await answers(store) == {"ann": {"news": False}, "bob": {}}


async def test_a_topic_taken_off_and_on_and_off_again_stands_as_last_said(
    client: httpx.AsyncClient, store: Store, links: Links
) -> None:  # D-31
    said = []
    for on_again in (False, True, False):
        if on_again:
            yes = {"news": {"granted": True, "text": "Send me the news"}}
            await client.post("/v1/leads", json={"lead": {"id": "ann"}, "consents": yes})
        else:
            await client.post(links.unsubscribe("ann", "news", "to-ann"), data={"List-Unsubscribe": "One-Click"})
        said.append((await answers(store))["ann"])

    assert said == [{"news": False}, {"news": True}, {"news": False}]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("HEAD", BROWSER, id="B-11 the head only"),
        pytest.param("GET", {"User-Agent": ""}, id="B-11 nameless"),
        pytest.param("GET", {"User-Agent": "Barracuda Sentinel"}, id="B-11 a gateway"),
        pytest.param("GET", {**BROWSER, "Purpose": "prefetch"}, id="B-11 ahead"),
        pytest.param("GET", {**BROWSER, "X-Moz": "prefetch"}, id="B-11 ahead, in other words"),
    ],
)
async def test_a_person_s_click_counts_and_a_scanner_s_before_and_after_it_does_not(
    client: httpx.AsyncClient, store: Store, links: Links, method: str, headers: dict[str, str]
) -> None:  # B-20
    for one, how in ((method, headers), ("GET", BROWSER), (method, headers)):
        answer = await client.request(one, links.click("l-ann"), headers=how)
        assert answer.headers["location"] == "https://example.com/prices"

    async with store.read() as session:
        events = (await session.exec(select(EventRow).order_by(EventRow.received))).all()  # type: ignore[arg-type]
    assert [(row.lead_id, row.machine) for row in events] == [("ann", True), ("ann", False), ("ann", True)]


async def test_a_gateway_that_opens_and_clicks_everything_moves_nothing(life: Life) -> None:  # B-11
    states = [
        State("first", [send("test/one"), wait_for(clicked("test/one"), opened("test/one"), up_to=days(3), then="warm")]),
        State("cold", [leave("never looked")]),
        State("warm", [send("test/two"), leave("warm")]),
    ]  # fmt: skip
    await life.publish(Campaign("asking", states, enters=[on("asked")]))
    lead_id = await life.lead()
    await life.happens("asked")
    for _ in range(5):
        await life.happens("message_opened", template="test/one", machine=True)
        await life.clicks("test/one", machine=True)
        await life.happens("price_list_downloaded", machine=True)

    async with life.store.read() as session:
        assert (await session.get_one(LeadRow, lead_id)).scores == {}
    assert (await stand(life), sent(life)) == ([("active", None)], ["first/0/1"])

    await life.clicks("test/one")
    assert await stand(life) == [("ended", "left: warm")]
