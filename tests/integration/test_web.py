"""The HTTP edge, on each database in turn."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from nurture import Campaign, State, on, tag
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.campaigns import publish
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.models import EventRow, LeadRow, LinkRow, MessageRow
from nurture.store.referrals import share_code
from nurture.version import frozen

DOCUMENTED = Path(__file__).parents[2] / "docs/http-api.md"
PRICE_LIST = Campaign("price-list", enters=[on("price_list_downloaded")], states=[State("greet", [tag("greeted")])])
ANN: dict[str, Any] = {"name": "order_paid", "lead": {"email": "ann@example.com"}}


@pytest.fixture
async def links(store: Store, now: datetime) -> Links:
    """A lead `ann` with a message `m` that holds a link `l`."""
    about: dict[str, Any] = {
        "occurrence": "a/0/1",
        "campaign": "c",
        "template": "c/one",
        "channel": "email",
        "purpose": "marketing",
    }
    async with store.write() as session:
        session.add(LeadRow(id="ann", created_at=now, updated_at=now))
        await session.flush()
        row = MessageRow(id="m", lead_id="ann", topic="news", status="accepted", message_id="<m>", due_at=now, **about,
                         updated_at=now)  # fmt: skip
        session.add(row)
        await session.flush()
        session.add(LinkRow(id="l", message_id="m", url="https://example.com/prices"))
    return Links("http://nurture", Settings().secrets)


async def names(store: Store) -> list[tuple[str, bool]]:
    async with store.read() as session:
        return [(row.name, row.machine) for row in (await session.exec(select(EventRow))).all()]


async def test_an_event_sent_again_has_no_second_effect(client: httpx.AsyncClient, store: Store) -> None:
    first = await client.post("/v1/events", json={"id": "1", **ANN})
    again = await client.post("/v1/events", json={"id": "1", **ANN})

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert ("idempotent-replayed" in first.headers, "idempotent-replayed" in again.headers) == (False, True)
    assert await names(store) == [("order_paid", False)]


async def test_a_bad_item_harms_no_neighbour(client: httpx.AsyncClient, store: Store) -> None:
    answer = await client.post("/v1/events", json=[ANN, {"name": "order paid", "lead": {}}, 7, ANN])

    assert [one["status"] for one in answer.json()["results"]] == [202, 422, 422, 202]
    assert answer.json()["results"][1]["field"] == "name"
    assert len(await names(store)) == 2


async def test_more_than_is_taken_at_once_is_refused(client: httpx.AsyncClient) -> None:
    many = await client.post("/v1/events", json=[ANN] * 501)
    large = await client.post("/v1/events", content=b"x" * 1_000_001)

    assert (many.status_code, large.status_code) == (413, 413)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
async def test_no_junk_breaks_it(client: httpx.AsyncClient, junk: Any) -> None:
    answer = await client.post("/v1/events", json=[{"name": "visit", "lead": junk}, ANN] if junk else [ANN, ANN])

    assert answer.status_code == 207
    assert answer.json()["results"][1]["status"] == 202


async def test_an_unknown_campaign_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/journeys", json={"campaign": "price-lst", "lead": {"email": "ann@example.com"}})

    assert answer.status_code == 404
    assert "price-lst" in answer.json()["detail"]


async def test_a_click_leads_on_and_is_noted(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    answer = await client.get(links.click("l"), headers={"User-Agent": "a browser"})

    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/prices")
    assert await names(store) == [("message_clicked", False)]


async def test_a_machine_that_follows_a_link_is_noted_as_one(
    client: httpx.AsyncClient, store: Store, links: Links
) -> None:
    await client.head(links.click("l"))

    assert await names(store) == [("message_clicked", True)]


async def test_looking_at_the_page_unsubscribes_nobody(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    page = await client.get(links.unsubscribe("ann", "news", "m"))

    assert "Leave this mailing?" in page.text
    async with store.read() as session:
        assert await current_consents(session, "ann", datetime.now(UTC)) == {}


async def test_one_click_unsubscribes_at_once(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    done = await client.post(links.unsubscribe("ann", "news", "m"), data={"List-Unsubscribe": "One-Click"})

    assert done.status_code == 200
    async with store.read() as session:
        assert await current_consents(session, "ann", datetime.now(UTC)) == {"news": False}


async def test_the_button_of_the_page_unsubscribes(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    address = links.unsubscribe("ann", "news", "m")
    confirm = re.search(r'name="confirm" value="([^"]+)"', (await client.get(address)).text)
    assert confirm is not None
    done = await client.post(address, data={"confirm": confirm[1], "topic": "*"})

    assert "You are unsubscribed" in done.text
    async with store.read() as session:
        assert await current_consents(session, "ann", datetime.now(UTC)) == {"*": False}


@pytest.mark.parametrize("form", [{}, {"confirm": "made up"}, {"List-Unsubscribe": "no"}])
async def test_a_bare_post_unsubscribes_nobody(
    client: httpx.AsyncClient, store: Store, links: Links, form: dict[str, str]
) -> None:
    refused = await client.post(links.unsubscribe("ann", "news", "m"), data=form)

    assert refused.status_code == 422
    async with store.read() as session:
        assert await current_consents(session, "ann", datetime.now(UTC)) == {}


async def test_a_friend_lands_on_a_page_with_the_code(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    async with store.write() as session:
        code = await share_code(session, "ann", datetime.now(UTC))
    there = await client.get(links.share(code), headers={"Accept-Language": "ru"})
    nowhere = await client.get(links.share("made0up0"), headers={"Accept": "text/html"})

    assert code in there.text
    assert "Вас нам порекомендовали" in there.text
    assert (nowhere.status_code, "There is nothing here" in nowhere.text) == (404, True)


async def test_a_survey_takes_one_answer(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    for score in ("9", "3"):
        await client.post(links.survey("ann", "nps", "m"), data={"score": score})

    async with store.read() as session:
        assert (await session.get_one(LeadRow, "ann")).profile["nps"] == 9


# --- about an erased lead ---


async def test_a_late_click_survey_or_friend_finds_nothing_and_brings_nobody_back(
    client: httpx.AsyncClient, store: Store, links: Links
) -> None:
    async with store.write() as session:
        code = await share_code(session, "ann", datetime.now(UTC))
        await erase(session, "ann", "ops", datetime.now(UTC))

    late = [
        await client.get(links.click("l"), headers={"User-Agent": "a browser"}),
        await client.post(links.survey("ann", "nps", "m"), data={"score": "9"}),
        await client.get(links.share(code)),
    ]

    assert [one.status_code for one in late] == [404, 404, 404]
    assert await names(store) == []


async def test_who_was_erased_may_still_unsubscribe(client: httpx.AsyncClient, store: Store, links: Links) -> None:
    async with store.write() as session:
        await erase(session, "ann", "ops", datetime.now(UTC))
    address = links.unsubscribe("ann", "news", "m")

    asked, done = await client.get(address), await client.post(address, data={"List-Unsubscribe": "One-Click"})

    assert (asked.status_code, done.status_code) == (200, 200)


@pytest.mark.parametrize("path", ["/c/x.y", "/u/x.y", "/s/x.y"])
async def test_a_forged_link_finds_nothing(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).json()["detail"] == "there is nothing at this address"


async def test_readiness_tells_what_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    missing = "the database has no tables of nurture yet: make them with nurture db upgrade"

    assert (await client.get("/live")).status_code == 200
    assert (answer.status_code, answer.json()) == (
        503, {"status": "not ready", "checks": {"database": "ok", "tables": missing, "outbox": "ok"}},
    )  # fmt: skip


async def test_the_description_holds_all_of_the_api_and_its_page_needs_no_other_host(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    page = (await client.get("/docs")).text

    assert {"/v1/events", "/v1/leads", "/v1/journeys", "/hooks/in/{source}", "/live", "/ready"} <= set(
        described["paths"]
    )
    assert described["paths"]["/v1/events"]["post"]["summary"] == "Take in one event, or a list of up to 500"
    assert described["paths"]["/v1/leads"]["post"]["summary"] == "Make a lead, or add to what is known of it"
    assert "://" not in page.replace("http://www.w3.org", "")


async def test_the_examples_of_the_description_are_taken(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]["/v1/events"]["post"]
    for example in described["requestBody"]["content"]["application/json"]["examples"].values():
        answer = await client.post("/v1/events", json=example["value"])

        assert str(answer.status_code) in described["responses"]
        assert answer.is_success


async def test_the_requests_that_the_documentation_shows_are_answered(client: httpx.AsyncClient, store: Store) -> None:
    async with store.write() as session:
        await publish(session, frozen(PRICE_LIST), by="test", now=datetime.now(UTC))
    shown = re.findall(r"```http\n(\w+) (\S+)\n\n?(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    await client.post("/v1/leads", json={"lead": {"email": "bob@example.com"}})
    # One of a hand-off that there is not yet is answered by a 404.
    shown = [one for one in shown if "{" not in one[1]]
    answers = [await client.request(method, path, content=body) for method, path, body in shown]

    assert [f"{one.request.url.path}: {one.text}" for one in answers if not one.is_success] == []
    results = [result for answer in answers if answer.status_code == 207 for result in answer.json()["results"]]
    assert {result["status"] for result in results} == {202}
