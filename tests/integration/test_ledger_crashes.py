"""A walk that is killed at any point and made again: nothing lost, nothing sent twice, the ambiguous instant shown."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from activities.walk import walk
from nurture import Campaign, State, days, on, send, tag, wait
from nurture.catalogue import Catalogue
from nurture.channels import Envelope, Receipt
from nurture.enrolment import Enrolled
from nurture.errors import AddressRefused, MessageRefused, ProviderUnavailable
from nurture.journey import Journey
from nurture.pace import Pace
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.campaigns import publish
from nurture.store.consents import record_consent
from nurture.store.enrolments import enrol
from nurture.store.models import JourneyRow, LeadRow, MessageRow, MoveRow, SuppressionRow
from nurture.version import frozen
from worker import equip
from workflows.ports import WalkOrder

ROOT = Path(__file__).parents[1]
CAMPAIGN = Campaign(
    key="plain", enters=[on("asked")], states=[State("one", [tag("seen"), send("test/one"), wait(days(3))])]
)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Post:
    """A channel that remembers, can kill, fail, and be asked or not."""

    name: str = "email"
    can_tell: bool = True
    kill: str = ""
    trouble: Exception | None = None
    taken: list[str] = field(default_factory=list)

    async def send(self, envelope: Envelope) -> Receipt:
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        if self.kill == "before":
            self.kill = ""
            raise Killed
        self.taken.append(envelope.message_id)
        if self.kill == "after":
            self.kill = ""
            raise Killed
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:
        return message_id in self.taken if self.can_tell else None

    async def close(self) -> None:
        return


@dataclass
class Stage:
    store: Store
    post: Post
    order: WalkOrder

    async def walk(self, later: timedelta = timedelta(0)) -> list[str]:
        here = Settings(templates=ROOT / "templates", secrets=[SecretStr("a secret of the tests, long enough")])
        equipment = equip(here, self.store, Catalogue(), {"email": self.post})
        return [reply.kind for reply in (await walk(equipment, self.order, self.order.now + later)).replies]

    async def message(self) -> MessageRow:
        async with self.store.read() as session:
            return (await session.exec(select(MessageRow))).one()


@pytest.fixture
async def stage(store: Store, now: datetime) -> Stage:
    version = frozen(CAMPAIGN)
    async with store.write() as session:
        session.add(LeadRow(id="ann", email="ann@example.com", profile={"email": "ann@example.com"}, created_at=now,
                            updated_at=now))  # fmt: skip
        await session.flush()
        await record_consent(session, "ann", "*", True, "test", now)
        await publish(session, version, by="test", now=now)
        entered = await enrol(session, version, "ann", by="test", now=now, manual=True)
        assert isinstance(entered, Enrolled)
        row = await session.get_one(JourneyRow, entered.journey_id)
    order = WalkOrder(journey_id=row.id, lead_id="ann", version=version.hash, pace=Pace(origin=now), now=now,
                      position=Journey.model_validate(row.position))  # fmt: skip
    return Stage(store, Post(), order)


LATER = timedelta(minutes=1)
WHOLE = ["did", "did", "parked"]


async def test_an_uncrashed_walk_sends_once(stage: Stage) -> None:
    assert await stage.walk() == WHOLE
    assert await stage.walk(LATER) == WHOLE
    assert len(stage.post.taken) == 1


@pytest.mark.parametrize("kill", ["before", "after"])
async def test_killed_at_the_hand_over_it_is_sent_once_when_the_provider_can_tell(stage: Stage, kill: str) -> None:
    stage.post.kill = kill
    with pytest.raises(Killed):
        await stage.walk()

    assert await stage.walk(LATER) == WHOLE
    assert len(stage.post.taken) == 1
    assert (await stage.message()).status == "accepted"


@pytest.mark.parametrize(("kill", "taken"), [("before", 0), ("after", 1)])
async def test_killed_at_the_hand_over_it_is_held_and_shown_when_nobody_can_tell(
    stage: Stage, kill: str, taken: int
) -> None:
    stage.post.kill, stage.post.can_tell = kill, False
    with pytest.raises(Killed):
        await stage.walk()

    assert await stage.walk(LATER) == WHOLE
    assert len(stage.post.taken) == taken
    assert (await stage.message()).status == "unknown"


async def test_trouble_that_passes_loses_nobody(stage: Stage) -> None:
    stage.post.trouble = ProviderUnavailable("busy")
    with pytest.raises(Exception, match="busy"):
        await stage.walk()

    assert (await stage.message()).status == "deferred"
    assert await stage.walk(LATER) == WHOLE
    assert len(stage.post.taken) == 1


async def test_a_refused_address_is_suppressed_and_the_journey_goes_on(stage: Stage) -> None:
    stage.post.trouble = AddressRefused("refused", code="5.1.1")

    assert await stage.walk() == WHOLE
    async with stage.store.read() as session:
        assert [row.scope for row in (await session.exec(select(SuppressionRow))).all()] == ["all"]


async def test_a_refused_message_suppresses_nobody(stage: Stage) -> None:
    stage.post.trouble = MessageRefused("policy", code="5.7.1")

    assert await stage.walk() == WHOLE
    async with stage.store.read() as session:
        assert (await session.exec(select(SuppressionRow))).all() == []


async def test_who_left_the_topic_meanwhile_gets_nothing(stage: Stage, now: datetime) -> None:
    async with stage.store.write() as session:
        await record_consent(session, "ann", "news", False, "test", now)

    assert await stage.walk() == WHOLE
    assert stage.post.taken == []
    assert (await stage.message()).reason == "unsubscribed from news"


async def test_every_move_is_recorded_once(stage: Stage) -> None:
    stage.post.kill = "after"
    with pytest.raises(Killed):
        await stage.walk()
    await stage.walk(LATER)

    async with stage.store.read() as session:
        assert sorted(row.n for row in (await session.exec(select(MoveRow))).all()) == [0, 1, 2]
