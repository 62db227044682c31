"""The web process: settings, store, catalogue and routes, composed."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from nurture.catalogue import Catalogue
from nurture.errors import NurtureError
from nurture.intake import Reports
from nurture.intake.measured import MeasuredIntake
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.lookout import Lookout, shown
from nurture.mailroom.mailroom import Mailroom
from nurture.metrics import Metrics
from nurture.outage import Outage
from nurture.settings import Settings, read_settings
from nurture.store import Store
from web import (
    answers,
    confirmations,
    documents,
    forms,
    hand_offs,
    health,
    hooks,
    intake,
    links,
    looks,
    needs,
    orders,
    pixel,
    preferences,
    problems,
    referrals,
    reports,
    rewards,
    surveys,
    tasks,
    texts,
    tracker,
)
from web.bodies import LARGEST
from web.captures import CaptureCounts
from web.description import ABOUT, describe
from web.keys import Keys
from web.outside import Outside
from web.state import State
from web.throttle import Throttle


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
    heard_from, told_by = reports.reporters(settings), texts.hearers(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics, needed = Metrics(), health.checklist(store, settings)
        taking = MeasuredIntake(store, catalogue, settings, metrics)
        told = Reports(store, taking.recorder, settings.outbox_limit)
        metrics.tally("nurture_reports", "What was told of messages, by what it was.", "kind", told.tally)
        mailroom = Mailroom(told)
        metrics.tally("nurture_mails", "Mails that came back, by what they are.", "sort", mailroom.tally)
        signed = Links(settings.base_url, settings.secrets)
        captures, outside = CaptureCounts(store), Outside()
        throttles = Throttle(burst=10, a_minute=10), Throttle(burst=5, a_minute=1), Throttle(burst=120, a_minute=120)
        app.state.nurture = State(
            settings,
            store,
            catalogue,
            taking,
            told,
            mailroom,
            signed,
            Keys(store),
            seals,
            heard_from,
            told_by,
            outside,
            needed,
            captures,
            *throttles,
        )
        gc.freeze()  # what is there by now stays: collecting would look through it again and again
        counting = asyncio.create_task(captures.keep_writing())
        lookout = Lookout(metrics, needed, store)
        async with shown(lookout, settings.metrics_host, settings.web_metrics_port, "NURTURE_WEB_METRICS_PORT"):
            yield
        counting.cancel()
        await captures.write()
        await outside.close()
        await taking.close()
        await told.close()
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
    ours = (  # those that are called most come first: one after the other is asked
        intake, reports, texts, links, pixel, tracker, hand_offs, orders, needs, tasks, rewards, hooks, preferences, answers,
        surveys, referrals, forms, confirmations, documents, looks, health,
    )  # fmt: skip
    for part in ours:
        app.include_router(part.routes)
    describe(app)
    return app
