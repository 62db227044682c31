"""Forms from the page to the known lead, on each database in turn."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import SQLModel, select

from nurture import Form, Offer, Score, field, gives, lead, on
from nurture.catalogue import Catalogue
from nurture.errors import DatabaseAway
from nurture.intake import Incoming
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.capture_counts import captures
from nurture.store.capture_tables import ArrivalRow, ConsentProofRow, VisitorRow
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.leads import look_up
from nurture.store.models import EventRow, LeadRow, new_id
from web.app import compose

SITE = "https://www.example.com"
SECRETS = [SecretStr("a secret of the tests, long enough")]
LINKS = Links("http://nurture", SECRETS)
INTEREST = Score(key="interest", rules=(gives(10, on("price_list_downloaded")),))
PRICES = Form(
    key="prices",
    title={"en": "The price list", "ru": "Прайс-лист"},
    promise=Offer(key="prices-2026", title="Prices of 2026", promise={"en": "All prices, at once", "ru": "Все цены"}),
    fields=(
        field(lead.email, required=True),
        field(lead.job_title),
        field(lead.company.turnover),
        field(lead.company.size, choices={10: "up to 10", 100: "up to 100"}),
    ),
    event="price_list_downloaded",
    consent={"en": "Send me the news", "ru": "Присылайте новости"},
    delivers="https://www.example.com/prices.pdf",
)
NEWS = Form(
    key="news", title="News", fields=(field(lead.email, required=True),), event="news_wanted", consent="Yes, the news",
    double_opt_in=True,
)  # fmt: skip
AWAY = Form(
    key="away", title="Away", fields=(field(lead.email, required=True),), event="asked", goes_to="https://x.example/ty"
)
CATALOGUE = Catalogue(forms={one.key: one for one in (PRICES, NEWS, AWAY)}, scores={"interest": INTEREST})


@pytest.fixture
async def app(database_url: str, store: Store) -> AsyncIterator[FastAPI]:
    here = Settings(
        _env_file=None, database_url=SecretStr(database_url), base_url="http://nurture", secrets=SECRETS, sites=[SITE]
    )
    app = compose(here, CATALOGUE)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at one address."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://nurture") as one:
        yield one


def typed(form: str = "prices", ago: float = 60, **given: Any) -> dict[str, str]:
    """What is sent when the form was shown so many seconds ago."""
    token = LINKS.shown(form, datetime.now(UTC) - timedelta(seconds=ago), new_id())
    return {"email": "ann@example.com", "token": token, "page": f"http://nurture/f/{form}", **given}


async def rows(store: Store, model: type[SQLModel]) -> Sequence[Any]:
    async with store.read() as session:
        return (await session.exec(select(model))).all()


async def ann(store: Store, email: str = "ann@example.com") -> LeadRow:
    async with store.read() as session:
        return await look_up(session, email)


async def consents(store: Store) -> dict[str, bool]:
    async with store.read() as session:
        return await current_consents(session, (await look_up(session, "ann@example.com")).id, datetime.now(UTC))


def values(page: str) -> dict[str, str]:
    """The inputs of a page with what stands in them."""
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


# --- the page ---


async def test_the_page_asks_in_the_visitors_language_with_labels_of_its_own(client: httpx.AsyncClient) -> None:
    english = (await client.get("/f/prices", headers={"Accept-Language": "en"})).text
    russian = (await client.get("/f/prices", headers={"Accept-Language": "ru-RU,ru"})).text

    assert '<label for="email">E-mail</label>' in english
    assert "All prices, at once" in english
    assert '<label for="job_title">Должность <span class="optional">(не обязательно)</span></label>' in russian
    assert '<html lang="ru">' in russian


async def test_no_box_is_ticked_beforehand(client: httpx.AsyncClient) -> None:
    page = (await client.get("/f/prices")).text

    assert '<input type="checkbox" name="consent" value="yes">' in page


async def test_own_sites_and_nobody_else_may_show_it_in_a_frame(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/f/prices")).headers["content-security-policy"]

    assert f"frame-ancestors {SITE}" in policy
    assert f"form-action 'self' {SITE}" in policy
    assert "default-src 'none'" in policy


async def test_a_form_that_nobody_declared_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/f/pricess")).status_code == 404
    assert (await client.post("/f/pricess", data=typed())).status_code == 404


async def test_the_page_posts_what_it_was_given(client: httpx.AsyncClient, store: Store) -> None:
    page = (await client.get("/f/prices?utm_source=telegram&utm_campaign=spring")).text
    sent = {**values(page), "email": "ann@example.com", "token": typed()["token"]}  # as if a minute had gone by

    await client.post("/f/prices", data=sent)

    touch = (await ann(store)).profile["first_touch"]
    assert (touch["channel"], touch["placement"], touch["offer"]) == ("telegram", "spring", "prices-2026")


# --- filled in ---


async def test_a_form_that_is_filled_in_makes_a_known_lead_and_leads_on(
    client: httpx.AsyncClient, store: Store
) -> None:
    answers: dict[str, Any] = {"job_title": "Head of marketing", "company.turnover": "1 200 000", "company.size": "100"}
    done = await client.post("/f/prices", data=typed(**answers))
    thanks = await client.get(done.headers["location"])

    assert (done.status_code, thanks.status_code) == (303, 200)
    assert 'href="https://www.example.com/prices.pdf"' in thanks.text
    row = await ann(store)
    assert row.profile["job_title"] == "Head of marketing"
    assert row.profile["company"] == {"turnover": 1_200_000, "size": 100}
    assert (row.stage, row.scores, row.language) == ("visit", {"interest": 10}, "en")
    events = {one.name: one.properties for one in await rows(store, EventRow)}
    assert events["price_list_downloaded"]["form"] == "prices"
    assert events["price_list_downloaded"]["answers"]["company.turnover"] == "1 200 000"
    assert events["stage_changed"] == {"from": "need", "to": "visit", "reason": "form prices"}


async def test_a_stage_never_goes_back(client: httpx.AsyncClient, app: FastAPI, store: Store) -> None:
    await client.post("/f/prices", data=typed())
    async with store.write() as session:
        row = await look_up(session, "ann@example.com")
        row.stage = "buy"
        session.add(row)

    await client.post("/f/prices", data=typed())

    assert (await ann(store)).stage == "buy"


async def test_the_same_page_sent_twice_is_one_event(client: httpx.AsyncClient, store: Store) -> None:
    sent = typed()
    first, again = await client.post("/f/prices", data=sent), await client.post("/f/prices", data=sent)

    assert (first.status_code, again.status_code) == (303, 303)
    assert [one.name for one in await rows(store, EventRow)].count("price_list_downloaded") == 1


async def test_a_consent_is_kept_with_its_proof(client: httpx.AsyncClient, store: Store) -> None:
    await client.post("/f/prices", data=typed(consent="yes"))

    [proof] = await rows(store, ConsentProofRow)
    assert (proof.form, proof.topic, proof.text, proof.email) == (
        "prices",
        "news",
        "Send me the news",
        "ann@example.com",
    )
    assert (proof.version, proof.ip, proof.language) == (PRICES.version, "127.0.0.1", "en")
    assert proof.confirmed_at == proof.at
    assert await consents(store) == {"news": True}


async def test_without_the_box_nothing_is_consented_to(client: httpx.AsyncClient, store: Store) -> None:
    await client.post("/f/prices", data=typed())

    assert (await consents(store), await rows(store, ConsentProofRow)) == ({}, [])


async def test_what_was_seen_before_belongs_to_the_lead_that_it_turns_out_to_be(
    client: httpx.AsyncClient, app: FastAPI, store: Store
) -> None:
    cookie = "0123456789abcdef"
    context = {"page": {"url": f"{SITE}/blog?utm_source=vk", "referrer": ""}}
    seen = Incoming.model_validate({"name": "visit", "lead": {"cookie": cookie}, "context": context})
    await app.state.nurture.intake.accept([seen], datetime.now(UTC) - timedelta(days=2))

    client.cookies.set("nurture", cookie)
    await client.post("/f/prices", data=typed())

    [row] = await rows(store, LeadRow)
    assert row.profile["first_touch"]["channel"] == "vk"
    assert {one.lead_id for one in await rows(store, EventRow)} == {row.id}
    assert [one.lead_id for one in await rows(store, VisitorRow)] == [row.id]
    assert {one.offer for one in await rows(store, ArrivalRow)} == {"", "prices-2026"}


async def test_a_form_may_lead_to_a_page_of_ones_own(client: httpx.AsyncClient) -> None:
    done = await client.post("/f/away", data=typed("away"))

    assert done.headers["location"] == "https://x.example/ty"


# --- what is wrong is said beside the field ---


async def test_faults_stand_beside_their_fields_and_what_was_typed_is_kept(
    client: httpx.AsyncClient, store: Store
) -> None:
    wrong = typed(email="ann at home", job_title='"><script>alert(1)</script>', consent="yes")
    page = await client.post("/f/prices", data={**wrong, "company.turnover": "a lot", "company.size": "7"})

    assert page.status_code == 422
    assert 'aria-invalid="true" aria-describedby="email-fault" autofocus' in page.text
    assert "This does not look like an e-mail address" in page.text
    assert page.text.count('class="fault"') == 3
    assert "<script" not in page.text
    assert values(page.text)["job_title"] == '"><script>alert(1)</script>'
    assert 'value="yes" checked' in page.text
    assert await rows(store, LeadRow) == []


async def test_what_is_missing_is_said(client: httpx.AsyncClient) -> None:
    page = await client.post("/f/prices", data=typed(email=" "))

    assert "Please fill this in" in page.text


@pytest.mark.parametrize("page_of", ["none", "somebody else", "another form", "yesterday"])
async def test_a_page_that_is_not_ours_or_too_old_is_shown_once_more_with_what_was_typed(
    client: httpx.AsyncClient, store: Store, page_of: str
) -> None:
    others = {"none": "", "somebody else": "made up", "another form": typed("news")["token"]}
    stale = typed(ago=13 * 3600) | ({"token": others[page_of]} if page_of in others else {})
    page = await client.post("/f/prices", data=stale)
    again = values(page.text)

    assert (page.status_code, again["email"]) == (422, "ann@example.com")
    assert (await client.post("/f/prices", data=again)).status_code == 303  # at once: nobody is taken for a machine
    assert (await ann(store)).scores == {"interest": 10}


async def test_a_plain_form_on_ones_own_site_needs_no_page_of_ours(client: httpx.AsyncClient, store: Store) -> None:
    plain = {"email": "ann@example.com"}
    ours = await client.post("/f/prices", data=plain, headers={"Origin": SITE, "Referer": f"{SITE}/"})
    other = await client.post("/f/prices", data=plain, headers={"Origin": "https://other.example"})

    assert (ours.status_code, other.status_code) == (303, 422)


async def test_when_nothing_can_be_taken_in_what_was_typed_is_not_lost(
    client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("secret place")

    monkeypatch.setattr(app.state.nurture.intake, "accept", away)
    page = await client.post("/f/prices", data=typed())

    assert (page.status_code, values(page.text)["email"]) == (503, "ann@example.com")
    assert "secret place" not in page.text


# --- machines, and too often ---


@pytest.mark.parametrize(
    ("trap", "ago", "agent"),
    [("https://spam.example", 60, "a browser"), ("", 0.5, "a browser"), ("", 60, "a spambot/1.0")],
)
async def test_a_machine_is_answered_like_a_person_and_counts_for_nothing(
    client: httpx.AsyncClient, store: Store, trap: str, ago: float, agent: str
) -> None:
    sent = typed(ago=ago, website=trap, job_title="x", consent="yes")
    done = await client.post("/f/prices", data=sent, headers={"User-Agent": agent})

    assert (done.status_code, (await client.get(done.headers["location"])).status_code) == (303, 200)
    [event] = await rows(store, EventRow)
    assert (event.name, event.machine) == ("price_list_downloaded", True)
    row = await ann(store)
    assert (row.profile, row.stage, row.scores) == ({"email": "ann@example.com"}, "need", {})
    assert (await consents(store), await rows(store, ArrivalRow)) == ({}, [])


async def test_nobody_types_in_the_same_address_again_and_again(client: httpx.AsyncClient) -> None:
    statuses = [(await client.post("/f/prices", data=typed())).status_code for _ in range(6)]

    assert statuses == [303] * 5 + [429]


async def test_one_caller_cannot_flood_it(client: httpx.AsyncClient, store: Store) -> None:
    answers = [await client.post("/f/prices", data=typed(email=f"a{n}@example.com")) for n in range(11)]

    assert [one.status_code for one in answers] == [303] * 10 + [429]
    assert answers[-1].headers["retry-after"] == "60"
    assert values(answers[-1].text)["email"] == "a10@example.com"
    assert len(await rows(store, LeadRow)) == 10


async def test_a_form_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/f/prices", data=typed(job_title="x" * 1_000_001))).status_code in (400, 413)


async def test_who_was_erased_is_answered_like_anybody_and_stays_erased(
    client: httpx.AsyncClient, store: Store
) -> None:
    await client.post("/f/prices", data=typed())
    async with store.write() as session:
        await erase(session, (await look_up(session, "ann@example.com")).id, "ops", datetime.now(UTC))

    done = await client.post("/f/prices", data=typed())

    assert done.status_code == 303
    assert await rows(store, LeadRow) == []


# --- double opt-in ---


async def confirm_link(store: Store, ago: timedelta = timedelta()) -> str:
    [proof] = await rows(store, ConsentProofRow)
    return LINKS.confirm(proof.id, datetime.now(UTC) + timedelta(days=7) - ago)


async def test_a_consent_to_be_confirmed_waits_for_the_button_behind_the_link(
    client: httpx.AsyncClient, store: Store
) -> None:
    done = await client.post("/f/news", data=typed("news", consent="yes"))
    thanks = await client.get(done.headers["location"])
    link = await confirm_link(store)
    page = await client.get(link)
    before = await consents(store)
    bare = await client.post(link, data={})
    confirmed = await client.post(link, data=values(page.text))

    assert "We have sent you a mail" in thanks.text
    assert (before, bare.status_code) == ({}, 422)
    assert "Yes, the news" in page.text
    assert "Confirmed" in confirmed.text
    assert await consents(store) == {"news": True}
    [proof] = await rows(store, ConsentProofRow)
    assert proof.confirmed_at is not None
    assert {"name": "confirmed", "about": {"form": "news", "topic": "news"}} in [
        {"name": one.name, "about": one.properties} for one in await rows(store, EventRow)
    ]


async def test_confirming_again_changes_nothing(client: httpx.AsyncClient, store: Store) -> None:
    await client.post("/f/news", data=typed("news", consent="yes"))
    link = await confirm_link(store)
    button = values((await client.get(link)).text)

    pages = [(await client.post(link, data=button)).text for _ in range(2)]

    assert all("Confirmed" in page for page in pages)
    assert [one.name for one in await rows(store, EventRow)].count("confirmed") == 1


async def test_an_old_link_confirms_nothing(client: httpx.AsyncClient, store: Store) -> None:
    await client.post("/f/news", data=typed("news", consent="yes"))
    fresh = await confirm_link(store)
    button = values((await client.get(fresh)).text)
    late = await confirm_link(store, timedelta(days=8))

    shown, pressed = await client.get(late), await client.post(late, data=button)

    assert (shown.status_code, pressed.status_code) == (410, 422)
    assert await consents(store) == {}


async def test_a_forged_link_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/o/made.up")).status_code == 404


async def test_without_the_box_there_is_nothing_to_confirm(client: httpx.AsyncClient, store: Store) -> None:
    done = await client.post("/f/news", data=typed("news"))

    assert "We have sent you a mail" not in (await client.get(done.headers["location"])).text
    assert await rows(store, ConsentProofRow) == []


# --- counted ---


async def test_views_tries_and_captures_are_counted_by_page_and_placement_and_machines_apart(
    client: httpx.AsyncClient, app: FastAPI, store: Store
) -> None:
    spring = "/f/prices?utm_source=telegram&utm_campaign=spring"
    for _ in range(3):
        await client.get(spring)
    await client.get(spring, headers={"User-Agent": "a crawler"})
    await client.post("/f/prices", data=typed(page=f"http://nurture{spring}", email="no"))
    await client.post("/f/prices", data=typed(page=f"http://nurture{spring}"))
    await client.post("/f/prices", data=typed(page=f"http://nurture{spring}", website="x"))
    await client.get("/f/prices?page=/blog")
    for _ in range(2):
        await app.state.nurture.captures.write()

    now = datetime.now(UTC)
    async with store.read() as session:
        found = await captures(session, now - timedelta(days=1), now + timedelta(days=1))
    assert [tuple(one) for one in found] == [
        ("prices", "/f/prices", "spring", 3, 2, 1, 1),
        ("prices", "/blog", "", 1, 0, 0, 0),
    ]


async def test_what_is_made_up_in_links_does_not_fill_the_table(
    client: httpx.AsyncClient, app: FastAPI, store: Store
) -> None:
    counts, now = app.state.nurture.captures, datetime.now(UTC)
    for n in range(600):
        counts.note("prices", f"/{n}", "", "views", now)
    await counts.write()

    async with store.read() as session:
        found = await captures(session, now - timedelta(days=1), now + timedelta(days=1))
    assert (len(found), sum(one.views for one in found)) == (501, 600)


async def test_counts_are_kept_while_the_database_is_away(
    app: FastAPI, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, now = app.state.nurture.captures, datetime.now(UTC)
    counts.note("prices", "/", "", "views", now)
    with monkeypatch.context() as broken:
        broken.setattr("web.captures.capture_counts.add", raises_away)
        await counts.write()
    counts.note("prices", "/", "", "views", now)
    await counts.write()

    async with store.read() as session:
        [found] = await captures(session, now - timedelta(days=1), now + timedelta(days=1))
    assert found.views == 2


async def raises_away(*_: object) -> None:
    raise DatabaseAway("away")
