"""The web process: settings, store, catalogue and routes, composed."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from nurture.catalogue import Catalogue
from nurture.errors import NurtureError
from nurture.intake.measured import MeasuredIntake
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.lookout import Lookout, shown
from nurture.metrics import Metrics
from nurture.outage import Outage
from nurture.settings import Settings, read_settings
from nurture.store import Store
from web import health, hooks, intake, links, looks, needs, orders, problems, referrals, rewards, surveys, tasks
from web.bodies import LARGEST
from web.description import ABOUT, describe
from web.keys import Keys
from web.state import State


def create() -> FastAPI:
    """The app of this process; what it cannot begin with ends the process in a line, or in a line a fault."""
    set_up_logs()
    try:
        settings = read_settings()
        return compose(settings, load(settings.campaigns, settings.templates))
    except NurtureError as error:
        sys.exit(f"web: {error}")


def compose(settings: Settings, catalogue: Catalogue) -> FastAPI:
    """The app with these settings and this catalogue."""
    store = Store(settings.database_url.get_secret_value(), Outage("database.away", "database.back"))
    seals = hooks.seals(catalogue.sources, settings.hook_secrets)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics, needed = Metrics(), health.checklist(store, settings)
        taking = MeasuredIntake(store, catalogue, settings, metrics)
        signed = Links(settings.base_url, settings.secrets)
        app.state.nurture = State(settings, store, catalogue, taking, signed, Keys(store), seals, needed)
        lookout = Lookout(metrics, needed, store)
        async with shown(lookout, settings.metrics_host, settings.web_metrics_port, "NURTURE_WEB_METRICS_PORT"):
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
    for part in (intake, orders, needs, tasks, rewards, hooks, links, surveys, referrals, looks, health):
        app.include_router(part.routes)
    describe(app)
    return app
