"""Simulate: one lead's whole road on a virtual clock, in memory, by the very interpreter that runs live.

story = simulate(price_list, events=[at(days=3, event="order_paid")])
assert story.sent == ["price-list/greet", "price-list/thanks"]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from nurture.addresses import EMAIL, KINDS, consent_to
from nurture.bookkeeping import kept
from nurture.calendar import resolve_zone
from nurture.campaign import Campaign
from nurture.conditions import Happened
from nurture.decisions import Bound, choose, heard_already, park
from nurture.errors import BadInput
from nurture.facts import Facts, Happening
from nurture.fading import points_now
from nurture.faults import did_you_mean
from nurture.fields import GROUPS
from nurture.grades import Grade, resolved
from nurture.journey import (
    AnyReply,
    Choose,
    Close,
    Closed,
    Deferred,
    Did,
    Elapsed,
    Ended,
    Journey,
    Park,
    Perform,
    Rest,
    begin,
    listened_arms,
    next_move,
    proceed,
    wait_arms,
)
from nurture.pace import Pace
from nurture.permission import Go, HouseRules, Later, Never, Policy, Standing, by_none, permission, policy_for
from nurture.profile import facts_tree
from nurture.rulebook import Rulebook
from nurture.scores import Change, Score
from nurture.simulated_sales import Pressed, SimulatedSales
from nurture.steps import (
    AddPoints,
    Advance,
    AnyStep,
    AskReferral,
    Branch,
    Escalate,
    Message,
    Split,
    Step,
    Subscribe,
    Unsubscribe,
)
from nurture.tally import Tally
from nurture.teams import Team
from nurture.topics import ALL
from nurture.triggers import On, When
from nurture.turns import turns_of
from nurture.version import Version, frozen

A_MONDAY = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
MOST_MOVES = 10_000


class Planned(NamedTuple):
    """Something that will happen, so long after the start."""

    after: timedelta
    name: str
    properties: dict[str, Any]
    profile: dict[str, Any]


def at(
    *, days: float = 0, hours: float = 0, minutes: float = 0, event: str | Happened, lead: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Planned:  # fmt: skip
    """An event so long after the start; a pattern such as `clicked("price-list/greet")` gives its own properties."""
    after = timedelta(days=days, hours=hours, minutes=minutes)
    if isinstance(event, str):
        return Planned(after, event, properties, dict(lead or {}))
    return Planned(after, event.event, _properties(event) | properties, dict(lead or {}))


def _properties(pattern: Happened) -> dict[str, Any]:
    return {one.path[0]: one.value for one in pattern.filters if one.op == "==" and len(one.path) == 1}


class Line(NamedTuple):
    """One move of the story: where, what, how it went, and the values it saw."""

    at: datetime
    occurrence: str
    words: str
    reply: AnyReply
    values: dict[str, Any]


@dataclass
class Story:
    """What a simulated lead met with."""

    journey: Journey
    lead: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    withheld: list[tuple[str, str]] = field(default_factory=list)
    hand_offs: list[str] = field(default_factory=list)
    sales: list[Pressed] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    now: datetime = A_MONDAY

    @property
    def sent(self) -> list[str]:
        """The templates sent, in order."""
        return [template for _, template in self.messages]

    @property
    def sent_by(self) -> list[tuple[str, str]]:
        """The templates sent, in order, each with the channel it went by."""
        return list(zip(self.sent, self.channels, strict=True))

    def sent_at(self, template: str) -> datetime:
        """When that template was first sent."""
        return next(when for when, sent in self.messages if sent == template)

    @property
    def state(self) -> str:
        """The state it is in, or was in at the end."""
        return self.journey.state

    @property
    def states(self) -> list[str]:
        """The states it went through, in order."""
        found: list[str] = []
        for line in self.lines:
            state, _, visit = line.occurrence.rsplit("/", 2)
            if (entry := f"{state}/{visit}") not in found:
                found.append(entry)
        return [entry.rsplit("/", 1)[0] for entry in found]

    @property
    def ending(self) -> str | None:
        """How it ended; None while it goes on."""
        return self.journey.ending if self.journey.ended else None

    @property
    def goal_reached(self) -> bool:
        """Whether the campaign's goal was reached."""
        return self.journey.goal is not None

    @property
    def trace(self) -> list[tuple[str, str]]:
        """Every move by its occurrence and kind of answer: equal in every shell."""
        return [(line.occurrence, line.reply.kind) for line in self.lines]


