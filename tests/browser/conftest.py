"""A browser, a web process of ours, and a site of somebody's that embeds what we serve; all of them real."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from nurture import Form, lead
from nurture import field as question
from nurture.catalogue import Catalogue
from nurture.intake import Result
from nurture.settings import Settings
from nurture.store import Store
from web.app import compose

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 20.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
PRICES = Form(
    key="prices",
    title={"en": "The price list", "ru": "Прайс-лист"},
    promise={"en": "All prices at once.", "ru": "Все цены сразу."},
    fields=(
        question(lead.email, required=True),
        question(lead.job_title),
        question(lead.company.turnover, choices={500_000: "less than a million", 5_000_000: "more"}),
    ),
    event="price_list_downloaded",
    consent={"en": "Send me the news", "ru": "Присылайте новости"},
)


@dataclass
class Town:
    """Our web process and the site, by their addresses; `taken` are the names of what came in, in its order."""

    nurture: str
    site: str
    store: Store
    taken: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def heard(self, *names: str) -> None:
        """Wait until so much came in."""
        for name in names:
            assert await asyncio.wait_for(self.taken.get(), PATIENCE) == name


def listening() -> socket.socket:
    """A free port of this machine, held."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


def address(held: socket.socket) -> str:
    return f"http://127.0.0.1:{held.getsockname()[1]}"


@asynccontextmanager
async def served(app: Any, held: socket.socket) -> AsyncIterator[None]:
    held.listen()  # who calls before the server runs waits for it
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([held]))
    with held:
        yield
        server.should_exit = True
        await serving


def page_of(nurture: str, consent: str) -> str:
    return f"""<!doctype html><title>A shop</title>
<script src="{nurture}/nurture.js" data-consent="{consent}" async></script>
<a id="prices" href="/prices">Prices</a> <a id="form" href="{nurture}/f/prices">Price list</a>
<button id="yes" onclick="nurture.consent(true)">Yes</button> <button id="no" onclick="nurture.consent(false)">No</button>
<form id="plain" method="post" action="{nurture}/f/prices"><input name="email"><button>Send</button></form>
<iframe id="frame" src="about:blank"></iframe>"""


def site(nurture: str) -> Starlette:
    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(page_of(nurture, request.query_params.get("consent", "required")))

    return Starlette(routes=[Route("/", show), Route("/prices", show)])


@pytest.fixture
async def town(sqlite_url: str, store_of_the_town: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Everything running, with an empty store."""
    monkeypatch.setattr("web.forms.SOONEST", timedelta(0))  # a browser that is driven types faster than people
    ours, theirs = listening(), listening()
    settings = Settings(
        _env_file=None, database_url=SecretStr(sqlite_url), base_url=address(ours), sites=[address(theirs)]
    )
    app = compose(settings, Catalogue(forms={"prices": PRICES}))
    town = Town(address(ours), address(theirs), store_of_the_town)
    async with app.router.lifespan_context(app):
        _tell(app, town)
        async with served(app, ours), served(site(address(ours)), theirs):
            yield town


def _tell(app: FastAPI, town: Town) -> None:
    """Let the town know what was taken in, once it is committed."""
    intake = app.state.nurture.intake
    accept = intake.accept

    async def telling(items: Any, now: Any) -> list[Result]:
        results: list[Result] = await accept(items, now)
        for item, result in zip(items, results, strict=True):
            town.taken.put_nowait(item.name if result.error is None else f"refused {item.name}")
        return results

    intake.accept = telling


@pytest.fixture
async def store_of_the_town(sqlite_url: str) -> AsyncIterator[Store]:
    store = Store(sqlite_url)
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A new visitor's page."""
    context = await browser.new_context(user_agent=AGENT, locale="en-GB")
    context.set_default_timeout(PATIENCE * 1000)
    yield await context.new_page()
    await context.close()


def sent_to(page: Page, path: str) -> list[str]:
    """The requests to that path from now on, as they are made."""
    found: list[str] = []
    page.context.on("request", lambda request: found.append(request.url) if request.url.endswith(path) else None)
    return found
