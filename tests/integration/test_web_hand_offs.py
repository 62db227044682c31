"""How sales answers over the web: by the link in a mail, the API, or its CRM; whoever has no business there finds nothing."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select
from standardwebhooks import Webhook

from nurture.catalogue import Catalogue
from nurture.channels import Envelope
from nurture.hooks import Source
from nurture.settings import Settings
from nurture.store import Store, hand_offs
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.erasure import erase
from nurture.store.models import EventRow
from tests.integration.desk import SALES, Desk
from web.app import compose

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
CRM = Source(
    key="crm",
    events={"lead.accepted": "sales_accepted", "lead.rejected": "sales_rejected"},
    lead={"email": "data.email", "external_id": "data.id"},
    properties={"reason": "data.reason", "hand_off": "data.hand_off"},
)
REAL = Path(__file__).parents[2] / "templates"
PAGE = {"Accept": "text/html"}


@pytest.fixture
async def desk(store: Store, now: datetime) -> Desk:
    return await Desk(store, now, base_url="http://nurture", templates=REAL).opens()


@pytest.fixture
async def client(database_url: str, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP edge beside the desk, called with a key that may do everything."""
    here = Settings(
        database_url=SecretStr(database_url), hook_secrets={"crm": SecretStr(SECRET)}, base_url="http://nurture",
        secrets=desk.life.settings.secrets,
    )  # fmt: skip
    app = compose(here, Catalogue(sources={"crm": CRM}, teams={"sales": SALES}))
    async with desk.store.write() as session:
        key = await make_key(session, "test", SCOPES, datetime.now(UTC))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://nurture", headers=headers) as one,
    ):
        yield one


def link(mail: Envelope) -> str:
    [found] = set(re.findall(r"http://nurture(/h/[\w.-]+)", mail.html))
    return str(found)


def newest(desk: Desk, who: str = "ann") -> str:
    return link(desk.mails(f"{who}@sales.example")[-1])


