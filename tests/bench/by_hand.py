"""The road as a Temporal workflow written by hand, worked off by a worker tuned like ours.

It does the same in the world: the same message ledger and channel, the same rows of journey, moves and listeners. What
it does without is the interpreter, the campaign as data, and the outbox with its dispatcher.
"""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop
from pydantic import BaseModel
from sqlmodel import col, delete, select
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

import worker
from activities.channels import channels
from activities.equipment import Equipment
from activities.lead_letters import to_lead
from activities.messages import MessageErrand
from nurture.campaign import Campaign
from nurture.loader import load
from nurture.logs import set_up_logs
from nurture.metrics import Metrics
from nurture.pace import Pace
from nurture.settings import read_settings
from nurture.steps import Message
from nurture.store import Session, Store, campaigns
from nurture.store.journeys import handed_over
from nurture.store.leads import locked
from nurture.store.models import JourneyRow, LeadRow, ListenerRow, MoveRow
from tests.bench.silent_worker import silence

QUEUE = "by-hand"
A_DAY = timedelta(seconds=1)


class Order(BaseModel):
    """Whom it is about."""

    journey_id: str
    lead_id: str


class Delivery(Order):
    """A message to send, and where the journey stands before and after it."""

    state: str
    template: str
    n: int
    came_by: list[str] = []
    listens: bool = False
    ends: bool = False


class Delivered(BaseModel):
    """What the branch asks."""

    country: str | None = None


@workflow.defn(name="by-hand")
class ByHand:
    """Greet, a day's wait, remind, a day's wait for a click, then one of two messages."""

    def __init__(self) -> None:
        self.clicked = False

    @workflow.signal
    def click(self) -> None:
        """The lead clicked the reminder."""
        self.clicked = True

    @workflow.run
    async def run(self, order: Order) -> str:
        """The whole road."""
        await self._deliver(order, state="greet", template="price-list/greet", n=0)
        await workflow.sleep(A_DAY)
        reminder = await self._deliver(
            order, state="remind", template="price-list/remind", n=2, came_by=["elapsed"], listens=True
        )
        try:
            await workflow.wait_condition(lambda: self.clicked, timeout=A_DAY)
        except TimeoutError:
            last = "offer" if reminder.country == "DE" else "case"
        else:
            last = "case"
        came_by = ["heard" if self.clicked else "elapsed", "chose"]
        await self._deliver(order, state=last, template=f"price-list/{last}", n=5, came_by=came_by, ends=True)
        return "done"

    async def _deliver(self, order: Order, **what: Any) -> Delivered:
        return await workflow.execute_activity_method(
            Deliveries.deliver,
            Delivery(**order.model_dump(), **what),
            start_to_close_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
        )


class Deliveries:
    """Sends messages and keeps the books."""

    def __init__(self, equipment: Equipment, campaign: Campaign) -> None:
        self.equipment, self.campaign = equipment, campaign
        self.steps = {one.template: one for state in campaign.states for one in state.steps if isinstance(one, Message)}

    @activity.defn
    async def deliver(self, given: Delivery) -> Delivered:
        """Send the message through the ledger, and write where the journey stands then."""
        store, now = self.equipment.store, datetime.now(UTC)
        pace = Pace(origin=now, factor=86400)
        async with store.write() as session:
            row, lead = await self._load(session, given)
            letter = to_lead(
                self.equipment, row.id, f"{given.state}/0/1", self.campaign, self.steps[given.template], lead, pace
            )
            errand = MessageErrand(letter)
            settled = await errand.prepare(session, now)
            for at, kind in enumerate(given.came_by):
                session.add(_move(given, given.n + at, kind, now))
        if settled is None:
            await errand.run(now)
            async with store.write() as session:
                row, lead = await self._load(session, given)
                await errand.record(session, datetime.now(UTC))
                await self._stand(session, row, given)
        return Delivered(country=lead.profile.get("country"))

    async def _load(self, session: Session, given: Delivery) -> tuple[JourneyRow, LeadRow]:
        return await session.get_one(JourneyRow, given.journey_id), await locked(session, given.lead_id)

    async def _stand(self, session: Session, row: JourneyRow, given: Delivery) -> None:
        now, n = datetime.now(UTC), given.n + len(given.came_by)
        session.add(_move(given, n, "did", now))
        session.add(_move(given, n + 1, "closed" if given.ends else "parked", now))
        row.state, row.until, row.updated_at = given.state, None if given.ends else now + A_DAY, now
        row.position = {"state": given.state, "step": 1, "n": n + 2}
        row.status = "active"
        await session.exec(delete(ListenerRow).where(col(ListenerRow.journey_id) == row.id))
        if given.listens:
            arm, key = f"{given.state}/1/1:0", "event.message_clicked"
            session.add(ListenerRow(journey_id=row.id, arm=arm, key=key, lead_id=row.lead_id, since=now))
        if given.ends:
            row.status, row.ending, row.ended_at = "ended", "done", now
        session.add(row)


def _move(given: Delivery, n: int, kind: str, now: datetime) -> MoveRow:
    reply = {"kind": kind, "at": now.isoformat()}
    return MoveRow(
        journey_id=given.journey_id, n=n, state=given.state, step=0, visit=1, move=kind, words=given.template,
        reply=reply, at=now,
    )  # fmt: skip


async def _start_what_waits(store: Store, client: Client, stop: asyncio.Event) -> None:
    """Start a workflow for each journey that waits for one."""
    places = asyncio.Semaphore(16)

    async def start(row: JourneyRow) -> None:
        async with places:
            order = Order(journey_id=row.id, lead_id=row.lead_id)
            await client.start_workflow(ByHand.run, order, id=f"by-hand:{row.id}", task_queue=QUEUE)

    while not stop.is_set():
        async with store.read() as session:
            starting = select(JourneyRow).where(JourneyRow.status == "starting").limit(200)
            rows = (await session.exec(starting)).all()
        await asyncio.gather(*(start(row) for row in rows))
        async with store.write() as session:
            await handed_over(session, [row.id for row in rows])
        if not rows:
            await asyncio.sleep(0.05)


async def main() -> None:
    """Work until SIGTERM."""
    settings, stop = read_settings(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = Store(settings.database_url.get_secret_value())
    catalogue = load(settings.campaigns, settings.templates)
    async with store.read() as session:
        road = await campaigns.current(session, "road")
    config: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    client = await Client.connect(**config, data_converter=pydantic_data_converter)
    silence()
    ways = channels(settings, store, catalogue, Metrics())
    deliveries = Deliveries(worker.equip(settings, store, catalogue, ways), road.campaign)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[ByHand],
        activities=[deliveries.deliver],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=worker.WORKFLOW_TASKS,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(minimum=2, initial=5, maximum=20),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(minimum=2, initial=5, maximum=20),
        max_cached_workflows=2000,
    ):
        print("worker.ready", flush=True)  # noqa: T201  # what the stage waits for
        await _start_what_waits(store, client, stop)
    await store.close()


if __name__ == "__main__":
    set_up_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
