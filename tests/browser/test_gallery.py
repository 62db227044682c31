"""The gallery in a real browser: the mail is shown in its frames, and can do nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from nurture.catalogue import Catalogue
from nurture.gallery import gallery
from nurture.settings import Settings
from nurture.store import Store
from tests.browser.conftest import address, listening, served
from tests.unit.templates.folder import Folder

pytestmark = pytest.mark.browser


@pytest.fixture
async def gallery_of(tmp_path: Path, store_of_the_town: Store) -> AsyncIterator[str]:
    folder = Folder(tmp_path)
    folder.message('<p>Hello {{ lead.first_name or "you" }}</p><script>document.body.innerHTML = "taken"</script>')
    here = listening()
    settings = Settings(_env_file=None, templates=folder.path)
    async with served(gallery(settings, Catalogue(), store_of_the_town), here):
        yield address(here)


async def test_a_message_is_seen_on_a_desk_and_on_a_phone_and_runs_nothing(page: Page, gallery_of: str) -> None:
    await page.goto(gallery_of)
    await page.get_by_role("link", name="news/may").click()

    for title, width in (("On a desk", 500), ("On a phone", 375)):
        frame = page.frame_locator(f'iframe[title="{title}"]')
        assert await frame.locator("p").inner_text() == "Hello Ann"
        box = await page.locator(f'iframe[title="{title}"]').bounding_box()
        assert box is not None
        assert (box["width"] >= width) is (title == "On a desk")
    await page.get_by_role("link", name="somebody of whom nothing is known").click()
    await page.get_by_role("heading", name="Prices").wait_for()
    assert await page.frame_locator('iframe[title="On a phone"]').locator("p").inner_text() == "Hello you"