async def presses(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    """What the page's button does, whether the page shows one or not."""
    shown = re.search(r'name="confirm" value="([^"]+)"', (await client.get(path, headers=PAGE)).text)
    return await client.post(path, data={"confirm": shown[1] if shown else "", **form}, headers=PAGE)


async def calls(client: httpx.AsyncClient, kind: str, webhook_id: str = "w-1", **data: Any) -> httpx.Response:
    now = datetime.now(UTC)
    body = json.dumps({"type": kind, "data": data})
    headers = {
        "webhook-id": webhook_id, "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(webhook_id, now, body),
    }  # fmt: skip
    return await client.post("/hooks/in/crm", content=body, headers=headers)


# --- the link ---


async def test_a_get_only_asks(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over(first_name="Lea", last_name="Lead", company={"name": "Example Ltd"})
    for _ in range(2):
        shown = await client.get(newest(desk), headers=PAGE)

    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert all(word in shown.text for word in ("Lea Lead, Example Ltd", "I take it", "no budget", "wrong person"))
    assert (await desk.row(row.id)).status == "open"


async def test_the_button_takes_the_lead_and_a_second_press_says_who_did(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over()
    first = await presses(client, newest(desk), answer="accepted")
    second = await client.get(newest(desk), headers=PAGE)
    third = await presses(client, newest(desk), answer="rejected", reason="no budget")

    assert first.status_code == second.status_code == 200
    assert all("Sales has taken this lead" in one.text and "Ann Able" in one.text for one in (first, second))
    assert third.status_code == 422  # there is no button any more
    row = await desk.row(row.id)
    assert (row.status, row.answered_by, row.answered_via) == ("accepted", "ann", "link")


async def test_a_no_says_why_by_the_teams_own_list(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over()
    for form in ({}, {"reason": "no idea"}):
        assert "Choose a reason" in (await presses(client, newest(desk), answer="rejected", **form)).text
    said = await presses(client, newest(desk), answer="rejected", reason="no budget", comment="<b>next</b> year")

    assert "no budget: &lt;b&gt;next&lt;/b&gt; year" in said.text
    assert (await desk.row(row.id)).reason == "no budget: <b>next</b> year"


async def test_without_the_pages_button_nothing_is_done(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over()
    answers = [
        await client.post(newest(desk), data={"answer": "accepted", **form}, headers=PAGE)
        for form in ({}, {"confirm": ""}, {"confirm": "ü"}, {"confirm": "x" * 40})
    ]

    assert {one.status_code for one in answers} == {422}
    assert (await desk.row(row.id)).status == "open"


async def test_every_link_that_is_not_good_finds_the_same_nothing_and_does_nothing(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    row = await desk.handed_over("a@example.com")
    ann = newest(desk)
    links = desk.life.walkers.equipment.links
    await desk.life.passes(hours=2, minutes=5)  # it is bob's now
    bob = newest(desk, "bob")
    nobodys = [
        ann, ann[:-1], f"{ann}x", "/h/forged", "/h/" + bob[3:].replace(".", "..", 1),
        links.hand_off(row.id, 99).removeprefix("http://nurture"),
        links.hand_off("0" * 32, 1).removeprefix("http://nurture"),
        links.hand_off(row.id, 2).removeprefix("http://nurture"),  # ann's reminder
        "/h/" + links.survey(row.id, "1").rpartition("/")[2],
    ]  # fmt: skip
    shown = [await client.get(one, headers=PAGE) for one in nobodys]
    pressed = [await client.post(one, data={"answer": "accepted", "confirm": "x"}, headers=PAGE) for one in nobodys]

    assert {(one.status_code, one.text) for one in (*shown, *pressed)} == {(404, shown[0].text)}
    assert (await desk.row(row.id)).status == "open"
    assert (await presses(client, bob, answer="accepted")).status_code == 200
    assert (await desk.row(row.id)).answered_by == "bob"


async def test_the_lead_of_the_team_may_answer_once_the_matter_came_to_them(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    row = await desk.handed_over()
    await desk.life.passes(minutes=31)
    await presses(client, newest(desk, "boss"), answer="accepted")

    assert (await desk.row(row.id)).answered_by == "lead"


async def test_a_link_is_good_for_nothing_once_the_lead_is_back_in_nurture_or_erased(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    first, second = await desk.handed_over("a@example.com"), await desk.handed_over("b@example.com")
    erased = newest(desk, "bob")
    async with desk.store.write() as session:
        await erase(session, second.lead_id, "ops", desk.now)
    await desk.life.passes(hours=4)
    recycled = newest(desk)
    shown = [await client.get(one, headers=PAGE) for one in (erased, recycled)]

    assert [one.status_code for one in shown] == [404, 404]
    assert (await desk.row(first.id)).status == "recycled"


async def test_of_two_presses_at_once_one_holds_and_both_see_it(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over()
    yes, no = await asyncio.gather(
        presses(client, newest(desk), answer="accepted"),
        presses(client, newest(desk), answer="rejected", reason="no budget"),
    )

    row = await desk.row(row.id)
    word = {"accepted": "Sales has taken", "rejected": "Sales has said no"}[row.status]
    assert all(word in one.text or one.status_code == 422 for one in (yes, no))
    assert [one.deed for one in await desk.deeds(row.id)][1:] == [row.status]


async def test_a_russian_speaker_sees_the_page_in_russian(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.handed_over("a@example.com")
    await desk.handed_over("b@example.com")

    assert "Беру" in (await client.get(newest(desk, "bob"), headers=PAGE)).text


# --- the API ---


async def test_hand_offs_are_listed_page_by_page_and_shown_with_their_dossier(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    rows = [await desk.handed_over(f"lead-{n}@example.com") for n in range(3)]
    first = (await client.get("/v1/hand-offs", params={"limit": 2})).json()
    rest = (await client.get("/v1/hand-offs", params={"limit": 2, "after": first["next"]})).json()
    of_ann = (await client.get("/v1/hand-offs", params={"assigned_to": "ann", "status": "open"})).json()
    whole = (await client.get(f"/v1/hand-offs/{rows[0].id}")).json()

    assert [one["id"] for one in (*first["hand_offs"], *rest["hand_offs"])] == [row.id for row in reversed(rows)]
    assert (len(of_ann["hand_offs"]), rest["next"]) == (2, None)
    assert (whole["dossier"]["who"]["email"], [one["deed"] for one in whole["deeds"]]) == (
        "lead-0@example.com", ["assigned"],
    )  # fmt: skip


async def test_an_answer_over_the_api_is_taken_once_and_another_is_refused(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    row = await desk.handed_over()
    path, no = f"/v1/hand-offs/{row.id}/answer", {"answer": "rejected", "reason": "no budget", "by": "ann"}
    first, again = [await client.post(path, json=no) for _ in range(2)]
    other = await client.post(path, json={"answer": "accepted"})

    assert (first.status_code, first.json()["status"], first.json()["answered_via"]) == (200, "rejected", "api")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert (other.status_code, "was rejected" in other.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"answer": "maybe"}, "answer"), ({"answer": "rejected", "reason": "none"}, "reason"), ({}, "answer"),
     ({"answer": "accepted", "when": "now"}, "when")],
)  # fmt: skip
async def test_an_answer_that_is_none_is_refused_with_the_field(
    client: httpx.AsyncClient, desk: Desk, given: dict[str, str], field: str
) -> None:
    row = await desk.handed_over()
    refused = await client.post(f"/v1/hand-offs/{row.id}/answer", json=given)

    assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_what_there_is_not_is_not_found(client: httpx.AsyncClient) -> None:
    asked = [
        await client.get("/v1/hand-offs/none"),
        await client.post("/v1/hand-offs/none/answer", json={"answer": "accepted"}),
        await client.get("/v1/hand-offs", params={"after": "none"}),
    ]

    assert [one.status_code for one in asked] == [404, 404, 404]


async def test_a_key_for_something_else_may_not(client: httpx.AsyncClient, desk: Desk) -> None:
    async with desk.store.write() as session:
        key = await make_key(session, "other", ["events:write", "hand-offs:read"], datetime.now(UTC))
    refused = await client.post(
        "/v1/hand-offs/none/answer", json={"answer": "accepted"}, headers={"Authorization": f"Bearer {key}"}
    )

    assert refused.status_code == 403


# --- the CRM ---


async def test_the_crm_answers_by_the_lead_and_its_journey_hears_it(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over()
    heard = await calls(client, "lead.rejected", email="lead@example.com", reason="no budget")
    await desk.life.passes(days=2)  # the web process reads the real clock, which is ahead
    again = await calls(client, "lead.rejected", email="lead@example.com", reason="no budget")

    assert heard.json() == {"ignored": False, "id": f"sales/{row.id}", "lead_id": row.lead_id}
    assert (again.json()["ignored"], again.json()["id"]) == (True, f"sales/{row.id}")
    row = await desk.row(row.id)
    assert (row.status, row.reason, row.answered_via) == ("rejected", "no budget", "hook crm")
    assert await desk.ending(row) == "left: rejected"
    async with desk.store.read() as session:
        named = (await session.exec(select(EventRow.name).where(EventRow.name == "sales_rejected"))).all()
    assert len(named) == 1


async def test_the_crm_may_name_the_hand_off(client: httpx.AsyncClient, desk: Desk) -> None:
    row = await desk.handed_over(external_id="crm-7")
    await calls(client, "lead.accepted", "w-1", id="crm-7", hand_off="of somebody else")
    assert (await desk.row(row.id)).status == "open"
    await calls(client, "lead.accepted", "w-2", id="crm-7", hand_off=row.id)

    assert (await desk.row(row.id)).status == "accepted"


async def test_an_answer_about_a_lead_that_was_never_handed_over_is_an_event_like_any_other(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    lead_id = await desk.life.lead("other@example.com")
    heard = (await calls(client, "lead.accepted", email="other@example.com")).json()

    async with desk.store.read() as session:
        event = await session.get_one(EventRow, heard["id"])
        assert await hand_offs.listed(session) == []
    assert (event.name, event.lead_id) == ("sales_accepted", lead_id)
