"""The long-running worker: settings, store, channels, campaigns and schedules, composed; nothing else."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from activities.bulk import BulkActivities
from activities.channels import channels
from activities.equipment import Equipment
from activities.failures import Failures
from activities.fuse_notices import tell_of_fuses
from activities.hand_off_clock import HandOffActivities
from activities.retargeting import keep_in_step
from activities.unknowns import resolve_unknown
from activities.walk import JourneyActivities
from activities.webhooks import webhooks
from nurture.catalogue import Catalogue
from nurture.channels import Channel
from nurture.dispatcher import Dispatcher
from nurture.errors import DatabaseAway, NurtureError, Unavailable
from nurture.intake import Reports
from nurture.links import Links
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.lookout import Lookout, shown
from nurture.mailroom.door import open_door
from nurture.mailroom.imap import Account
from nurture.mailroom.mailroom import Mailroom
from nurture.mailroom.round import go_round
from nurture.metrics import Metrics
from nurture.orders import Journeys
from nurture.outage import Outage, tried
from nurture.readiness import Checklist, database, going, rounds, saying, tables
from nurture.settings import Settings, read_settings
from nurture.store import Store, campaigns
from nurture.store.migrate import require_current
from nurture.sweeps import run_sweep, sweeps
from nurture.templates import Templates
from workflows.bulk import BulkWorkflow
from workflows.client import TemporalJourneys
from workflows.connection import connect, quiet_runtime, require_reachable
from workflows.hand_off import HandOffWorkflow
from workflows.journey import A_WALK, JourneyWorkflow
from workflows.queues import bulk_queue, urgent_queue

A_CALL, A_MARGIN, A_WAIT = timedelta(seconds=5), timedelta(seconds=3), timedelta(seconds=60)
WORKFLOW_TASKS = 20  # at once: each is a thread, and among a hundred of them the loop waits long for its turn
log = structlog.get_logger()


def equip(settings: Settings, store: Store, catalogue: Catalogue, channels: Mapping[str, Channel]) -> Equipment:
    """What the activities work with."""
    return Equipment(
        store=store,
        channels=channels,
        templates=Templates([settings.templates], default_language=settings.language),
        links=Links(settings.base_url, settings.secrets),
        webhooks=webhooks(settings),
        catalogue=catalogue,
        settings=settings,
    )


@asynccontextmanager
async def working(
    client: Client, equipment: Equipment, engine: Journeys, runner: WorkflowRunner | None = None
) -> AsyncIterator[None]:
    """The Temporal workers: for journeys, for hand-offs and for bulk runs, none behind another.

    The interpreter is audited in the tests' strict sandbox; here it runs without one, which costs 10 ms a cold replay.
    """
    settings, queue, walk = equipment.settings, equipment.settings.task_queue, JourneyActivities(equipment).walk
    sending = _Place(JourneyWorkflow, (walk,), at_once=settings.walks_at_once, polls=5)
    urgent = _Place(HandOffWorkflow, (walk, HandOffActivities(equipment).attend), at_once=20, polls=5)
    bulk = _Place(BulkWorkflow, (BulkActivities(equipment, engine).page,), at_once=4, polls=2)
    places = {queue: sending, urgent_queue(queue): urgent, bulk_queue(queue): bulk}
    async with AsyncExitStack() as together:
        for name, place in places.items():
            await together.enter_async_context(_worker(client, name, place, runner or UnsandboxedWorkflowRunner()))
        yield


class _Place(NamedTuple):
    """What is done on a task queue, and how much of it at once."""

    workflow: type
    activities: tuple[Callable[..., Any], ...]
    at_once: int
    polls: int


def _worker(client: Client, queue: str, place: _Place, runner: WorkflowRunner) -> Worker:
    polling = PollerBehaviorAutoscaling(minimum=2, initial=place.polls, maximum=20)
    return Worker(
        client,
        task_queue=queue,
        workflows=[place.workflow],
        activities=place.activities,
        max_concurrent_workflow_tasks=WORKFLOW_TASKS,
        max_concurrent_activities=place.at_once,
        interceptors=[Failures()],
        workflow_runner=runner,
        workflow_task_poller_behavior=polling,
        activity_task_poller_behavior=polling,
        max_cached_workflows=2000,
        graceful_shutdown_timeout=A_WALK + A_MARGIN,
    )


async def ask_after_unknown(equipment: Equipment) -> None:
    """Settle the unknown messages that the provider can tell about."""
    await resolve_unknown(equipment, datetime.now(UTC))


async def keep_retargets(equipment: Equipment) -> None:
    """Tell advertising networks who joined and left their lists."""
    await keep_in_step(equipment, lambda: datetime.now(UTC))


async def tell_of_blown_fuses(equipment: Equipment) -> None:
    """Tell the team what was paused, and what may have to be."""
    await tell_of_fuses(equipment, datetime.now(UTC))


async def another_time(work: Callable[..., Awaitable[object]], *given: object) -> None:
    """Do it, unless what it needs is away, of which the store has told, or the worker ends: the next time comes soon."""
    with suppress(Unavailable, asyncio.CancelledError):
        await work(*given)


async def look_after_temporal(client: Client, outage: Outage) -> None:
    """Tell when Temporal goes away, which else nobody notices while nothing is dispatched, and when it is back."""
    try:
        await client.service_client.check_health(timeout=A_CALL)
    except RPCError as error:
        outage.met(error.message or error.status.name)
    else:
        outage.over()


def mailbox(settings: Settings) -> Account | None:
    """The mailbox that mails come back to, where there is one."""
    if settings.imap_host is None:
        return None
    login = settings.imap_username, settings.imap_password
    return Account(settings.imap_host, settings.imap_port, *login, settings.imap_security, settings.imap_folder)


async def look_into_mailbox(account: Account, store: Store, mailroom: Mailroom, outage: Outage) -> None:
    """Take in what came back since; a mailbox out of reach is told of once, and nothing is lost by it."""
    try:
        await go_round(account, store, mailroom, datetime.now(UTC))
    except DatabaseAway:  # of which the store tells
        return
    except Unavailable as error:
        outage.met(str(error))
    else:
        outage.over()


@asynccontextmanager
async def sweeping(equipment: Equipment, client: Client, temporal: Outage, mailroom: Mailroom) -> AsyncIterator[None]:
    """The sweeps on their schedule; each is idempotent and runs under a lease, so that of several workers one does it."""
    store, settings = equipment.store, equipment.settings
    scheduler = AsyncIOScheduler(timezone=UTC)
    due: list[tuple[str, timedelta, list[Any]]] = [
        ("temporal", timedelta(seconds=5), [look_after_temporal, client, temporal]),
        ("unknown", timedelta(seconds=10), [ask_after_unknown, equipment]),
        ("retargeting", timedelta(minutes=5), [keep_retargets, equipment]),
        ("fuses", timedelta(seconds=5), [tell_of_blown_fuses, equipment]),
    ]
    if (account := mailbox(settings)) is not None:
        looking = [look_into_mailbox, account, store, mailroom, Outage("mailbox.away", "mailbox.back")]
        due.append(("mailbox", settings.imap_every, looking))
    every = sweeps(equipment.catalogue.audiences, equipment.recorder)
    due += [(sweep.name, sweep.period(settings), [run_sweep, sweep, store, settings]) for sweep in every]
    for name, period, work in due:
        scheduler.add_job(
            another_time, "interval", work, seconds=period.total_seconds(), id=name, coalesce=True, max_instances=1
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


def checklist(store: Store, stop: asyncio.Event) -> Checklist:
    """What a worker needs; Temporal and dispatcher are asked once they are there."""
    later = saying("not connected yet: see the log, and TEMPORAL_ADDRESS")
    return Checklist(
        {
            "database": database(store),
            "tables": tables(store),
            "temporal": later,
            "dispatcher": later,
            "process": going(stop),
        }
    )


async def version_content(store: Store, version_hash: str) -> str:
    """The JSON of a published version, for payloads that refer to it.

    A database that is away is waited for: a workflow's task that fails is a fault to be told of, and this is none.
    """
    end = asyncio.get_running_loop().time() + A_WAIT.total_seconds()
    while True:
        try:
            async with store.read() as session:
                return await campaigns.content(session, version_hash)
        except Unavailable:
            if asyncio.get_running_loop().time() > end:
                raise
            await asyncio.sleep(0.5)


async def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun; what cannot be reached at first is waited for."""
    catalogue = load(settings.campaigns, settings.templates)
    store = Store(settings.database_url.get_secret_value(), Outage("database.away", "database.back"))
    stop, temporal = asyncio.Event(), Outage("temporal.away", "temporal.back")
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)

    async def reach() -> Client:
        await require_current(store)
        return await connect(partial(version_content, store), settings.payload_key_bytes)

    metrics, needed = Metrics(), checklist(store, stop)
    lookout = Lookout(metrics, needed, store)
    try:
        async with shown(lookout, settings.metrics_host, settings.worker_metrics_port, "NURTURE_WORKER_METRICS_PORT"):
            client = await tried(reach, stop, temporal)
            if client is not None:
                needed.now_by("temporal", partial(require_reachable, client))
                watched = Watched(metrics, needed, temporal)
                await work(client, watched, store, catalogue, settings, stop)
    finally:
        await store.close()
    log.info("worker.stopped")


