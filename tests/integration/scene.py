"""A stage for the dispatcher: a store, an engine that remembers, and short words for what happens on it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel, col, select

from nurture.audiences import Audience
from nurture.campaign import Campaign, State
from nurture.dispatcher import Dispatcher
from nurture.errors import Unavailable
from nurture.journey import Heard
from nurture.orders import StartOrder
from nurture.settings import Settings
from nurture.steps import Send, Wait
from nurture.store import Store, campaigns, fading, listeners, outbox
from nurture.store.events import announce, record_own_event
from nurture.store.leads import locked
from nurture.store.models import DeadLetterRow, EventRow, JourneyRow, LeadRow, OutboxRow, RefusalRow
from nurture.store.plain import run
from nurture.version import Version, frozen

SECOND = timedelta(seconds=1)


class Engine:
    """Runs nothing and remembers everything; can be out of reach, and forget what it runs."""

    def __init__(self) -> None:
        self.started: list[StartOrder] = []
        self.heard: list[tuple[str, Heard]] = []
        self.woken: list[str] = []
        self.wound: list[str] = []
        self.running: set[str] = set()
        self.forgotten: list[str] = []
        self.reachable = True
        self.starts = True
        self.starting: Callable[[], Awaitable[None]] | None = None

    async def start(self, order: StartOrder) -> None:
        self._reach()
        if self.starting is not None:
            await self.starting()
        if order.journey_id not in self.running and self.starts:
            self.started.append(order)
            self.running.add(order.journey_id)

    async def signal(self, journey_id: str, heard: Heard) -> bool:
        self._reach()
        if journey_id not in self.running:
            return False
        self.heard.append((journey_id, heard))
        return True

    async def forget(self, journey_id: str) -> bool:
        self._reach()
        self.forgotten.append(journey_id)
        known = journey_id in self.running
        self.running.discard(journey_id)
        return not known

    async def wake(self, run_id: str) -> None:
        self._reach()
        self.woken.append(run_id)

    async def wind(self, hand_off_id: str) -> None:
        self._reach()
        self.wound.append(hand_off_id)

    async def unwind(self, hand_off_id: str) -> bool:
        self._reach()
        self.forgotten.append(hand_off_id)
        return True

    def _reach(self) -> None:
        if not self.reachable:
            raise Unavailable("the engine is out of reach")

    @property
    def arms(self) -> list[str]:
        return [heard.arm for _, heard in self.heard]


@dataclass
class Scene:
    """The stage: time passes a second a dispatch."""

    store: Store
    now: datetime
    engine: Engine = field(default_factory=Engine)
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    dispatcher: Dispatcher = field(init=False)
    told: int = 0

    def __post_init__(self) -> None:
        self.dispatcher = self.another_dispatcher()

    def another_dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.store, self.engine, settings=self.settings, audiences=self.audiences, clock=lambda: self.now
        )

    async def publish(self, campaign: Campaign) -> Version:
        version = frozen(campaign)
        async with self.store.write() as session:
            await campaigns.publish(session, version, by="test", now=self.now)
        return version

    async def lead(self, lead_id: str = "ann", *, test: bool = False, **profile: Any) -> str:
        zone = profile.get("time_zone")
        row = LeadRow(id=lead_id, test=test, time_zone=zone, profile=profile, created_at=self.now, updated_at=self.now)
        async with self.store.write() as session:
            session.add(row)
        return lead_id

    async def happens(self, name: str, *, to: str = "ann", by: str | None = None, **properties: Any) -> str:
        """An event, recorded and announced as intake does."""
        self.told += 1
        event_id = by or f"{name}-{self.told}"
        async with self.store.write() as session:
            await record_own_event(session, await locked(session, to), name, properties, event_id, self.now)
        return event_id

    async def changes(self, to: str = "ann", **profile: Any) -> None:
        """Another value in the profile, announced."""
        async with self.store.write() as session:
            row = await session.get_one(LeadRow, to)
            row.profile = {**row.profile, **profile}
            session.add(row)
            await announce(session, to, {f"lead.{name}" for name in profile}, self.now)

    async def scores(self, points: float, to: str = "ann", *, half_life: timedelta | None = None) -> None:
        async with self.store.write() as session:
            row = await session.get_one(LeadRow, to)
            row.scores = {"interest": points}
            if half_life is not None:
                row.fading = {"interest": [points, self.now.timestamp(), half_life.total_seconds()]}
                await run(session, fading.note, {(to, "interest"): row.fading["interest"]})
            session.add(row)
            await announce(session, to, {"score.interest"}, self.now)

    async def put(self, kind: str, to: str = "ann", **body: Any) -> None:
        row = OutboxRow(lead_id=to, kind=kind, body=body, due_at=self.now, created_at=self.now)
        async with self.store.write() as session:
            await outbox.put(session, [row])

    async def enrols(self, campaign: str, *, to: str = "ann", manual: bool = False, **body: Any) -> None:
        await self.put("enrol", to, campaign=campaign, by="cli", manual=manual, **body)

    async def dispatch(self, dispatcher: Dispatcher | None = None) -> int:
        """Dispatch until nothing is due; how many rows."""
        handled = 0
        while found := await (dispatcher or self.dispatcher).run_once(self.now):
            handled += found
        self.now += SECOND
        return handled

    async def ends(self, journey_id: str, ending: str = "done") -> None:
        """The journey's end, as the engine's worker records it."""
        async with self.store.write() as session:
            row = await session.get_one(JourneyRow, journey_id)
            row.status, row.ending, row.ended_at = "ended", ending, self.now
            session.add(row)
            await listeners.unlisten(session, journey_id)
        self.engine.running.discard(journey_id)

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        async with self.store.read() as session:
            return list((await session.exec(select(model))).all())

    async def journeys(self) -> list[JourneyRow]:
        return sorted(await self.rows(JourneyRow), key=lambda row: (row.entered, row.id))

    async def refusals(self) -> list[str]:
        return [row.reason for row in sorted(await self.rows(RefusalRow), key=lambda row: row.at)]

    async def dead_letters(self) -> list[str]:
        return [row.reason for row in await self.rows(DeadLetterRow)]

    async def pending(self) -> int:
        async with self.store.read() as session:
            return await outbox.depth(session)

    async def received(self, event_id: str) -> datetime:
        async with self.store.read() as session:
            query = select(EventRow.received).where(col(EventRow.id) == event_id)
            return (await session.exec(query)).one()


def simple(key: str = "welcome", steps: Sequence[Any] = (), **settings: Any) -> Campaign:
    """A campaign of one state."""
    return Campaign(
        key, [State("first", steps or [Send(template=f"{key}/hello"), Wait(duration=timedelta(days=4))])], **settings
    )
