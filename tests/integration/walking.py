"""A road to walk without Temporal: a store that can break at any commit, a post that remembers, and who walks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import col, select

from activities.equipment import Equipment
from activities.errands import TryAgain
from activities.hand_off_clock import attend
from activities.walk import walk
from nurture.campaign import Campaign
from nurture.catalogue import Catalogue
from nurture.channels import Envelope, Receipt
from nurture.definitions import Definition
from nurture.enrolment import Enrolled
from nurture.journey import AnyReply, Journey
from nurture.lead import lead
from nurture.pace import Pace
from nurture.scores import Score
from nurture.settings import Settings
from nurture.store import Session, Store
from nurture.store.campaigns import publish
from nurture.store.consents import record_consent
from nurture.store.enrolments import enrol
from nurture.store.models import HandOffRow, JourneyRow, LeadRow, MessageRow, MoveRow, new_id
from nurture.version import frozen
from worker import equip
from workflows.ports import Attended, WalkOrder

TEMPLATES = Path(__file__).parents[1] / "templates"
AFTER_THE_LEASE = timedelta(minutes=1)
Deed = Callable[[], Awaitable[None]]


class Killed(BaseException):
    """The process is gone."""


async def kill() -> None:
    """What a crash does."""
    raise Killed


class Perilous(Store):
    """A store where something can happen just before or after the n-th commit of a walk."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.commits = 0
        self.deeds: dict[str, Deed] = {}

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        self.commits += 1
        n = self.commits
        async with super().write() as session:
            yield session
            await self._meets(f"before commit {n}")
        await self._meets(f"after commit {n}")

    async def _meets(self, point: str) -> None:
        if deed := self.deeds.pop(point, None):
            await deed()


@dataclass
class Post:
    """A channel that remembers what it took; it can fail, be interrupted, and be asked or not."""

    name: str = "email"
    can_tell: bool = True
    taken: list[Envelope] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    deeds: dict[str, Deed] = field(default_factory=dict)

    async def send(self, envelope: Envelope) -> Receipt:
        await self._meets("before it is taken")
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(envelope)
        await self._meets("after it is taken")
        return Receipt("taken", "theirs")

    async def lookup(self, message_id: str) -> bool | None:
        return self.times(message_id) > 0 if self.can_tell else None

    async def close(self) -> None:
        return

    def times(self, message_id: str) -> int:
        """How often the world received it."""
        return sum(one.message_id == message_id for one in self.taken)

    async def _meets(self, point: str) -> None:
        if deed := self.deeds.pop(point, None):
            await deed()


@dataclass
class Walker:
    """One lead in one campaign, and the order for its walk."""

    way: "Way"
    order: WalkOrder

    async def walk(self, later: timedelta = timedelta(0), news: tuple[AnyReply, ...] = ()) -> list[str]:
        """One attempt, so much later than it was ordered; the kinds of the replies."""
        return [reply.kind for reply in await self.replies(later, news)]

    async def replies(self, later: timedelta = timedelta(0), news: tuple[AnyReply, ...] = ()) -> tuple[AnyReply, ...]:
        store = self.way.store
        store.commits = 0
        order = self.order.model_copy(update={"news": (*self.order.news, *news)})
        return (await walk(self.way.equipment, order, order.now + later)).replies

    async def until_it_rests(self, *, at_most: int = 10) -> list[str]:
        """Attempt after attempt, each after the lease of the last; the kinds of the replies."""
        for attempt in range(1, at_most):
            try:
                return await self.walk(attempt * AFTER_THE_LEASE)
            except (Killed, TryAgain):
                continue
        raise AssertionError("the walk never comes to an end")

    async def attend(self, later: timedelta = timedelta(0)) -> Attended:
        """One look at the hand-off of the journey, so much later than the walk was ordered."""
        async with self.way.store.read() as session:
            query = select(HandOffRow.id).where(HandOffRow.journey_id == self.order.journey_id)
            hand_off_id = (await session.exec(query)).one()
        self.way.store.commits = 0
        return await attend(self.way.equipment, hand_off_id, lambda: self.order.now + later)

    async def message(self) -> MessageRow:
        [message] = await self.messages()
        return message

    async def messages(self) -> list[MessageRow]:
        query = select(MessageRow).where(MessageRow.journey_id == self.order.journey_id)
        async with self.way.store.read() as session:
            return list((await session.exec(query.order_by(MessageRow.occurrence))).all())

    async def moves(self) -> list[MoveRow]:
        query = select(MoveRow).where(MoveRow.journey_id == self.order.journey_id).order_by(col(MoveRow.n))
        async with self.way.store.read() as session:
            return list((await session.exec(query)).all())

    async def row(self) -> JourneyRow:
        async with self.way.store.read() as session:
            return await session.get_one(JourneyRow, self.order.journey_id)

    async def lead(self) -> LeadRow:
        async with self.way.store.read() as session:
            return await session.get_one(LeadRow, self.order.lead_id)

    @property
    async def times_taken(self) -> int:
        return self.way.post.times((await self.message()).message_id)


@dataclass
class Way:
    """A store, a post and a clock; leads are put on roads here."""

    store: Perilous
    now: datetime
    post: Post = field(default_factory=Post)
    others: dict[str, Post] = field(default_factory=dict)
    settings: Settings = field(
        default_factory=lambda: Settings(
            _env_file=None,
            templates=TEMPLATES,
            secrets=[SecretStr("a secret of the tests, long enough")],
            teams={"sales": "sales@example.com"},
        )
    )
    catalogue: Catalogue = field(
        default_factory=lambda: Catalogue(
            scores={"interest": Score(key="interest", rules=())},
            definitions={"ready": Definition(key="ready", ready=lead.email.known())},
        )
    )

    @cached_property
    def equipment(self) -> Equipment:
        """What walks work with, as the worker composes it."""
        return equip(self.settings, self.store, self.catalogue, {"email": self.post, **self.others})

    async def begin(self, campaign: Campaign, *, consent: bool | None = True, **profile: Any) -> Walker:
        """A new lead, consenting unless told otherwise, enters the campaign."""
        version, lead_id = frozen(campaign), new_id()
        known = {"email": f"{lead_id}@example.com", **profile}
        row = LeadRow(id=lead_id, email=known["email"], time_zone=known.get("time_zone"), profile=known,
                      created_at=self.now, updated_at=self.now)  # fmt: skip
        async with self.store.write() as session:
            session.add(row)
            await session.flush()
            if consent is not None:
                await record_consent(session, lead_id, "*", consent, "test", self.now)
            await publish(session, version, by="test", now=self.now)
            entered = await enrol(session, version, lead_id, by="test", now=self.now, manual=True)
            assert isinstance(entered, Enrolled)
            journey = await session.get_one(JourneyRow, entered.journey_id)
        order = WalkOrder(journey_id=journey.id, lead_id=lead_id, version=version.hash, pace=Pace(origin=self.now),
                          position=Journey.model_validate(journey.position), now=self.now)  # fmt: skip
        return Walker(self, order)
