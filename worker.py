"""The long-running worker: settings, store, channels, campaigns and schedules, composed; nothing else."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from activities.equipment import Equipment
from activities.failures import Failures
from activities.unknowns import resolve_unknown
from activities.walk import JourneyActivities
from activities.webhooks import Webhooks
from nurture.catalogue import Catalogue
from nurture.channels import Channel
from nurture.channels.smtp import SmtpChannel
from nurture.dispatcher import Dispatcher
from nurture.errors import NurtureError
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.settings import Settings, read_settings
from nurture.store import Store, campaigns
from nurture.store.migrate import require_current
from nurture.sweeps import SWEEPS, run_sweep
from nurture.templates import Templates
from workflows.client import TemporalJourneys
from workflows.connection import connect
from workflows.journey import A_WALK, JourneyWorkflow

log = structlog.get_logger()


def smtp(settings: Settings) -> SmtpChannel:
    """The e-mail channel by the settings."""
    return SmtpChannel(
        settings.smtp_host,
        settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password,
        security=settings.smtp_security,
        connections=settings.smtp_connections,
        lookup_url=settings.smtp_lookup_url,
    )


def equip(settings: Settings, store: Store, catalogue: Catalogue, channels: Mapping[str, Channel]) -> Equipment:
    """What the activities work with."""
    return Equipment(
        store=store,
        channels=channels,
        templates=Templates([settings.templates], default_language=settings.language),
        links=Links(settings.base_url, settings.secrets),
        webhooks=Webhooks(settings.hook_secrets),
        catalogue=catalogue,
        settings=settings,
    )


def journey_worker(client: Client, equipment: Equipment, runner: WorkflowRunner | None = None) -> Worker:
    """The Temporal worker for journeys.

    The interpreter is audited in the tests' strict sandbox; here it runs without one, which costs 10 ms a cold replay.
    """
    return Worker(
        client,
        task_queue=equipment.settings.task_queue,
        workflows=[JourneyWorkflow],
        activities=[JourneyActivities(equipment).walk],
        interceptors=[Failures()],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(minimum=2, initial=5, maximum=20),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(minimum=2, initial=5, maximum=20),
        max_cached_workflows=2000,
        graceful_shutdown_timeout=A_WALK + timedelta(seconds=3),
    )


async def _ask_after_unknown(equipment: Equipment) -> None:
    try:
        await resolve_unknown(equipment, datetime.now(UTC))
    except NurtureError as error:
        log.warning("unknown.waits", reason=str(error))


@asynccontextmanager
async def sweeping(equipment: Equipment) -> AsyncIterator[None]:
    """The sweeps on their schedule; each is idempotent and runs under a lease, so that of several workers one does it."""
    store, settings = equipment.store, equipment.settings
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(
        _ask_after_unknown, "interval", [equipment], seconds=10, id="unknown", coalesce=True, max_instances=1
    )
    for sweep in SWEEPS:
        scheduler.add_job(
            run_sweep, "interval", [sweep, store, settings], seconds=sweep.period(settings).total_seconds(), id=sweep.name,
            coalesce=True, max_instances=1,
        )  # fmt: skip
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def version_content(store: Store, version_hash: str) -> str:
    """The JSON of a published version, for payloads that refer to it."""
    async with store.read() as session:
        return await campaigns.content(session, version_hash)


async def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun."""
    catalogue = load(settings.campaigns, settings.templates)
    store = Store(settings.database_url.get_secret_value())
    await require_current(store)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    client = await connect(partial(version_content, store), stop)
    if client is None:
        return
    channel = smtp(settings)
    equipment = equip(settings, store, catalogue, {"email": channel})
    dispatcher = Dispatcher(
        store, TemporalJourneys(client, settings.task_queue), settings=settings, audiences=catalogue.audiences
    )
    async with journey_worker(client, equipment), sweeping(equipment):
        log.info("worker.ready", campaigns=sorted(catalogue.campaigns), at=datetime.now(UTC).isoformat())
        await dispatcher.run(stop)
        log.info("worker.stopping")
    await channel.close()
    await equipment.webhooks.close()
    await store.close()
    log.info("worker.stopped")


if __name__ == "__main__":
    set_up_logs()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(read_settings()))
    except NurtureError as error:
        sys.exit(f"worker: {error}")
