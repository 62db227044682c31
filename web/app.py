"""The web process: settings, store, catalogue and routes, composed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from nurture.catalogue import Catalogue
from nurture.intake import Intake
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.settings import Settings, read_settings
from nurture.store import Store
from web import health, hooks, intake, links, looks, problems, referrals, surveys
from web.bodies import LARGEST
from web.description import ABOUT, describe
from web.keys import Keys
from web.state import State


def create(settings: Settings | None = None, catalogue: Catalogue | None = None) -> FastAPI:
    """The app; settings are read from the environment and the catalogue from their directory, unless given."""
    if settings is None:
        set_up_logs()
        settings = read_settings()
    catalogue = catalogue or load(settings.campaigns, settings.templates)
    seals = hooks.seals(catalogue.sources, settings.hook_secrets)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(settings.database_url.get_secret_value())
        taking = Intake(store, catalogue, settings)
        signed = Links(settings.base_url, settings.secrets)
        app.state.nurture = State(settings, store, catalogue, taking, signed, Keys(store), seals)
        yield
        await taking.close()
        await store.close()

    app = FastAPIOffline(
        title="nurture",
        description=ABOUT,
        version="0.1.0",
        lifespan=lifespan,
        redoc_url=None,
        max_body_size=LARGEST,
        strict_content_type=False,
    )
    problems.add_problems(app)
    for part in (intake, hooks, links, surveys, referrals, looks, health):
        app.include_router(part.routes)
    describe(app)
    return app