def simulate(
    campaign: Campaign | Version,
    *,
    lead: Mapping[str, Any] | None = None,
    events: Iterable[Planned] = (),
    start: datetime = A_MONDAY,
    up_to: timedelta = timedelta(days=3650),
    scores: Iterable[Score] = (),
    teams: Iterable[Team] = (),
    grades: Iterable[Grade] = (),
    rules: HouseRules | None = None,
    lead_id: str = "simulated",
    time_zone: str = "UTC",
    key: str = "",
    winners: Mapping[str, str] | None = None,
) -> Story:
    """The story of one lead that enters at `start`.

    `lead` is the profile (`{"country": "DE", "consents": {"*": False}}`); unless it says otherwise it has an address and
    has consented. `rules` are the house's quiet hours and caps; the default ones hold unless others are given. `teams` take
    the lead over when it is handed to sales, and press until the events say `sales_accepted` or `sales_rejected`. `key` is
    what the journey is for, where a campaign has one for each of something. `winners` are the arms of experiments decided
    before, by the key of the split.
    """
    known = {grade.key: grade for grade in grades}
    version = campaign if isinstance(campaign, Version) else frozen(resolved(campaign, known))
    world = _World(
        version,
        dict(lead or {}),
        list(events),
        start,
        tuple(scores),
        rules or HouseRules(),
        lead_id,
        time_zone,
        key=key,
        teams=tuple(teams),
        winners=winners or {},
    )
    return world.run(start + up_to)


