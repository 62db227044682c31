"""A life: leads walk campaigns through the real dispatcher, store and activities, on a clock that is moved by hand."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from activities.bulk import take_page
from activities.equipment import Equipment
from activities.errands import TryAgain
from activities.hand_off_clock import attend
from activities.walk import walk
from nurture.campaign import Campaign
from nurture.catalogue import Catalogue
from nurture.channels import Envelope, Receipt
from nurture.deals import News
from nurture.definitions import Definition
from nurture.dispatcher import Dispatcher
from nurture.intake import Consent, Incoming, Intake, Internal, Result
from nurture.intake.incoming import stable_id
from nurture.journey import AnyReply, Elapsed, Ended, Heard, Journey, Rest, fold, heeds, next_move
from nurture.lead import lead
from nurture.orders import StartOrder
from nurture.rewards import Reward
from nurture.scores import Score, Threshold, gives
from nurture.settings import Settings
from nurture.store import Store, campaigns
from nurture.triggers import on
from nurture.version import frozen
from worker import equip
from workflows.ports import Attended, Paged, WalkOrder

HERE = Path(__file__).parents[1]
READY = Definition(key="ready", ready=lead.email.known() & (lead.company.turnover >= 1_000_000))
INTEREST = Score(
    key="interest",
    rules=(gives(10, on("price_list_downloaded")), gives(60, on("request_sent"))),
    thresholds=(Threshold(key="ready", at=70),),
)


@dataclass
class Postbox:
    """A channel that remembers what was sent, fails as told, and can be asked or not."""

    name: str = "email"
    can_tell: bool = True
    mails: list[Envelope] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    on_send: Callable[[Envelope], Awaitable[None]] | None = None

    async def send(self, envelope: Envelope) -> Receipt:
        if self.on_send is not None:
            await self.on_send(envelope)
        if self.troubles:
            raise self.troubles.pop(0)
        self.mails.append(envelope)
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:
        return any(mail.message_id == message_id for mail in self.mails) if self.can_tell else None

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Running:
    """A journey under way, as its workflow would hold it."""

    order: StartOrder
    walked: Journey
    news: list[AnyReply] = field(default_factory=list)

    @property
    def journey(self) -> Journey:
        return fold(self.order.version, self.walked, self.news)


class Walkers:
    """Runs journeys as the workflow does, at the time of the clock."""

    def __init__(self, equipment: Equipment, clock: Callable[[], datetime]) -> None:
        self.equipment, self.clock = equipment, clock
        self.running: dict[str, Running] = {}
        self.resting: dict[str, Paged] = {}
        self.ticking: dict[str, Attended] = {}

    async def start(self, order: StartOrder) -> None:
        if order.journey_id not in self.running:
            self.running[order.journey_id] = Running(order, order.position)
            await self.go_on(order.journey_id)

    async def signal(self, journey_id: str, heard: Heard) -> bool:
        if journey_id not in self.running:
            return False
        if heeds(self.running[journey_id].order.version, self.running[journey_id].journey, heard.arm):
            await self.tell(journey_id, heard)
        return True

    async def forget(self, journey_id: str) -> bool:
        return self.running.pop(journey_id, None) is None

    async def wake(self, run_id: str) -> None:
        """One page after the other, as the run's workflow does, up to a rest."""
        paged = Paged(until=self.clock())
        while not paged.ending and paged.until is not None and paged.until <= self.clock():
            paged = await take_page(self.equipment, self, run_id, self.clock)
        self.resting[run_id] = paged

    async def wind(self, hand_off_id: str) -> None:
        """One look after the other, as the clock's workflow does, up to a rest."""
        attended = Attended(until=self.clock())
        while not attended.ending and attended.until is not None and attended.until <= self.clock():
            attended = await attend(self.equipment, hand_off_id, self.clock)
        self.ticking[hand_off_id] = attended

    async def unwind(self, hand_off_id: str) -> bool:
        return self.ticking.pop(hand_off_id, None) is None

    async def tell(self, journey_id: str, reply: AnyReply) -> None:
        self.running[journey_id].news.append(reply)
        await self.go_on(journey_id)

    async def go_on(self, journey_id: str) -> None:
        one = self.running[journey_id]
        while not isinstance(next_move(one.order.version, one.journey), Rest | Ended):
            order = WalkOrder(
                journey_id=journey_id, lead_id=one.order.lead_id, version=one.order.version.hash, pace=one.order.pace,
                position=one.walked, news=tuple(one.news), now=self.clock(),
            )  # fmt: skip
            done = await walk(self.equipment, order, self.clock())
            one.walked, one.news = fold(one.order.version, one.walked, done.replies), []

    def next_waking(self) -> tuple[datetime, str] | None:
        rests = ((one.journey.rest, key) for key, one in self.running.items() if not one.journey.ended)
        journeys = ((rest.until, key) for rest, key in rests if rest is not None and rest.until)
        runs = ((paged.until, key) for key, paged in self.resting.items() if paged.until and not paged.ending)
        clocks = ((one.until, key) for key, one in self.ticking.items() if one.until and not one.ending)
        return min((*journeys, *runs, *clocks), default=None)

    async def wakes_by_itself(self, key: str, at: datetime) -> None:
        if key in self.ticking:
            await self.wind(key)
        else:
            await (self.wake(key) if key in self.resting else self.tell(key, Elapsed(at=at)))


