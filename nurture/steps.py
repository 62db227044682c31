"""The steps a state is made of: frozen values told apart by `kind`, each able to say itself in words."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nurture.calendar import Opening
from nurture.calendar import words as opening_words
from nurture.conditions import AnyCondition, event, field_words
from nurture.durations import Length, in_words
from nurture.experiments.pick import Pick
from nurture.lead import ProfileField, lead
from nurture.needs import Need
from nurture.triggers import Done, Leave, Target, ToState, Trigger, When
from nurture.values import Plain, in_text

SATISFIED = ((lead.orders.count >= 1) | (event("order_paid") & event("order_refunded").absent())) & (
    (lead.nps >= 9) | lead.tags.has("solved")
)
"""Who is asked to recommend us unless a campaign says otherwise: who bought, kept it, and is content."""


class Step(BaseModel):
    """One thing a journey does in a state.

    A *touch* reaches out of our own store (a message, a person of the team, another system); what is no touch and no
    flow is bookkeeping.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    touches: ClassVar[bool] = False

    def words(self) -> str:
        """The step as a marketer would say it."""
        raise NotImplementedError


class Message(Step):
    """A message to the lead, by template and channel; one with a `legal_basis` of its own is transactional.

    Of several channels the first by which it may go is taken, what the lead prefers before all others.
    """

    touches: ClassVar[bool] = True

    template: str
    channel: str | tuple[str, ...] = "email"
    expires_after: Length | None = None
    on_unknown: Literal["hold", "resend"] | None = None
    legal_basis: str = ""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels it may go by, in the campaign's order."""
        return (self.channel,) if isinstance(self.channel, str) else self.channel

    def channels_for(self, preferred: object) -> tuple[str, ...]:
        """The same, the one that the lead prefers first."""
        return tuple(sorted(self.channels, key=lambda channel: channel != preferred))

    def _by(self) -> str:
        return "" if self.channel == "email" else f" by {', else '.join(self.channels)}"


class Send(Message):
    """A message of the campaign, with a document of the lead's where one is named: by its link, and attached if it says so."""

    kind: Literal["send"] = "send"
    document: str = ""
    attach: bool = False

    def words(self) -> str:
        document = f" with {self.document}{' attached' if self.attach else ''}" if self.document else ""
        return f"send {self.template}{self._by()}{document}"


class Thank(Message):
    """A thank-you."""

    kind: Literal["thank"] = "thank"

    def words(self) -> str:
        return f"thank with {self.template}{self._by()}"


class AskReferral(Message):
    """A request to recommend us: the message carries the lead's own share link and code.

    It goes to who is `satisfied` only.
    """

    kind: Literal["ask_referral"] = "ask_referral"
    satisfied: AnyCondition = SATISFIED

    def words(self) -> str:
        return f"ask for a referral with {self.template}{self._by()}"


class Survey(Message):
    """A survey, offered by a message."""

    kind: Literal["survey"] = "survey"
    survey: str

    def words(self) -> str:
        return f"ask the survey {self.survey} with {self.template}{self._by()}"


class Ask(Message):
    """One question on the profile or on BANT, asked by a message."""

    kind: Literal["ask"] = "ask"
    field: tuple[str, ...]

    def words(self) -> str:
        return f"ask for the {field_words(self.field)} with {self.template}{self._by()}"


class Confirm(Message):
    """A request to confirm the consent that a form asked for; nothing is sent when there is nothing to confirm."""

    kind: Literal["confirm"] = "confirm"
    legal_basis: str = "the lead asked for it and has to confirm it"
    form: str

    def words(self) -> str:
        return f"ask to confirm {self.form} with {self.template}{self._by()}"


class Notify(Step):
    """A notice to the team."""

    touches: ClassVar[bool] = True
    kind: Literal["notify"] = "notify"
    text: str
    team: str = "marketing"

    def words(self) -> str:
        return f"tell {self.team}: {self.text}"


class Escalate(Step):
    """Hand the lead to sales, with its dossier."""

    touches: ClassVar[bool] = True
    kind: Literal["escalate"] = "escalate"
    definition: str
    team: str = ""

    def words(self) -> str:
        return f"hand over to {self.team or 'sales'} as {self.definition}"


class Task(Step):
    """A task for a person of the team."""

    touches: ClassVar[bool] = True
    kind: Literal["task"] = "task"
    title: str
    team: str = "sales"
    due_in: Length | None = None

    def words(self) -> str:
        due = f", due in {in_words(self.due_in)}" if self.due_in is not None else ""
        return f"task for {self.team}: {self.title}{due}"


