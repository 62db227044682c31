"""What is wrong with a campaign: every fault at once, each with its place and the remedy."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Protocol

from pydantic import NameEmail, TypeAdapter, ValidationError

from nurture import mentions
from nurture.campaign import AudienceEntry, Campaign, DateEntry
from nurture.catalogue import Catalogue
from nurture.conditions import Happened, leaves
from nurture.durations import in_words
from nurture.experiments.pick import faults_of_rule
from nurture.faults import Fault, did_you_mean
from nurture.mailing import Mailing
from nurture.message_variables import provided
from nurture.roads import Roads
from nurture.steps import (
    AddPoints,
    AddTo,
    Advance,
    AnyStep,
    Ask,
    AskReferral,
    Branch,
    Broken,
    Call,
    Confirm,
    DoneStep,
    Enrol,
    Escalate,
    Go,
    LeaveStep,
    Message,
    RemoveFrom,
    Send,
    SetField,
    Split,
    Wait,
    WaitFor,
)
from nurture.triggers import Done, Leave, On, ToState, When
from nurture.values import Plain

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
LEAST_CIRCLE = timedelta(minutes=30)
NOTHING = timedelta(0)
MAILBOX: TypeAdapter[NameEmail] = TypeAdapter(NameEmail)


class Messages(Protocol):
    """What the check asks of templates."""

    def exists(self, key: str) -> bool:
        """Whether there is such a message."""

    def keys(self) -> list[str]:
        """All messages."""

    def faults(self, key: str, provided: frozenset[str]) -> list[str]:
        """What is wrong with one, file and line in front."""


class Check:
    """The check of one campaign, written in `file`, among everything else that is declared."""

    def __init__(self, campaign: Campaign, catalogue: Catalogue, file: str, messages: Messages | None) -> None:
        self.campaign, self.catalogue, self.file, self.messages = campaign, catalogue, file, messages
        self.names = [state.name for state in campaign.states]
        self.sent = {
            step.template
            for one in (campaign, *(version.campaign for version in catalogue.campaigns.values()))
            for state in one.states
            for step in state.steps
            if isinstance(step, Message)
        } | {mailing.template for mailing in catalogue.mailings.values()}

    def faults(self) -> list[Fault]:
        """All of them, in the order of the file."""
        return [*self._settings(), *self._entries(), *self._arms(), *self._states(), *self._roads()]

    def _error(self, place: str, message: str) -> Fault:
        return Fault("error", f"{self.file}: {place}" if place else self.file, message)

    def _errors(self, place: str, messages: Iterable[str]) -> Iterator[Fault]:
        return (self._error(place, message) for message in messages)

    def _settings(self) -> Iterator[Fault]:
        campaign = self.campaign
        if not NAME.fullmatch(campaign.key):
            yield self._error("key", f'"{campaign.key}" cannot be used: write small letters, digits, - and _')
        if not campaign.states:
            yield self._error("states", "there is none: give at least one State")
        if campaign.purpose == "transactional" and not campaign.legal_basis:
            yield self._error("legal_basis", 'a transactional campaign states one, such as legal_basis="contract"')
        if campaign.cap is not None and (campaign.cap.messages < 1 or campaign.cap.period <= NOTHING):
            yield self._error("cap", "allows nothing: give at least one message in a period longer than zero")
        if campaign.sender and not _is_mailbox(campaign.sender):
            yield self._error("sender", f'"{campaign.sender}" is no mailbox: write "The team <team@example.com>"')
        if self.catalogue.topics:
            yield from self._known("topic", "topic", campaign.topic, self.catalogue.topics)
        if campaign.reenters.kind == "once_in" and (campaign.reenters.period or NOTHING) <= NOTHING:
            yield self._error("reenters", "once_in(…) takes a period longer than zero")
        for name, times in Counter(self.names).items():
            if not NAME.fullmatch(name):
                yield self._error(f'state "{name}"', "this name cannot be used: write small letters, digits, - and _")
            if times > 1:
                yield self._error(f'state "{name}"', f"stands {times} times: give each its own name")

    def _entries(self) -> Iterator[Fault]:
        for at, entry in enumerate(self.campaign.enters, 1):
            place = f"enters, entry {at}"
            match entry:
                case On() | When():
                    yield from self._trigger(place, entry)
                    if entry.to is not None:
                        yield self._error(place, "an entry goes to the first state: take to= away")
                case AudienceEntry(audience=name):
                    yield from self._known(place, "audience", name, self.catalogue.audiences)
                case DateEntry(field=path):
                    yield from self._errors(place, mentions.of_field(path))

    def _arms(self) -> Iterator[Fault]:
        campaign = self.campaign
        goal = [("goal", campaign.goal)] if campaign.goal is not None else []
        exits = [(f"exits, exit {at}", one) for at, one in enumerate(campaign.exits, 1)]
        always = [(f"always, arm {at}", one) for at, one in enumerate(campaign.always, 1)]
        for place, one in [*goal, *exits, *always]:
            yield from self._trigger(place, one)
            yield from self._keyed(place, one)
            yield from self._target(place, one.to)
        for place, one in always:
            if one.to is None:
                yield self._error(place, f'{one.words()}: says not where to go: give to="state" or to=leave(…)')
        for place, one in exits:
            if campaign.goal is not None and one.model_copy(update={"to": None}) == campaign.goal:
                yield self._error(place, "is the goal as well: the exit would come first; keep one of the two")

    def _states(self) -> Iterator[Fault]:
        for state in self.campaign.states:
            for at, step in enumerate(state.steps, 1):
                name = step.name if isinstance(step, Broken) else step.kind
                place = f'state "{state.name}", step {at}, {name}(...)'
                yield from self._step(place, step)
                if isinstance(step, Go | Split | LeaveStep | DoneStep) and at < len(state.steps):
                    yield self._error(place, f"what stands after it is never reached: {state.steps[at].words()}")

    def _step(self, place: str, step: AnyStep) -> Iterator[Fault]:  # one line a kind of step
        match step:
            case Broken(fault=fault):
                yield self._error(place, fault)
            case Message():
                yield from self._message(place, step)
            case Escalate(definition=name, team=team):
                yield from self._known(place, "definition", name, self.catalogue.definitions)
                yield from self._team(place, team)
            case SetField(field=path, value=value):
                yield from self._set(place, path, value)
            case Advance(stage=name):
                yield from self._errors(place, mentions.of_stage(name))
            case AddPoints(score=name):
                yield from self._known(place, "score", name, self.catalogue.scores)
            case Enrol(campaign=name):
                yield from self._known(place, "campaign", name, self.catalogue.campaigns)
            case Call(hook=name):
                yield from self._known(place, "hook", name, self.catalogue.hooks)
            case AddTo(audience=name) | RemoveFrom(audience=name):
                yield from self._known(place, "audience", name, self.catalogue.audiences)
            case Wait():
                yield from self._wait(place, step)
            case WaitFor():
                yield from self._wait_for(place, step)
            case Branch():
                yield from self._branch(place, step)
            case Split():
                yield from self._split(place, step)
            case Go(to=to):
                yield from self._target(place, to)
            case _:
                return

    def _split(self, place: str, step: Split) -> Iterator[Fault]:
        for name, weight in step.arms:
            yield from self._target(place, ToState(name=name))
            if weight <= 0:
                yield self._error(place, f"the weight of {name} must be greater than zero")
        if not step.arms:
            yield self._error(place, "goes nowhere: give states with weights")
        if (rule := step.winner) is None:
            return
        yield from self._errors(place, faults_of_rule(rule, len(step.arms)))
        if any(one.key == step.key and one.design != step.design for one in self._experiments()):
            yield self._error(
                place, f'another experiment has the key "{step.key}", with other arms or another rule: rename one'
            )
        yield from self._trigger(place, rule.goal)
        yield from self._fulfillable(place, rule.goal)

    def _experiments(self) -> Iterator[Split]:
        campaigns = (self.campaign, *(version.campaign for version in self.catalogue.campaigns.values()))
        steps = (step for one in campaigns for state in one.states for step in state.steps)
        return (step for step in steps if isinstance(step, Split) and step.winner is not None)

    def _team(self, place: str, team: str) -> Iterator[Fault]:
        if team:
            yield from self._known(place, "team", team, self.catalogue.teams)
        elif len(self.catalogue.teams) > 1:
            names = ", ".join(sorted(self.catalogue.teams))
            yield self._error(place, f"says not to which team, and there are {names}: give team=")

    def _message(self, place: str, step: Message) -> Iterator[Fault]:
        yield from self._channels(place, step)
        if isinstance(step, AskReferral):
            yield from self._errors(place, mentions.of_condition(step.satisfied, self.catalogue))
        if isinstance(step, Send) and step.document:
            yield from self._known(place, "document", step.document, self.catalogue.documents)
        if isinstance(step, Send) and step.attach and not step.document:
            yield self._error(place, "attaches nothing: name the document=")
        if isinstance(step, Ask):
            yield from self._errors(place, mentions.of_field(step.field))
        if isinstance(step, Confirm):
            yield from self._known(place, "form", step.form, self.catalogue.forms)
        if step.expires_after is not None and step.expires_after <= NOTHING:
            yield self._error(place, "expires_after must be longer than zero")
        if self.messages is None:
            return
        if not self.messages.exists(step.template):
            meant = did_you_mean(step.template, self.messages.keys())
            yield self._error(place, f'there is no template "{step.template}": {meant}')
            return
        for fault in self.messages.faults(step.template, provided(step)):
            yield self._error(place, fault)

    def _channels(self, place: str, step: Message) -> Iterator[Fault]:
        known = self.catalogue.channels
        for name in step.channels:
            if name not in known:
                meant = f'{did_you_mean(name, known)} (one of your own is a Messenger(key="{name}", url=…))'
                yield self._error(place, f'there is no channel "{name}": {meant}')
        if not step.channels:
            yield self._error(place, 'goes by no channel: write prefer("telegram", "email")')
        elif len(set(step.channels)) < len(step.channels):
            yield self._error(place, "names a channel twice: name each once")

    def _set(self, place: str, path: tuple[str, ...], value: Plain) -> Iterator[Fault]:
        match path:
            case ("stage",):
                yield self._error(place, f'a stage is not set: write advance("{value}")')
            case ("score", name):
                yield self._error(place, f'a score is not set: write add_points(…, score="{name}")')
            case _:
                yield from self._errors(place, mentions.of_field(path))
                yield from self._errors(place, mentions.of_value(path, value))

    def _wait(self, place: str, step: Wait) -> Iterator[Fault]:
        if step.duration is None and step.at is None and step.until is None:
            yield self._error(place, "waits for nothing: give a duration, at= or until=")
        if step.duration is not None and step.duration <= NOTHING:
            yield self._error(place, "the duration must be longer than zero")

    def _wait_for(self, place: str, step: WaitFor) -> Iterator[Fault]:
        if step.up_to <= NOTHING:
            yield self._error(place, "up_to must be longer than zero")
        if not step.arms:
            yield self._error(place, "waits for nothing: name an event or a condition")
        for arm in step.arms:
            yield from self._trigger(place, arm)
            yield from self._target(place, arm.to)
            yield from self._fulfillable(place, arm)
            yield from self._keyed(place, arm)
        yield from self._target(place, step.then)
        yield from self._target(place, step.otherwise)

    def _keyed(self, place: str, arm: On | When) -> Iterator[Fault]:
        """What is heard by the journey's own key needs an entry that gives it one."""
        entries = self.campaign.enters
        if isinstance(arm, On) and arm.key and entries and not any(isinstance(one, On) and one.key for one in entries):
            yield self._error(
                place, f'nothing can fulfil it: no entry gives a journey its {arm.key}; write key="{arm.key}"'
            )

    def _fulfillable(self, place: str, arm: On | When) -> Iterator[Fault]:
        """A reaction to a message that no campaign sends cannot come."""
        template = arm.event.template if isinstance(arm, On) else None
        if template is not None and template not in self.sent:
            meant = did_you_mean(template, self.sent)
            yield self._error(place, f'nothing can fulfil it: no campaign sends "{template}"; {meant}')

    def _branch(self, place: str, step: Branch) -> Iterator[Fault]:
        if not step.arms:
            yield self._error(place, "has no condition: give when(…, to=…)")
        for arm in step.arms:
            yield from self._errors(place, mentions.of_condition(arm.condition, self.catalogue))
            yield from self._target(place, arm.to)
            for one in leaves(arm.condition):
                if isinstance(one, Happened) and one.event == "message_opened":
                    yield Fault(
                        "warning", f"{self.file}: {place}", "branches on opens: machines open mail; take clicks"
                    )
        yield from self._target(place, step.otherwise)

    def _trigger(self, place: str, one: On | When) -> Iterator[Fault]:
        return self._errors(place, mentions.of_trigger(one, self.catalogue))

    def _known(self, place: str, kind: str, name: str, known: Collection[str]) -> Iterator[Fault]:
        return self._errors(place, mentions.of_name(kind, name, known))

    def _target(self, place: str, to: ToState | Leave | Done | None) -> Iterator[Fault]:
        if isinstance(to, ToState) and to.name not in self.names:
            yield self._error(place, f'there is no state "{to.name}": {did_you_mean(to.name, self.names)}')

    def _roads(self) -> Iterator[Fault]:
        if not self.campaign.states or len(set(self.names)) < len(self.names):
            return
        roads = Roads(self.campaign)
        reached = {state for state, _ in roads.reached(roads.starts())} | {self.names[0]}
        for state in self.campaign.states:
            if state.name not in reached and state.steps:
                yield self._error(f'state "{state.name}"', "is never reached: let something go to it, or take it away")
        for states in roads.circles(LEAST_CIRCLE):
            way = " → ".join([*states, states[0]])
            yield self._error(
                f'state "{states[0]}"',
                f"{way} goes round without a wait: let it take at least {in_words(LEAST_CIRCLE)}",
            )


class MailingCheck(Check):
    """The check of one mailing: as of a campaign that sends this one message, and of its audience."""

    def __init__(self, mailing: Mailing, catalogue: Catalogue, file: str, messages: Messages | None) -> None:
        super().__init__(mailing.campaign, catalogue, file, messages)
        self.mailing = mailing

    def faults(self) -> list[Fault]:
        """All of them."""
        return [
            *self._settings(),
            *self._known("audience", "audience", self.mailing.audience, self.catalogue.audiences),
            *self._message("template", self.mailing.message),
            *self._expiry(),
        ]

    def _error(self, place: str, message: str) -> Fault:
        return super()._error(f'mailing "{self.mailing.key}", {place}', message)

    def _expiry(self) -> Iterator[Fault]:
        if self.mailing.expires_after <= NOTHING:
            yield self._error("expires_after", "must be longer than zero")
        if self.mailing.spread < NOTHING:
            yield self._error("spread", "must not be less than zero")
        if self.mailing.spread > NOTHING and self.mailing.spread >= self.mailing.expires_after:
            yield self._error("spread", "must be shorter than expires_after: the last would not get it")


def _is_mailbox(text: str) -> bool:
    try:
        MAILBOX.validate_python(text)
    except ValidationError:
        return False
    return True
