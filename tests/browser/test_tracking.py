"""Visitors of a site in a real browser: seen once they consent, and known once they fill in a form."""

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from sqlmodel import SQLModel, col, select

from nurture.store import Store
from nurture.store.capture_tables import ArrivalRow
from nurture.store.models import EventRow, LeadRow
from tests.browser.conftest import AGENT, Town, sent_to

pytestmark = pytest.mark.browser
SPRING = "/?utm_source=telegram&utm_campaign=spring"


async def rows(store: Store, model: type[SQLModel]) -> Sequence[Any]:
    async with store.read() as session:
        return (await session.exec(select(model))).all()


async def events(store: Store, name: str) -> list[dict[str, Any]]:
    async with store.read() as session:
        asked = select(EventRow).where(EventRow.name == name).order_by(col(EventRow.received))
        return [row.properties for row in (await session.exec(asked)).all()]


async def cookies(page: Page) -> list[str]:
    return [one["name"] for one in await page.context.cookies()]


async def fill_in(page: Page, email: str = "ann@example.com") -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Job title").fill("Head of marketing")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("heading", name="Thank you").wait_for()


async def test_who_does_not_consent_is_not_seen(page: Page, town: Town) -> None:
    sent = sent_to(page, "/t")
    await page.goto(f"{town.site}{SPRING}")
    await page.click("#prices")
    await page.wait_for_url("**/prices")
    await page.wait_for_load_state("networkidle")

    assert (sent, await cookies(page)) == ([], [])


async def test_visits_and_then_a_form_make_one_lead_with_all_it_did(page: Page, town: Town) -> None:
    await page.goto(f"{town.site}{SPRING}")
    await page.click("#yes")
    await town.heard("visit")
    await page.click("#prices")
    await page.wait_for_url("**/prices")
    await town.heard("visit")
    [anonymous] = await rows(town.store, LeadRow)
    await page.click("#form")
    await fill_in(page)
    await town.heard("price_list_downloaded")

    [lead] = await rows(town.store, LeadRow)
    assert (anonymous.email, lead.email, lead.stage) == (None, "ann@example.com", "visit")
    assert lead.profile["first_touch"]["channel"] == lead.profile["last_touch"]["channel"] == "telegram"
    assert [(one["page"], one["title"]) for one in await events(town.store, "visit")] == [
        ("/", "A shop"),
        ("/prices", "A shop"),
    ]
    assert {row.lead_id for row in await rows(town.store, EventRow)} == {lead.id}
    assert len(await rows(town.store, ArrivalRow)) == 1


async def test_a_visitor_is_the_same_on_every_page_and_the_next_time(page: Page, town: Town) -> None:
    await page.goto(f"{town.site}/?consent=given")
    await town.heard("visit")
    [first] = await page.context.cookies()
    await page.goto(f"{town.site}/prices")
    await town.heard("visit")
    [again] = await page.context.cookies()

    assert (first["value"], again["value"], again["sameSite"]) == (first["value"], first["value"], "Lax")
    assert len(await rows(town.store, LeadRow)) == 1


async def test_who_takes_the_consent_back_is_not_seen_any_more(page: Page, town: Town) -> None:
    await page.goto(f"{town.site}/?consent=given")
    await town.heard("visit")
    await page.click("#no")
    sent = sent_to(page, "/t")
    await page.goto(f"{town.site}/prices")
    await page.wait_for_load_state("networkidle")

    assert (sent, await cookies(page)) == ([], [])


@pytest.mark.parametrize(
    "signal", ["{get globalPrivacyControl() {return true}}", "{get doNotTrack() {return '1'}}"], ids=["GPC", "DNT"]
)
async def test_who_asks_not_to_be_tracked_is_not(browser: Browser, town: Town, signal: str) -> None:
    context = await browser.new_context(user_agent=AGENT)
    await context.add_init_script(
        f"Object.defineProperties(Navigator.prototype, Object.getOwnPropertyDescriptors({signal}))"
    )
    page = await context.new_page()
    sent = sent_to(page, "/t")
    await page.goto(f"{town.site}/?consent=given")
    await page.click("#yes")
    await page.goto(f"{town.site}/prices")
    await page.wait_for_load_state("networkidle")

    assert (sent, await cookies(page)) == ([], [])
    await context.close()


async def test_how_long_a_page_was_looked_at_is_told_when_it_is_left(page: Page, town: Town) -> None:
    await page.clock.install()
    await page.goto(f"{town.site}/?consent=given")
    await town.heard("visit")
    await page.clock.fast_forward(42_000)
    await page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await town.heard("page_read")

    [read] = await events(town.store, "page_read")
    assert read["page"] == "/"
    assert 42 <= read["seconds"] <= 60


async def test_a_plain_form_of_the_site_carries_the_visitor_along(page: Page, town: Town) -> None:
    await page.goto(f"{town.site}{SPRING}&consent=given")
    await town.heard("visit")
    await page.locator("#plain [name=email]").fill("ann@example.com")
    await page.locator("#plain button").click()
    await page.get_by_role("heading", name="Thank you").wait_for()
    await town.heard("price_list_downloaded")

    [lead] = await rows(town.store, LeadRow)
    assert (lead.email, lead.profile["first_touch"]["placement"]) == ("ann@example.com", "spring")
    [filled] = await events(town.store, "price_list_downloaded")
    assert filled["page"] == "/"


async def test_a_form_in_a_frame_of_the_site_is_filled_in_there(page: Page, town: Town) -> None:
    await page.goto(f"{town.site}/?consent=given")
    await town.heard("visit")
    await page.evaluate(f"document.getElementById('frame').src = '{town.nurture}/f/prices?page=/shop'")
    frame = page.frame_locator("#frame")
    await frame.get_by_label("E-mail").fill("ann@example.com")
    await frame.get_by_role("button", name="Send").click()
    await frame.get_by_role("heading", name="Thank you").wait_for()
    await town.heard("price_list_downloaded")

    assert len(await rows(town.store, LeadRow)) == 1
    [filled] = await events(town.store, "price_list_downloaded")
    assert filled["page"] == "/shop"


async def test_a_form_is_filled_in_without_javascript(browser: Browser, town: Town) -> None:
    context = await browser.new_context(user_agent=AGENT, java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{town.nurture}/f/prices")
    await page.get_by_label("Yearly turnover").select_option("more")
    await page.get_by_label("Send me the news").check()
    await fill_in(page)
    await town.heard("price_list_downloaded")

    [lead] = await rows(town.store, LeadRow)
    assert lead.profile["company"] == {"turnover": 5_000_000}
    await context.close()


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_form_fits_the_screen_and_can_be_touched(browser: Browser, town: Town, width: int) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 800}, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{town.nurture}/f/prices")

    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    touched = page.locator("main :is(input:not([type=checkbox]):not([name=website]), select, button):visible")
    boxes = [await one.bounding_box() for one in await touched.all()]
    heights = [box["height"] for box in boxes if box is not None]
    assert len(heights) == 4
    assert min(heights) >= 44
    await context.close()
