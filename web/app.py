"""The web process: settings, store, catalogue and routes, composed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from nurture.catalogue import Catalogue
from nurture.intake import Intake
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.settings import Settings, read_settings
from nurture.store import Store
from web import health, hooks, intake, pages, problems
from web.state import State

ABOUT = """Events and leads come in here; links in messages lead here.

Send an API key as `Authorization: Bearer nk_…`; webhooks of other systems are signed instead.
"""


def create(settings: Settings | None = None, catalogue: Catalogue | None = None) -> FastAPI:
    """The app; settings are read from the environment and the catalogue from their directory, unless given."""
    if settings is None:
        set_up_logs()
        settings = read_settings()
    catalogue = catalogue or load(settings.campaigns, settings.templates)
    here = settings, catalogue

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings, catalogue = here
        store = Store(settings.database_url.get_secret_value())
        links = Links(settings.base_url, settings.secrets)
        app.state.nurture = State(settings, store, catalogue, Intake(store, catalogue, settings), links)
        app.state.known_keys = {}
        yield
        await app.state.nurture.intake.close()
        await store.close()

    app = FastAPI(title="nurture", description=ABOUT, version="0.1.0", lifespan=lifespan, redoc_url=None)
    problems.add_problems(app)
    for part in (intake, hooks, pages, health):
        app.include_router(part.routes)
    return app
