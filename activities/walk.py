"""The walk: makes a journey's moves up to the next rest, each recorded in the transaction of its effect."""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from temporalio import activity

from activities.equipment import Equipment
from activities.errands import Errand, Postponed, Settled, TryAgain
from activities.keeping import keep
from activities.touches import Touch
from nurture.calendar import resolve_zone
from nurture.decisions import Decision, choose, events_needed, heard_already, park
from nurture.facts import Facts
from nurture.journey import (
    RESUME,
    AnyReply,
    Choose,
    Close,
    Closed,
    Deferred,
    Did,
    Ended,
    Heard,
    Held,
    Move,
    Park,
    Perform,
    Rest,
    answers,
    listened_arms,
    next_move,
    proceed,
    wait_arms,
)
from nurture.steps import AnyStep, AskReferral, Branch, Escalate, Split
from nurture.store import Session, experiments
from nurture.store.bulk import insert_all
from nurture.store.campaigns import paused, version
from nurture.store.facts import load_facts
from nurture.store.leads import get, locked
from nurture.store.messages import cancel_open
from nurture.store.models import JourneyRow, LeadRow, MoveRow
from nurture.store.moves import recorded
from nurture.store.positions import stand
from nurture.store.walked import beginning
from nurture.version import Version
from workflows.ports import JourneyPort, Walked, WalkOrder

REPLY: TypeAdapter[AnyReply] = TypeAdapter(AnyReply)
OVERTAKEN = "another attempt went on meanwhile"


class JourneyActivities(JourneyPort):
    """The walk as an activity."""

    def __init__(self, equipment: Equipment) -> None:
        self.equipment = equipment

    @activity.defn
    async def walk(self, order: WalkOrder) -> Walked:
        """See the port."""
        info = activity.info()
        begun = order.now + (info.started_time - info.scheduled_time)
        return await walk(self.equipment, order, begun)


async def walk(equipment: Equipment, order: WalkOrder, begun: datetime) -> Walked:
    """One walk, begun at that moment."""
    return Walked(replies=tuple(await Walk(equipment, order, begun).run()))