class _World:
    """The world of a simulation: one lead, its events, and the clock."""

    def __init__(
        self, version: Version, lead: dict[str, Any], events: Sequence[Planned], start: datetime,
        scores: tuple[Score, ...], rules: HouseRules, lead_id: str, time_zone: str, *, key: str,
        teams: tuple[Team, ...], winners: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.version, self.rules, self.lead_id = version, rules, lead_id
        self.book, self.tally = Rulebook({score.key: score for score in scores}), Tally()
        self.pace = Pace(origin=start)
        self.now = start
        self.received: datetime | None = None
        self.consents: dict[str, bool] = {"*": True}
        self.suppressed: str | Mapping[str, str] | None = None
        self.stage = "need"
        self.tree: dict[str, Any] = {}
        self.time_zone, self.key, self.winners = time_zone, key, winners
        self.sales = SimulatedSales(teams, time_zone)
        self._learn(lead)
        self.happened: dict[str, list[Happening]] = {}
        self.ahead = sorted(events, key=lambda one: one.after)
        self.start = start
        self.due: dict[str, datetime] = {}
        self.marketing: list[tuple[datetime, str]] = []
        self._enter()
        self.story = Story(begin(version, start), self._known())

    def _learn(self, known: Mapping[str, Any]) -> None:
        """More about the lead: groups of fields are filled up, all else is replaced."""
        tree = dict(known)
        self.consents = self.consents | tree.pop("consents", {})
        self.suppressed = tree.pop("suppressed", self.suppressed)
        self.stage = tree.pop("stage", self.stage)
        for key, points in tree.pop("score", {}).items():
            self.tally.stand(key, points, self.book.scores.get(key), self.now)
        groups = {name: {**self.tree.get(name, {}), **tree[name]} for name in GROUPS if name in tree}
        self.tree = self.tree | tree | groups

    def _enter(self) -> None:
        for entry in self.version.campaign.enters[:1]:
            if isinstance(entry, On):
                self._happen(entry.event.event, _properties(entry.event))
        self._score(None)

    def run(self, end: datetime) -> Story:
        """Move after move until the journey ends, or the clock passes `end`."""
        for _ in range(MOST_MOVES):
            move = next_move(self.version, self.story.journey)
            match move:
                case Ended():
                    break
                case Rest(until=until):
                    woken = self._woken(min(until or end, end))
                    if woken is None and (until is None or until > end):
                        break
                    self._told("wait", woken or Elapsed(at=self.now), {})
                case Perform(step=step):
                    self._told(step.words(), self._performed(step), {})
                case Choose(step=step):
                    self._told(step.words(), *choose(step, self.lead_id, self._facts(), self._bound(step)))
                case Park(step=step):
                    self._told(step.words(), *park(step, self._facts(), self._zone(), self.pace))
                case Close(reason=reason):
                    self._told(reason, Closed(at=self.now), {})
            if not isinstance(move, Rest):
                self._look_back()
        self.story.lead, self.story.now, self.story.sales = self._known(), self.now, self.sales.deeds
        return self.story

    def _bound(self, step: Branch | Split) -> Bound | None:
        if not isinstance(step, Split) or step.winner is None or step.key not in self.winners:
            return None
        winner, names = self.winners[step.key], [name for name, _ in step.arms]
        if winner not in names:
            raise BadInput(f"experiment {step.key} has no arm {winner!r}: {did_you_mean(winner, names)}")
        return Bound(winner, "winner")

    def _told(self, words: str, reply: AnyReply, values: dict[str, Any]) -> None:
        journey = self.story.journey
        self.story.lines.append(Line(self.now, journey.occurrence, words, reply, values))
        self.story.journey = proceed(self.version, journey, reply)

    def _look_back(self) -> None:
        """Come to rest, the journey hears what has been there already."""
        if self.story.journey.rest is None:
            return
        if heard := heard_already(self.version, self.story.journey, self._facts(), self.key):
            self._told("hears", heard, {})

    def _woken(self, until: datetime) -> AnyReply | None:
        """What is heard before `until`, the clock moved on to it; None with the clock at `until`."""
        while True:
            coming = self.start + self.ahead[0].after if self.ahead else None
            turn, due = self._next_turn(until), self.sales.next_due(self.now)
            moment = min(one for one in (coming, turn, due, until) if one is not None)
            self.now = max(self.now, moment)
            if moment == until and until not in (coming, due):
                return None
            if due is not None and due == moment and self.sales.acts(self._known(), self.now):
                self._receive("hand_off_recycled", {})
            if coming is not None and coming == moment:
                planned = self.ahead.pop(0)
                self._learn(planned.profile)
                self._happen(planned.name, planned.properties)
            if heard := heard_already(self.version, self.story.journey, self._facts(), self.key):
                return heard

    def _next_turn(self, until: datetime) -> datetime | None:
        """The next moment at which time alone may turn a condition listened for."""
        journey = self.story.journey
        arms = [*listened_arms(self.version, journey).values(), *wait_arms(self.version, journey).values()]
        conditions = [arm.condition for arm in arms if isinstance(arm, When)]
        turns = turns_of(conditions, self.happened, self.tally.fading)
        return min((turn for turn in turns if self.now < turn < until), default=None)

    def _happen(self, name: str, properties: Mapping[str, Any]) -> None:
        happening = self._receive(name, properties)
        if name in ("sales_accepted", "sales_rejected"):
            self.sales.answered()
        if name == "unsubscribed":
            topic = str(properties.get("topic", ALL))
            self.consents |= dict.fromkeys([topic, *self.consents] if topic == ALL else [topic], False)
        if name == "channel_stopped":
            self.consents[consent_to(str(properties.get("channel")))] = False
        self._score(happening)

    def _receive(self, name: str, properties: Mapping[str, Any]) -> Happening:
        """The event, received after every event before it; what we do ourselves gives no points."""
        self.received = self.now if self.received is None else max(self.now, self.received + datetime.resolution)
        happening = Happening(name, self.now, dict(properties), id=f"{name}/{self.received}", received=self.received)
        self.happened.setdefault(name, []).append(happening)
        return happening

    def _score(self, event: Happening | None, *given: Change) -> None:
        """What the event, and all that is known, mean for the scores; a threshold that is reached is an event."""
        everything = self.book.ask(event.name if event else None, new_lead=True, given=given)
        watched = [one for names in self.book.names.values() for name in names for one in self.happened.get(name, ())]
        at = self.now if event is None else event.heard_at
        taken = self.tally.take(everything, event, at, self._tree, lambda name: self.happened[name], watched, given)
        for one in taken.reached:
            self._receive("score_reached", {"score": one.score, "threshold": one.threshold.key, "points": one.points})

    def _known(self) -> dict[str, Any]:
        return self._tree(points_now(self.tally.scores, self.tally.fading, self.now))

    def _tree(self, scores: Mapping[str, float]) -> dict[str, Any]:
        return facts_tree(self.tree, self.stage, scores)

    def _facts(self) -> Facts:
        return Facts(self.now, self._known(), self.happened)

    def _zone(self) -> ZoneInfo:
        return resolve_zone(self.tree.get("time_zone"), self.time_zone)[0]

    def _performed(self, step: AnyStep) -> AnyReply:
        match step:
            case AskReferral(satisfied=satisfied, template=template) if not satisfied.test(self._facts()):
                why = f"not asked: {satisfied.words()} is not so"
                self.story.withheld.append((template, why))
                return self._did(why)
            case Message():
                return self._sent(step)
            case Escalate(definition=definition, team=team):
                self.story.hand_offs.append(definition)
                self.sales.hand_over(team, self._known(), self.now)
                self._receive("handed_over", {"definition": definition})
            case AddPoints(score=score, points=points):
                self._score(None, Change(score, self.version.campaign.key, points))
            case Subscribe(topic=topic):
                if self.consents.get(topic, self.consents.get(ALL)) is not False:
                    self.consents[topic] = True
            case Unsubscribe(topic=topic):
                if self.consents.get(topic) is not False:
                    self._happen("unsubscribed", {"topic": topic})
            case Advance(stage=stage):
                if stage != self.stage:
                    was, self.stage = self.stage, stage
                    self._receive("stage_changed", {"from": was, "to": stage})
            case Step():
                self.tree = kept(self.tree, step)
                self._score(None)
        self.story.done.append(step.words())
        return self._did()

    def _did(self, note: str = "") -> Did:
        """Done, after all that it brought about."""
        return Did(at=max(self.now, self.received or self.now), note=note)

    def _sent(self, step: Message) -> AnyReply:
        policy, answer = self._chosen(step, self.due.setdefault(self.story.journey.occurrence, self.now))
        match answer:
            case Later(until=until, reason=reason):
                return Deferred(at=self.now, until=until, note=reason)
            case Never(reason=reason):
                self.story.withheld.append((step.template, reason))
                return self._did(reason)
            case Go():
                self.story.messages.append((self.now, step.template))
                self.story.channels.append(policy.channel)
                if policy.purpose == "marketing":
                    self.marketing.append((self.now, policy.channel))
                about = {"template": step.template, "campaign": self.version.campaign.key, "channel": policy.channel}
                self._receive("message_sent", about)
                return self._did()

    def _chosen(self, step: Message, due: datetime) -> tuple[Policy, Go | Later | Never]:
        """The rules of the first channel by which it may go or is to wait, and what was found."""
        refused: dict[str, str] = {}
        for channel in step.channels_for(self.tree.get("preferred_channel")):
            policy = policy_for(self.version.campaign, step, self.rules, channel)
            answer = permission(policy, self._standing(channel, due), self.now, self.pace)
            if not isinstance(answer, Never) or answer.status == "expired":
                return policy, answer
            refused[channel] = answer.reason
        return policy, by_none(refused)

    def _standing(self, channel: str, due: datetime) -> Standing:
        """The lead as the channel finds it; unless it says otherwise it has every address, and takes every channel."""
        group, _, name = KINDS.get(channel, f"messenger.{channel}").partition(".")
        held = self.tree.get("messengers") or {} if name else self.tree
        suppressed = self.suppressed if isinstance(self.suppressed, str | None) else self.suppressed.get(channel)
        return Standing(
            held.get(name or group, "simulated") is not None,
            suppressed,
            None,
            {consent_to(channel): True, **self.consents} if channel != EMAIL else self.consents,
            [at for at, _ in self.marketing],
            due,
            self._zone(),
            by_channel=[at for at, by in self.marketing if by == channel],
        )