class Life:
    """One store, its leads and what they do; messages go to `postbox`."""

    def __init__(self, store: Store, now: datetime, rewards: Sequence[Reward] = (), **settings: Any) -> None:
        self.store, self.now = store, now
        self.postbox = Postbox()
        given: dict[str, Any] = {"templates": HERE / "templates", "teams": {"sales": "sales@example.com"}, **settings}
        self.settings = Settings(_env_file=None, secrets=[SecretStr("a secret of the tests, long enough")], **given)
        catalogue = Catalogue(
            definitions={"ready": READY}, scores={"interest": INTEREST}, rewards={one.key: one for one in rewards}
        )
        equipment = equip(self.settings, store, catalogue, {"email": self.postbox})
        self.walkers = Walkers(equipment, lambda: self.now)
        self.dispatcher = Dispatcher(store, self.walkers, settings=self.settings, clock=lambda: self.now)
        self.intake = Intake(store, catalogue, self.settings)

    async def publish(self, *written: Campaign) -> None:
        async with self.store.write() as session:
            for campaign in written:
                await campaigns.publish(session, frozen(campaign), by="test", now=self.now)

    async def lead(self, email: str = "ann@example.com", consents: dict[str, bool] | None = None, **known: Any) -> str:
        said = consents or {"news": True}
        given: dict[str, bool | Consent] = {
            topic: Consent(granted=one, text="Send me that") for topic, one in said.items()
        }
        [result] = await self.intake.accept(
            [Incoming(lead={"email": email, **known}, consents=given, source="form")], self.now
        )
        assert result.lead_id is not None
        await self.settle()
        return result.lead_id

    async def happens(
        self, name: str, *, to: str = "ann@example.com", machine: bool = False, known: dict[str, Any] | None = None,
        **properties: Any,
    ) -> None:  # fmt: skip
        item = Internal(name=name, lead={"email": to, **(known or {})}, properties=properties, machine=machine)
        [result] = await self.intake.accept([item], self.now)
        assert result.error is None, result.error
        await self.settle()

    async def orders(self, status: str, *, to: str = "ann@example.com", number: str = "1", **told: Any) -> Result:
        """A status of an order, of 120 EUR unless told otherwise."""
        amount = {"amount": "120.00"} if status in ("placed", "paid") else {}
        news = News.model_validate({"number": number, "status": status, "currency": "EUR", **amount, **told})
        item = Internal(id=stable_id(*news.told_once), name=f"order_{status}", lead={"email": to}, order=news)
        [result] = await self.intake.accept([item], self.now)
        assert result.error is None, result.error
        await self.settle()
        return result

    async def clicks(self, template: str, *, machine: bool = False, to: str = "ann@example.com") -> None:
        """A click in the newest such message."""
        from sqlmodel import col, select

        from nurture.store.models import MessageRow

        query = select(MessageRow).where(MessageRow.template == template).order_by(col(MessageRow.due_at).desc())
        async with self.store.read() as session:
            message = (await session.exec(query)).first()
        about: dict[str, Any] = {"template": template, "message": message.id if message else ""}
        await self.happens("message_clicked", to=to, machine=machine, **about)

    async def settle(self) -> None:
        """All that is due is done; what cannot be done now is left as it stands."""
        with suppress(TryAgain):
            while await self.dispatcher.run_once(self.now):
                pass

    async def passes(self, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Time goes by, and journeys and bulk runs wake in it."""
        await self.until(self.now + timedelta(days=days, hours=hours, minutes=minutes))

    async def until(self, moment: datetime) -> None:
        await self.settle()
        while (waking := self.walkers.next_waking()) is not None and waking[0] <= moment:
            self.now = max(self.now, waking[0])
            await self.attempt(self.walkers.wakes_by_itself(waking[1], waking[0]))
            await self.settle()
        self.now = max(self.now, moment)
        await self.settle()

    async def attempt(self, work: Awaitable[None]) -> None:
        with suppress(TryAgain):
            await work

    async def __aenter__(self) -> "Life":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.intake.close()