class Walk:
    """One walk of one journey."""

    def __init__(self, equipment: Equipment, order: WalkOrder, begun: datetime) -> None:
        self.equipment, self.order = equipment, order
        self.journey = order.position
        self.replies: list[AnyReply] = []
        self.moves: list[dict[str, Any]] = []  # told in the transaction at hand, written at its end
        self.notes: list[str] = []  # of the errands of the touch at hand that are settled
        self._begun, self._mark = begun, time.monotonic()
        self.version: Version
        self.row: JourneyRow
        self.lead: LeadRow
        self.paused: bool

    @property
    def now(self) -> datetime:
        """The time of the server that ordered the walk: an attempt may come hours after the order."""
        return self._begun + timedelta(seconds=time.monotonic() - self._mark)

    async def run(self) -> list[AnyReply]:
        """All replies since the order's position."""
        async with self.equipment.store.write() as session:
            await self._load(session)
            await self._catch_up(session)
            errands = await self._go_on(session, may_touch=self.order.may_touch)
            await self._write_down(session)
        if errands:
            await self._reach_out(errands)
        await self._look_back()
        return self.replies

    async def _reach_out(self, errands: list[Errand]) -> None:
        """Run each errand and record it at once; the last one's record and the moves after it are one transaction."""
        notes = self.notes
        for errand in errands[:-1]:
            if later := await errand.run(self.now):
                await self._postponed(later)
                return
            async with self.equipment.store.write() as session:
                await locked(session, self.lead.id)
                notes.append((await errand.record(session, self.now)).note)
        if later := await errands[-1].run(self.now):
            await self._postponed(later)
            return
        before = self.journey, len(self.replies)
        try:
            await self._recorded(errands[-1], notes, and_go_on=True)
        except TryAgain:
            raise
        except Exception:
            # What was sent must not be forgotten because of what comes after it.
            self.journey = before[0]
            del self.replies[before[1] :]
            self.moves.clear()
            await self._recorded(errands[-1], notes, and_go_on=False)
            raise

    async def _recorded(self, last: Errand, notes: list[str], *, and_go_on: bool) -> None:
        async with self.equipment.store.write() as session:
            await self._load(session)
            note = (await last.record(session, self.now)).note
            overtaken = await self._overtaken(session)
            if not overtaken:
                await self._told(session, Did(at=self.now, note="; ".join(filter(None, [*notes, note]))))
                if and_go_on:
                    await self._go_on(session, may_touch=False)
                await self._write_down(session, stands=and_go_on)
        if overtaken:
            raise TryAgain(OVERTAKEN)

    async def _postponed(self, later: Postponed) -> None:
        """The touch comes again then, with those of its errands that are left."""
        async with self.equipment.store.write() as session:
            await self._load(session)
            overtaken = await self._overtaken(session)
            if not overtaken:
                await self._told(session, Deferred(at=self.now, until=later.until, note=later.note))
                await self._write_down(session)
        if overtaken:
            raise TryAgain(OVERTAKEN)

    async def _overtaken(self, session: Session) -> bool:
        """Whether another attempt moved the journey on from here (an exit was heard, say): only the errand counts then."""
        return bool(await recorded(session, self.row.id, self.journey.n))

    async def _load(self, session: Session) -> None:
        self.row, self.lead, self.paused = await beginning(session, self.order.journey_id)
        self.version = await version(session, self.order.version)

    async def _catch_up(self, session: Session) -> None:
        """Read back what an earlier attempt recorded, and record the news."""
        known = await recorded(session, self.row.id, self.journey.n)
        replies = [REPLY.validate_python(one) for one in known]
        for reply in replies:
            self._follow(reply)
        for reply in self.order.news:
            # A zombie may have gone further than the workflow knows: what it recorded is what happened.
            if reply not in replies and (not known or answers(self.version, self.journey, reply)):
                await self._told(session, reply)

    async def _go_on(self, session: Session, *, may_touch: bool) -> list[Errand]:
        """Move up to the next rest; stops before a touch, whose errands are then answered to be run."""
        errands: list[Errand] = []
        while not errands:
            move = next_move(self.version, self.journey)
            match move:
                case Rest() | Ended():
                    break
                case Close():
                    await self._told(session, Closed(at=self.now))
                    await cancel_open(session, self.row.id, "the journey ended", self.now)
                case _ if self.paused:
                    await self._told(session, Held(at=self.now))
                case Choose(step=step):
                    conditions = [arm.condition for arm in step.arms] if isinstance(step, Branch) else []
                    facts = await self._facts(session, events_needed(*conditions))
                    await self._told(session, *await self._chosen(session, step, facts))
                case Park(step=step):
                    await self._told(session, *park(step, await self._facts(session), self._zone(), self.order.pace))
                case Perform(step=step) if not step.touches:
                    recorder = self.equipment.recorder
                    note = await keep(session, recorder, self.row, self.journey, self.lead, step, self.now)
                    await self._told(session, Did(at=self.now, note=note))
                case Perform(step=step):
                    if not may_touch:
                        break
                    errands = await self._touched(session, step)
                    may_touch = False
        return errands

    async def _chosen(self, session: Session, step: Branch | Split, facts: Facts) -> Decision:
        """The arm of a branch or split; who is drawn into an arm of an experiment is noted, but for test leads."""
        rule = step.winner if isinstance(step, Split) else None
        if not isinstance(step, Split) or rule is None:
            return choose(step, self.lead.id, facts)
        bound = await experiments.bound(session, step, self.lead.id)
        decided = choose(step, self.lead.id, facts, bound)
        if bound is None and not self.lead.test:
            arm, pace = decided.values["split"], self.order.pace.factor
            await experiments.enter(session, step, rule, self.lead.id, arm, facts.now, pace)
        return decided

    async def _touched(self, session: Session, step: AnyStep) -> list[Errand]:
        """The errands of a touch that are left to run; with none left its reply is told."""
        touch = Touch(self.equipment, self.version, self.row, self.journey.occurrence, self.lead, self.order.pace)
        facts = await self._facts(session, self._names_for(step))
        errands = await touch.errands(session, step, facts, self.now)
        answers = [await errand.prepare(session, self.now) for errand in errands]
        left = [errand for errand, answer in zip(errands, answers, strict=True) if answer is None]
        self.notes = [answer.note for answer in answers if isinstance(answer, Settled) and answer.note]
        if left:
            return left
        later = next((answer for answer in answers if isinstance(answer, Postponed)), None)
        if later is not None:
            await self._told(session, Deferred(at=self.now, until=later.until, note=later.note))
        else:
            await self._told(session, Did(at=self.now, note="; ".join(self.notes)))
        return []

    def _names_for(self, step: AnyStep) -> frozenset[str]:
        if isinstance(step, AskReferral):
            return events_needed(step.satisfied)
        definition = self.equipment.catalogue.definitions.get(step.definition) if isinstance(step, Escalate) else None
        return events_needed(definition.ready) if definition is not None else frozenset()

    async def _look_back(self) -> None:
        """After the rest is committed: what came while the journey was on its way to it."""
        rest = self.journey.rest
        if self.journey.ended or rest is None:
            return
        if rest.why == "held":
            async with self.equipment.store.read() as session:
                heard = None if await paused(session, self.row.campaign) else Heard(at=self.now, arm=RESUME)
        else:
            heard = await self._missed()
        if heard is not None:
            async with self.equipment.store.write() as session:
                await self._load(session)
                await self._told(session, heard)
                await self._write_down(session)

    async def _missed(self) -> Heard | None:
        arms = [*listened_arms(self.version, self.journey).values(), *wait_arms(self.version, self.journey).values()]
        if not arms:
            return None
        async with self.equipment.store.read() as session:
            self.lead = await get(session, self.lead.id)
            facts = await self._facts(session, events_needed(*arms))
        return heard_already(self.version, self.journey, facts, self.row.key)

    async def _facts(self, session: Session, names: frozenset[str] = frozenset()) -> Facts:
        return await load_facts(session, self.lead.id, names, self.now, self.order.pace.factor)

    def _zone(self) -> ZoneInfo:
        return resolve_zone(self.lead.time_zone, self.equipment.settings.time_zone)[0]

    async def _told(self, session: Session, reply: AnyReply, values: dict[str, Any] | None = None) -> None:
        """Record the move with its reply, and go on from there."""
        move = next_move(self.version, self.journey)
        record = {
            "journey_id": self.row.id,
            "n": self.journey.n,
            "state": self.journey.state,
            "step": self.journey.step,
            "visit": self.journey.visit,
            "move": type(move).__name__.lower(),
            "words": _words(move, reply),
            "reply": reply.model_dump(mode="json"),
            "values": values or {},
            "at": reply.at,
        }
        self.moves.append(record)
        before = self.journey.occurrence
        self._follow(reply)
        if isinstance(reply, Heard) and (self.journey.ending is not None or self.journey.occurrence != before):
            await cancel_open(session, self.row.id, "the journey went another way", self.now)

    async def _write_down(self, session: Session, *, stands: bool = True) -> None:
        """Write the moves told in this transaction, and where the journey stands by them."""
        if stands and (self.moves or self.row.status == "starting"):
            await stand(session, self.row, self.version, self.journey, self.now)
        await insert_all(session, MoveRow, self.moves)
        self.moves = []

    def _follow(self, reply: AnyReply) -> None:
        self.journey = proceed(self.version, self.journey, reply)
        self.replies.append(reply)


def _words(move: Move, reply: AnyReply) -> str:
    match move, reply:
        case _, Heard():
            return reply.arm
        case ((Perform() | Choose() | Park()), _):
            return move.step.words()
        case Close(reason=reason), _:
            return reason
        case _:
            return "the wait is over"
