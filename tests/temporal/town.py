"""A town to test in: a real Temporal server with virtual time, a store, and a postbox that remembers."""

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import col, select
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from nurture.campaign import Campaign
from nurture.catalogue import Catalogue
from nurture.channels import Envelope, Receipt
from nurture.definitions import Definition
from nurture.dispatcher import Dispatcher
from nurture.enrolment import Enrolled
from nurture.journey import Heard
from nurture.lead import lead
from nurture.settings import Settings
from nurture.simulate import Planned
from nurture.store import Store
from nurture.store.campaigns import publish
from nurture.store.consents import record_consent
from nurture.store.enrolments import enrol
from nurture.store.events import announce, record_own_event
from nurture.store.journeys import start_order
from nurture.store.leads import locked
from nurture.store.models import JourneyRow, LeadRow, MessageRow, MoveRow, OutboxRow, new_id
from nurture.version import frozen
from tests.temporal.roads import AT_NOON, LOVE
from worker import equip
from workflows.bulk import BulkWorkflow
from workflows.client import TemporalJourneys, workflow_id
from workflows.hand_off import HandOffWorkflow
from workflows.journey import JourneyWorkflow

HERE = Path(__file__).parent.parent


@dataclass
class Postbox:
    """A channel that remembers what was sent, and can be told to fail."""

    name: str = "email"
    mails: list[Envelope] = field(default_factory=list)
    trouble: Exception | None = None
    asked: set[str] = field(default_factory=set)
    asking: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, envelope: Envelope) -> Receipt:
        """Take the mail, or fail as told."""
        async with self.asking:
            self.asked.add(envelope.key.partition("/")[0])
            self.asking.notify_all()
        if self.trouble is not None:
            raise self.trouble
        async with self.asking:
            self.mails.append(envelope)
            self.asking.notify_all()
        return Receipt("taken")

    def empty(self) -> None:
        """As if nothing had happened yet."""
        self.mails.clear()
        self.asked.clear()
        self.trouble = None

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the mail was taken."""
        return any(mail.message_id == message_id for mail in self.mails)

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Lived:
    """What became of a lead on Temporal."""

    start: datetime
    moves: list[MoveRow]
    sent: list[str]
    ending: str | None

    @property
    def trace(self) -> list[tuple[str, str]]:
        """Every move by its occurrence and kind of answer."""
        return [(f"{one.state}/{one.step}/{one.visit}", one.reply["kind"]) for one in self.moves]

    @property
    def times(self) -> list[datetime]:
        """When each move was made."""
        return [one.at for one in self.moves]


def a_lead(**profile: Any) -> LeadRow:
    """A lead with that profile; it has an address, and has consented unless `consents` says otherwise."""
    now = datetime.now(UTC)
    given = {"email": f"{new_id()}@example.com", **profile}
    given.pop("consents", None)
    return LeadRow(
        email=given["email"], time_zone=given.get("time_zone"), profile=given, created_at=now, updated_at=now
    )


class Town:
    """Leads are settled, enrolled and lived through here."""

    def __init__(
        self,
        environment: WorkflowEnvironment,
        store: Store,
        queue: str,
        client: Client | None = None,
        **settings: Any,
    ) -> None:
        self.environment, self.store = environment, store
        self.client = client or environment.client
        self.postbox = Postbox()
        self.settings = Settings(
            task_queue=queue,
            templates=HERE / "templates",
            campaigns=HERE / "none",
            secrets=[SecretStr("a secret of the tests, long enough")],
            time_zone=AT_NOON,
            teams={"sales": "sales@example.com"},
            **settings,
        )
        ready = Definition(key="ready", ready=lead.email.known())
        catalogue = Catalogue(definitions={"ready": ready}, scores={LOVE.key: LOVE})
        self.equipment = equip(self.settings, store, catalogue, {"email": self.postbox})
        self.journeys = TemporalJourneys(self.client, queue)
        self.dispatcher = Dispatcher(store, self.journeys, settings=self.settings)
        self.replayer = Replayer(
            workflows=[JourneyWorkflow, HandOffWorkflow, BulkWorkflow],
            data_converter=self.client.data_converter,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )

    async def settle(self, row: LeadRow, consents: dict[str, bool] | None = None) -> str:
        """Put the lead into the store."""
        async with self.store.write() as session:
            session.add(row)
            await session.flush()
            for topic, granted in (consents or {"*": True}).items():
                await record_consent(session, row.id, topic, granted, "test", row.created_at)
        return row.id

    async def begin(
        self, campaign: Campaign, lead_id: str, *, still: bool = True, key: str = ""
    ) -> tuple[JourneyRow, WorkflowHandle[Any, Any]]:
        """Enrol the lead by hand; while `still`, no time is skipped until the clock is moved on."""
        version = frozen(campaign)
        now = datetime.now(UTC)
        async with self.store.write() as session:
            await publish(session, version, by="test", now=now)
            entered = await enrol(session, version, lead_id, key=key, by="test", now=now, manual=True)
            assert isinstance(entered, Enrolled)
            order = await start_order(session, entered.journey_id)
            row = await session.get_one(JourneyRow, entered.journey_id)
        assert order is not None
        with self.environment.with_time_skipping_disabled() if still else nullcontext():
            await self.journeys.start(order)
        return row, self.client.get_workflow_handle(workflow_id(row.id))

    async def happens(self, lead_id: str, planned: Planned, now: datetime) -> None:
        """Let it happen to the lead, and the dispatcher tell who listens."""
        async with self.store.write() as session:
            row = await locked(session, lead_id)
            row.profile = {**row.profile, **planned.profile}
            session.add(row)
            await record_own_event(session, row, planned.name, planned.properties, new_id(), now)
            if planned.profile:
                await announce(session, lead_id, {f"lead.{name}" for name in planned.profile}, now)
        await self.dispatch(now)

    async def dispatch(self, now: datetime) -> None:
        """Let the dispatcher do what is due."""
        while await self.dispatcher.run_once(now + timedelta(seconds=1)):
            pass

    async def hears(self, row: JourneyRow, arm: str, event: str | None = None) -> None:
        """Tell the journey, whether it listens or not."""
        await self.journeys.signal(row.id, Heard(at=datetime.now(UTC), arm=arm, event=event))

    async def comes_to(
        self, row: JourneyRow, state: str, *, status: str = "active", resting: bool = True
    ) -> JourneyRow:
        """The journey's row as soon as it stands there."""
        async with asyncio.timeout(10):
            while True:
                async with self.store.read() as session:
                    found = await session.get_one(JourneyRow, row.id)
                if (found.state, found.status) == (state, status) and bool(found.position["rest"]) is resting:
                    return found
                await asyncio.sleep(0.01)  # the worker works meanwhile

    async def forgets(self, lead_id: str) -> None:
        """Dispatch until nothing is left to be done about the lead."""
        left = select(OutboxRow.id).where(OutboxRow.lead_id == lead_id)
        async with asyncio.timeout(30):
            while True:
                await self.dispatch(datetime.now(UTC) + timedelta(minutes=1))
                async with self.store.read() as session:
                    if (await session.exec(left)).first() is None:
                        return
                await asyncio.sleep(0.01)  # the server deletes meanwhile

    async def tries(self, row: JourneyRow) -> None:
        """Wait until the postbox is asked to take a mail of this journey."""
        async with asyncio.timeout(10), self.postbox.asking:
            await self.postbox.asking.wait_for(lambda: row.id in self.postbox.asked)

    async def takes(self, row: JourneyRow, *, mails: int) -> None:
        """Wait until the postbox has taken so many mails of this journey."""
        async with asyncio.timeout(10), self.postbox.asking:
            await self.postbox.asking.wait_for(lambda: len(self.mails(row)) >= mails)

    def mails(self, row: JourneyRow) -> list[Envelope]:
        """What the postbox took of this journey; journeys of other tests may be under way beside it."""
        return [mail for mail in self.postbox.mails if mail.key.startswith(f"{row.id}/")]

    async def messages(self, row: JourneyRow) -> list[tuple[str, str, str]]:
        """Template, status and reason of the journey's messages."""
        query = select(MessageRow).where(MessageRow.journey_id == row.id).order_by(col(MessageRow.due_at))
        async with self.store.read() as session:
            return [(one.template, one.status, one.reason) for one in (await session.exec(query)).all()]

    async def live(self, campaign: Campaign, lead_id: str, events: Iterable[Planned] = ()) -> Lived:
        """The lead's whole journey; its history, replayed by today's code, goes the same way."""
        row, handle = await self.begin(campaign, lead_id)
        await self.lives_on(row, handle, events)
        await self.replayer.replay_workflow(await handle.fetch_history())
        return await self.lived(row)

    async def lives_on(self, row: JourneyRow, handle: WorkflowHandle[Any, Any], events: Iterable[Planned] = ()) -> None:
        """To the end of the journey, with what happens on the way."""
        for planned in sorted(events, key=lambda one: one.after):
            present = await self.environment.get_current_time(handle)
            if not await self.moves_on(handle, row.entered + planned.after - present):
                break
            await self.happens(row.lead_id, planned, await self.environment.get_current_time(handle))
        await self.moves_on(handle)
        await handle.result()

    async def moves_on(self, handle: WorkflowHandle[Any, Any], by: timedelta | None = None) -> bool:
        """Move the journey's clock on, to its end unless told how far; False when it has ended before."""
        try:
            return await self.environment.fast_forward(handle, by)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False

    async def lived(self, row: JourneyRow) -> Lived:
        """What the store says became of the journey."""
        moves = select(MoveRow).where(MoveRow.journey_id == row.id).order_by(col(MoveRow.n))
        accepted = select(MessageRow).where(
            MessageRow.journey_id == row.id, MessageRow.lead_id == row.lead_id, MessageRow.status == "accepted"
        )
        async with self.store.read() as session:
            messages = (await session.exec(accepted.order_by(col(MessageRow.accepted_at)))).all()
            ending = (await session.get_one(JourneyRow, row.id)).ending
            return Lived(
                row.entered, list((await session.exec(moves)).all()), [one.template for one in messages], ending
            )