class Call(Step):
    """A signed webhook to another system, by the key of its `Hook`, with some data of the campaign's."""

    touches: ClassVar[bool] = True
    kind: Literal["call"] = "call"
    hook: str
    data: dict[str, Plain] = Field(default_factory=dict)

    def words(self) -> str:
        return f"call {self.hook}"


class SetField(Step):
    """Set a field of the lead's profile."""

    kind: Literal["set_field"] = "set_field"
    field: tuple[str, ...]
    value: Plain

    def words(self) -> str:
        return f"set {field_words(self.field)} to {in_text(self.value)}"


class Tag(Step):
    """Give the lead a tag."""

    kind: Literal["tag"] = "tag"
    tag: str

    def words(self) -> str:
        return f"tag {self.tag}"


class Untag(Step):
    """Take a tag from the lead."""

    kind: Literal["untag"] = "untag"
    tag: str

    def words(self) -> str:
        return f"untag {self.tag}"


class NeedStep(Step):
    """Note that the lead needs a product, or seems to, and how ready it is."""

    kind: Literal["need"] = "need"
    need: Need

    def words(self) -> str:
        need = self.need
        said = "seems to need" if need.kind == "presumed" else "needs"
        return f"note that it {said} {need.product}, {need.readiness} % ready"


class AddPoints(Step):
    """Add points to a score (negative ones take away)."""

    kind: Literal["add_points"] = "add_points"
    points: float
    score: str

    def words(self) -> str:
        points = f"{in_text(abs(self.points))} {'point' if abs(self.points) == 1 else 'points'}"
        return f"take {points} from {self.score}" if self.points < 0 else f"add {points} to {self.score}"


class Advance(Step):
    """Move the lead to a stage of its life cycle."""

    kind: Literal["advance"] = "advance"
    stage: str

    def words(self) -> str:
        return f"advance to {self.stage}"


class Subscribe(Step):
    """Note that the lead takes a topic."""

    kind: Literal["subscribe"] = "subscribe"
    topic: str
    expires_after: Length | None = None

    def words(self) -> str:
        until = "" if self.expires_after is None else f" for {in_words(self.expires_after)}"
        return f"subscribe to {self.topic}{until}"


class Unsubscribe(Step):
    """Note that the lead takes a topic no more."""

    kind: Literal["unsubscribe"] = "unsubscribe"
    topic: str

    def words(self) -> str:
        return f"unsubscribe from {self.topic}"


class AddTo(Step):
    """Put the lead on an audience's list."""

    kind: Literal["add_to"] = "add_to"
    audience: str

    def words(self) -> str:
        return f"add to {self.audience}"


class RemoveFrom(Step):
    """Take the lead off an audience's list."""

    kind: Literal["remove_from"] = "remove_from"
    audience: str

    def words(self) -> str:
        return f"remove from {self.audience}"


class Enrol(Step):
    """Enter the lead into another campaign."""

    kind: Literal["enrol"] = "enrol"
    campaign: str

    def words(self) -> str:
        return f"enrol in {self.campaign}"


class DateOf(BaseModel):
    """A date of the lead (a field of the profile), with an offset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["date_of"] = "date_of"
    field: tuple[str, ...]
    offset: Length = timedelta(0)

    def words(self) -> str:
        """The date in words."""
        name = field_words(self.field)
        if not self.offset:
            return name
        return f"{in_words(abs(self.offset))} {'before' if self.offset < timedelta(0) else 'after'} {name}"


def _day(value: object) -> object:
    # Pydantic reads the text of a day as its midnight: the same to a wait, but another version.
    return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-01-31") else value


class Instant(BaseModel):
    """A fixed moment; one without a time zone is in the lead's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["instant"] = "instant"
    at: Annotated[datetime | date, BeforeValidator(_day)]

    def words(self) -> str:
        """The moment in words."""
        return f"{self.at:%Y-%m-%d %H:%M %Z}".strip() if isinstance(self.at, datetime) else self.at.isoformat()


OnPast: TypeAlias = Literal["run", "skip", "leave"]
PAST_WORDS = {"run": "", "skip": "; once past, skip the next step", "leave": "; once past, leave"}


