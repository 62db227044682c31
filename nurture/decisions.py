"""The answer to a move that needs only facts: which way, until when, and what has been heard already.

Every shell calls these, so that a lead goes the same way in a simulation as it does live.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from nurture.calendar import next_opening
from nurture.conditions import Condition, Happened, Is, leaves
from nurture.facts import Facts
from nurture.journey import Chose, Heard, Journey, Parked, listened_arms, wait_arms
from nurture.pace import Pace
from nurture.steps import Branch, DateOf, Instant, Split, Wait, WaitFor
from nurture.triggers import On, When
from nurture.version import Version

# A moment beyond these counts as one of them: a year 9999 stands for never.
FIRST, LAST = datetime(2, 1, 2, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)


class Decision(NamedTuple):
    """An answer, and the values it was made from."""

    reply: Chose | Parked
    values: dict[str, Any]


class Bound(NamedTuple):
    """The arm of an experiment that a lead takes without a draw: the one it was in `before`, or the `winner`."""

    arm: str
    why: Literal["before", "winner"]


def choose(step: Branch | Split, lead_id: str, facts: Facts, bound: Bound | None = None) -> Decision:
    """The arm a lead takes: the first true condition, the arm it is bound to, or the split's by the lead's own hash."""
    if isinstance(step, Split) and bound is not None:
        arm = [name for name, _ in step.arms].index(bound.arm)
        return Decision(Chose(at=facts.now, arm=arm), {"split": bound.arm, "bound": bound.why})
    if isinstance(step, Split):
        arm = split_arm(step, lead_id)
        return Decision(Chose(at=facts.now, arm=arm), {"split": step.arms[arm][0]})
    values: dict[str, Any] = {}
    for at, arm_ in enumerate(step.arms):
        values |= seen(arm_.condition, facts)
        if arm_.condition.test(facts):
            return Decision(Chose(at=facts.now, arm=at), values)
    return Decision(Chose(at=facts.now, arm=None), values)


def split_arm(split: Split, lead_id: str) -> int:
    """The arm of a split: the same lead always gets the same one, in proportion to the weights."""
    digest = hashlib.sha256(f"{split.key}/{lead_id}".encode()).digest()
    drawn = int.from_bytes(digest[:8], "big") / 2**64 * sum(weight for _, weight in split.arms)
    for at, (_, weight) in enumerate(split.arms):
        drawn -= weight
        if drawn < 0:
            return at
    return len(split.arms) - 1


def seen(condition: Condition, facts: Facts) -> dict[str, Any]:
    """The values a condition looked at, by what it depends on."""
    values: dict[str, Any] = {}
    for one in leaves(condition):
        match one:
            case Is(path=path):
                tree: Any = facts.lead
                for name in path:
                    tree = tree.get(name) if isinstance(tree, Mapping) else None
                values[".".join(path)] = tree
            case Happened():
                matches = one.matches()
                values[one.pattern()] = sum(map(matches, facts.events(one.event, one.period)))
    return values


def park(step: Wait | WaitFor, facts: Facts, zone: ZoneInfo, pace: Pace) -> Decision:
    """Until when a wait lasts, in real time, counted on the journey's own calendar."""
    if isinstance(step, WaitFor):
        local = pace.calendar(facts.now)
        return Decision(Parked(at=facts.now, until=pace.real(_moved(local, step.up_to))), {})
    local = moment = pace.calendar(facts.now)
    if step.until is not None:
        found = _moment(step.until, facts.lead, zone)
        if found is None:
            return Decision(Parked(at=facts.now), {step.until.words(): None})
        moment = found
    if step.duration is not None:
        moment = _moved(moment, step.duration)
    if step.at is not None:
        moment = next_opening(step.at, moment, zone)
    past = step.until is not None and moment <= local
    until = None if moment <= local else pace.real(moment)
    return Decision(Parked(at=facts.now, until=until, past=past), {})


def _moment(until: DateOf | Instant, lead: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    if isinstance(until, Instant):
        found = as_moment(until.at, zone)
        return None if found is None else _moved(found, timedelta(0))
    value: Any = lead
    for name in until.field:
        value = value.get(name) if isinstance(value, Mapping) else None
    moment = as_moment(value, zone)
    return None if moment is None else _moved(moment, until.offset)


def _moved(moment: datetime, by: timedelta) -> datetime:
    """So much later (or earlier), as far as calendars go."""
    try:
        return min(max(moment + by, FIRST), LAST)
    except OverflowError:
        return LAST if by > timedelta(0) else FIRST


def as_moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A moment from a date, ISO text, or Unix time in seconds or milliseconds; without a zone it is the lead's own.

    What is none of these is None.
    """
    try:
        return _as_moment(value, zone)
    except (ValueError, OverflowError, OSError):  # OSError: what the platform's own clock cannot count
        return None


def _as_moment(value: Any, zone: ZoneInfo) -> datetime | None:
    match value:
        case bool():
            return None
        case int() | float():
            return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
        case str():
            return _as_moment(datetime.fromisoformat(value), zone)
        case datetime():
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=zone).astimezone(UTC)
        case date():
            return datetime.combine(value, time(0), zone).astimezone(UTC)
        case _:
            return None


def heard_already(version: Version, journey: Journey, facts: Facts, key: str = "") -> Heard | None:
    """What the journey, under that key, listens for and has been there: `always` since its entry, a wait's since its state's."""
    always = [(arm, one, journey.entered) for arm, one in listened_arms(version, journey).items()]
    waits = [(arm, one, journey.since) for arm, one in wait_arms(version, journey).items()]
    for arm, trigger, since in [*always, *waits]:
        if heard := arm_heard(arm, trigger, since, facts, key):
            return heard
    return None


def arm_heard(arm: str, trigger: On | When, since: datetime, facts: Facts, key: str = "") -> Heard | None:
    """The first event after `since` that the arm of a journey under that key listens for, or its condition being true now."""
    if isinstance(trigger, When):
        return Heard(at=facts.now, arm=arm) if trigger.condition.test(facts) else None
    meant = trigger.meant(key)
    for one in facts.events(trigger.event.event, None):
        if one.heard_at > since and meant(one):
            return Heard(at=one.heard_at, arm=arm, event=one.id or None)
    return None


def events_needed(*conditions: Condition | On | When) -> frozenset[str]:
    """The names of the events that must be loaded to test them."""
    keys = frozenset().union(*(one.depends_on() for one in conditions))
    return frozenset(key.removeprefix("event.") for key in keys if key.startswith("event."))
