"""A journey told in a marketer's words: what each move was, how it went, which values it saw, and where it led.

A simulated journey and one in the store are told alike, since the same interpreter walks along.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from nurture.conditions import Condition, Happened, Is, field_words, leaves
from nurture.decisions import seen as values_of
from nurture.durations import in_words
from nurture.facts import Facts
from nurture.journey import (
    MERGED,
    RESUME,
    STOP,
    AnyReply,
    Choose,
    Chose,
    Close,
    Closed,
    Deferred,
    Did,
    Elapsed,
    Heard,
    Held,
    Journey,
    Move,
    Park,
    Parked,
    Perform,
    listened_arms,
    next_move,
    proceed,
    wait_arms,
)
from nurture.steps import AnyStep, Branch, Escalate, Message, Split, Task, Wait, WaitFor
from nurture.triggers import Done, Leave, On, ToState, When
from nurture.values import in_text
from nurture.version import Version

Kind: TypeAlias = Literal[
    "sent", "not sent", "unclear", "done", "not done", "put off", "paused", "decides", "waits", "over", "heard", "ends"
]


BOUND = {"before": "as before", "winner": "the winner"}


@dataclass(frozen=True)
class Seen:
    """A value that a decision looked at, as a marketer would name it."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


@dataclass(frozen=True)
class Told:
    """One move: `until` when it waits or was put off, `to` the state or end it led to, `notes` what else is known of it."""

    at: datetime
    state: str
    kind: Kind
    what: str
    how: str = ""
    until: datetime | None = None
    to: str | None = None
    seen: tuple[Seen, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ear:
    """Something that a journey listens for, where it would lead, and how its condition stands at present."""

    words: str
    to: str
    seen: tuple[Seen, ...] = ()


class Stretch(NamedTuple):
    """A move told, between the position it was made from and the one it led to."""

    before: Journey
    told: Told
    after: Journey


def tell_all(
    version: Version, start: Journey, moves: Iterable[tuple[AnyReply, Mapping[str, Any]]]
) -> Iterator[Stretch]:
    """The moves in order, from their replies and the values they saw; `OffTheRoad` when one is of another version."""
    journey = start
    for reply, values in moves:
        after = proceed(version, journey, reply)
        yield Stretch(journey, tell(version, journey, reply, values), after)
        journey = after


def tell(version: Version, journey: Journey, reply: AnyReply, values: Mapping[str, Any]) -> Told:
    """One move in words, made from that position."""
    move = next_move(version, journey)
    kind, what, how, until, seen = _told(version, journey, move, reply, values)
    return Told(
        reply.at, journey.state, kind, what, how, until, _led_to(journey, proceed(version, journey, reply)), seen
    )


def _led_to(before: Journey, after: Journey) -> str | None:
    if after.ending is not None and before.ending is None:
        return "the end"
    return after.state if (after.state, after.visit) != (before.state, before.visit) else None


_Words: TypeAlias = tuple[Kind, str, str, datetime | None, tuple[Seen, ...]]


def _told(version: Version, journey: Journey, move: Move, reply: AnyReply, values: Mapping[str, Any]) -> _Words:
    match move, reply:
        case _, Heard():
            what, how = _heard(version, reply)
            return "heard", what, how, None, ()
        case _, Held():
            return "paused", "the campaign is paused", "nothing moves until it resumes", None, ()
        case Perform(step=step), Did(note=note):
            return *_performed(step, note), None, ()
        case Perform(step=step), Deferred(until=until, note=note):
            return "put off", step.words(), note, until, ()
        case Choose(step=step), Chose(arm=arm):
            return "decides", *_chosen(step, arm, values), None, _seen_by(step, values)
        case Park(step=step), Parked(until=until):
            return "waits" if until else "over", step.words(), _parked(step, reply), until, _unknown_date(values)
        case Close(reason=reason), Closed():
            return "ends", reason, "", None, ()
        case _, Elapsed():
            return "over", _elapsed(version, journey), "", None, ()
        case _:
            return "done", reply.kind, "", None, ()


def _performed(step: AnyStep, note: str) -> tuple[Kind, str, str]:
    if isinstance(step, Message):
        return "not sent" if note else "sent", step.words(), note
    # A hand-off and a task exist even when the notice of them could not go out.
    done = not note or isinstance(step, Escalate | Task)
    return "done" if done else "not done", step.words(), note


def _chosen(step: Branch | Split, arm: int | None, values: Mapping[str, Any]) -> tuple[str, str]:
    if isinstance(step, Split):
        return step.words(), BOUND.get(values.get("bound", ""), "by lot")
    tried = step.arms if arm is None else step.arms[: arm + 1]
    answers = [f"{one.condition.words()}: {'yes' if at == arm else 'no'}" for at, one in enumerate(tried)]
    return "branch", "; ".join(answers)


def _seen_by(step: Branch | Split, values: Mapping[str, Any]) -> tuple[Seen, ...]:
    return seen_in([arm.condition for arm in step.arms], values) if isinstance(step, Branch) else ()


def seen_in(conditions: Sequence[Condition], values: Mapping[str, Any]) -> tuple[Seen, ...]:
    """The values that conditions looked at, as `nurture.decisions.seen` noted them, each once."""
    found: dict[str, Seen] = {}
    for leaf in (leaf for one in conditions for leaf in leaves(one)):
        match leaf:
            case Is(path=path) if ".".join(path) in values:
                found.setdefault(".".join(path), Seen(field_words(path), in_text(values[".".join(path)])))
            case Happened(period=period) if leaf.pattern() in values:
                within = f" within {in_words(period)}" if period is not None else ""
                count = values[leaf.pattern()]
                found.setdefault(
                    leaf.pattern(), Seen(f"{leaf.pattern()}{within}", f"{count} {'time' if count == 1 else 'times'}")
                )
    return tuple(found.values())


def _unknown_date(values: Mapping[str, Any]) -> tuple[Seen, ...]:
    return tuple(Seen(name, in_text(value)) for name, value in values.items())


def _parked(step: Wait | WaitFor, reply: Parked) -> str:
    if reply.until is not None:
        return ""
    if reply.past:
        return "that had gone by"
    return "it is unknown, so there is nothing to wait for" if isinstance(step, Wait) and step.until else "that is now"


def _elapsed(version: Version, journey: Journey) -> str:
    if journey.rest is None or journey.rest.why != "wait":
        return "its time has come"
    step = version.step(journey.state, journey.step)
    return f"{in_words(step.up_to)} passed without it" if isinstance(step, WaitFor) else "the wait is over"


def _heard(version: Version, reply: Heard) -> tuple[str, str]:
    if reply.arm == STOP:
        return "a person stopped it", ""
    if reply.arm == MERGED:
        return "the lead was merged with one that was in the campaign before", ""
    trigger = trigger_of(version, reply.arm)
    if trigger is None:
        return "the campaign goes on", ""
    arm = version.arm.get(reply.arm)
    how = "" if arm is None else "the goal" if arm.goal else "an exit" if arm.key.startswith("exit:") else ""
    return trigger.heard(), how


def trigger_of(version: Version, arm: str) -> On | When | None:
    """What an arm listens for; None for a person's stop, a merge and the end of a pause."""
    if arm in (STOP, MERGED, RESUME):
        return None
    if arm in version.arm:
        return version.arm[arm].trigger
    place, _, at = arm.rpartition(":")
    state, step, _ = place.rsplit("/", 2)
    waited = version.step(state, int(step))
    return waited.arms[int(at)] if isinstance(waited, WaitFor) else None


# --- where it stands ---


def waits_for(version: Version, journey: Journey, facts: Facts | None = None) -> tuple[Ear, ...]:
    """What would end the wait at hand, and what comes when nothing does."""
    step = None if journey.ended or journey.ending else version.step(journey.state, journey.step)
    if not isinstance(step, WaitFor) or journey.rest is None or journey.rest.why != "wait":
        return ()
    ears = [_ear(arm, arm.to or step.then, facts) for arm in wait_arms(version, journey).values()]
    return (*ears, Ear("otherwise", to_in_words(step.otherwise)))


def hears(version: Version, journey: Journey, facts: Facts | None = None) -> tuple[Ear, ...]:
    """What it hears at any time: exits, goal and `always`."""
    if journey.ended or journey.ending:
        return ()
    return tuple(_ear(one, one.to, facts) for one in listened_arms(version, journey).values())


def _ear(trigger: On | When, to: ToState | Leave | Done | None, facts: Facts | None) -> Ear:
    return Ear(trigger.heard(), to_in_words(to), standing(trigger, facts) if facts else ())


def standing(trigger: On | When, facts: Facts) -> tuple[Seen, ...]:
    """How a trigger's condition stands with the facts; an event has nothing to stand on."""
    if isinstance(trigger, On):
        return ()
    return seen_in([trigger.condition], values_of(trigger.condition, facts))


def to_in_words(to: ToState | Leave | Done | None) -> str:
    """Where something leads: a state, the end, or on."""
    match to:
        case ToState(name=name):
            return name
        case None:
            return "on"
        case _:
            return to.words()