class Wait(Step):
    """Rest for a time, or until a moment; with both `duration` and `at`, until the first such moment after it.

    `on_past` says what a date that has gone by means: `run` what follows at once, `skip` the next step, or `leave`.
    """

    kind: Literal["wait"] = "wait"
    duration: Length | None = None
    at: Opening | None = None
    until: Annotated[DateOf | Instant, Field(discriminator="kind")] | None = None
    on_past: OnPast = "skip"

    def words(self) -> str:
        until = f" until {self.until.words()}" if self.until is not None else ""
        duration = f" {in_words(self.duration)}" if self.duration is not None else ""
        opening = f", then continue {opening_words(self.at)}" if self.at is not None else ""
        gone_by = PAST_WORDS[self.on_past] if self.until is not None else ""
        return f"wait{until}{duration}{opening}{gone_by}"


class WaitFor(Step):
    """Rest until something is heard, or the limit has passed."""

    kind: Literal["wait_for"] = "wait_for"
    arms: tuple[Trigger, ...]
    up_to: Length
    then: Target | None = None
    otherwise: Target | None = None

    def words(self) -> str:
        arms = [(arm.heard(), arm.to or self.then) for arm in self.arms]
        ways = [f"{heard} → {way.words()}" if way else heard for heard, way in arms]
        otherwise = f"; otherwise {self.otherwise.words()}" if self.otherwise else ""
        return f"wait up to {in_words(self.up_to)} for {' or '.join(ways)}{otherwise}"


class Branch(Step):
    """Go where the first true condition points."""

    kind: Literal["branch"] = "branch"
    arms: tuple[When, ...]
    otherwise: Target | None = None

    def words(self) -> str:
        arms = "; ".join(f"{arm.words()} → {arm.to.words() if arm.to else 'go on'}" for arm in self.arms)
        return f"{arms}; otherwise {self.otherwise.words() if self.otherwise else 'go on'}"


class Split(Step):
    """Go to one of several states, by weight; the same lead always gets the same one.

    With a rule for the `winner` it is an experiment: once that is picked, whoever comes later goes there.
    """

    kind: Literal["split"] = "split"
    key: str
    arms: tuple[tuple[str, float], ...]
    winner: Pick | None = Field(default=None, exclude_if=lambda rule: rule is None)

    def words(self) -> str:
        rule = f"; {self.winner.words()}" if self.winner is not None else ""
        return "split " + ", ".join(f"{weight:g} → {name}" for name, weight in self.arms) + rule

    @property
    def design(self) -> str:
        """A name for its arms, weights and rule: a split with others is another experiment, even under the same key."""
        return hashlib.sha256(self.model_dump_json(include={"arms", "winner"}).encode()).hexdigest()[:16]


class Go(Step):
    """Go to another state."""

    kind: Literal["go"] = "go"
    to: ToState

    def words(self) -> str:
        return f"go {self.to.words()}"


class LeaveStep(Step):
    """End the journey before its goal."""

    kind: Literal["leave"] = "leave"
    reason: str

    def words(self) -> str:
        return f"leave: {self.reason}"


class DoneStep(Step):
    """The journey is complete."""

    kind: Literal["done"] = "done"

    def words(self) -> str:
        return "done"


class Broken(Step):
    """A step that could not be read; `nurture check` reports it with its place."""

    kind: Literal["broken"] = "broken"
    name: str
    fault: str

    def words(self) -> str:
        return f"{self.name}(...)"


AnyStep: TypeAlias = Annotated[
    Send | Thank | AskReferral | Survey | Ask | Confirm | Notify | Escalate | Task | Call
    | SetField | Tag | Untag | NeedStep | AddPoints | Advance | Subscribe | Unsubscribe | AddTo | RemoveFrom | Enrol
    | Wait | WaitFor | Branch | Split | Go | LeaveStep | DoneStep | Broken,
    Field(discriminator="kind"),
]  # fmt: skip

Bookkeeping: TypeAlias = (
    SetField | Tag | Untag | NeedStep | AddPoints | Advance | Subscribe | Unsubscribe | AddTo | RemoveFrom | Enrol
)


def as_path(field: ProfileField | str) -> tuple[str, ...]:
    """Where a field of the profile stands, as a marketer names it: `lead.country`, or `"country"`."""
    if isinstance(field, ProfileField):
        return field.path
    if isinstance(field, str):
        return tuple(field.removeprefix("lead.").split("."))
    raise TypeError(f'{in_text(field)} is no field: write lead.country or lead.custom("…")')


def as_step(given: Any) -> Any:
    """A step as a marketer writes it; `leave(…)` and `done` are targets that also stand as steps."""
    match given:
        case Step() | Mapping():
            return given
        case Leave(reason=reason):
            return LeaveStep(reason=reason)
        case Done():
            return DoneStep()
        case _:
            return Broken(name="?", fault=f"{given!r} is no step: write send(…), wait(…), branch(…) …")