@dataclass(frozen=True)
class Watched:
    """By what a worker is watched from outside, and whether Temporal is away."""

    metrics: Metrics
    needed: Checklist
    temporal: Outage


async def work(
    client: Client, watched: Watched, store: Store, catalogue: Catalogue, settings: Settings, stop: asyncio.Event
) -> None:
    """Walk journeys, dispatch and sweep until `stop` is set."""
    ways = channels(settings, store, catalogue, watched.metrics)
    equipment = equip(settings, store, catalogue, ways)
    engine = TemporalJourneys(client, settings.task_queue)
    dispatcher = Dispatcher(store, engine, settings=settings, audiences=catalogue.audiences)
    what = "Rows of the outbox, by what became of them."
    watched.metrics.tally("nurture_dispatched", what, "outcome", dispatcher.tally)
    watched.needed.now_by("dispatcher", rounds(lambda: dispatcher.looked_at, lambda: datetime.now(UTC)))
    reports = Reports(store, equipment.recorder, settings.outbox_limit)
    mailroom = Mailroom(reports)
    watched.metrics.tally("nurture_mails", "Mails that came back, by what they are.", "sort", mailroom.tally)
    async with (
        working(client, equipment, engine),
        open_door(mailroom, settings.lmtp_host, settings.lmtp_port),
        sweeping(equipment, client, watched.temporal, mailroom),
    ):
        gc.freeze()  # what is there by now stays: collecting would look through it again and again
        log.info("worker.ready", campaigns=sorted(catalogue.campaigns))
        await dispatcher.run(stop)
        log.info("worker.stopping")
    await reports.close()
    for way in ways.values():
        await way.close()
    await equipment.webhooks.close()


if __name__ == "__main__":
    set_up_logs()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            settings = read_settings()
            Runtime.set_default(quiet_runtime(settings.metrics_host, settings.temporal_metrics_port))
            runner.run(main(settings))
    except NurtureError as error:
        sys.exit(f"worker: {error}")
