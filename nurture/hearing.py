"""Who hears what happened: of a lead's journeys that listen, those whose event it is or whose condition is true."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from nurture.changes import Change
from nurture.decisions import arm_heard, events_needed
from nurture.facts import Facts, Happening
from nurture.journey import Heard
from nurture.steps import WaitFor
from nurture.store import Session, campaigns
from nurture.store.facts import load_facts
from nurture.store.listeners import Listener
from nurture.triggers import On, When
from nurture.version import Version


class ForJourney(NamedTuple):
    """What a journey is to be told."""

    journey_id: str
    heard: Heard


class _Ear(NamedTuple):
    listener: Listener
    trigger: On | When
    precedence: int


async def heard_by(session: Session, change: Change, listeners: Sequence[Listener], now: datetime) -> list[ForJourney]:
    """What each of the lead's journeys that listen hears of the change; each hears one thing at most.

    As when a journey looks back, the first arm in order of precedence wins: what else it listened for, it finds when
    it comes to rest again.
    """
    meant = {(one.journey_id, one.arm): one for one in listeners if one.key in change.keys}
    ears = [ear for one in meant.values() if (ear := await _ear(session, one))]
    facts = await _facts_by_pace(session, change.lead_id, ears, now)
    told = []
    for journey_id, theirs in groupby(ears, key=lambda ear: ear.listener.journey_id):
        in_order = sorted(theirs, key=lambda ear: ear.precedence)
        heard = next((one for ear in in_order if (one := _hears(ear, change.event, facts, now))), None)
        if heard is not None:
            told.append(ForJourney(journey_id, heard))
    return told


async def _ear(session: Session, listener: Listener) -> _Ear | None:
    if listener.arm in listener.heard:
        return None
    version = await campaigns.version(session, listener.version)
    always = list(version.arm)
    if listener.arm in version.arm:
        return _Ear(listener, version.arm[listener.arm].trigger, always.index(listener.arm))
    trigger, at = _of_wait(version, listener.arm)
    return None if trigger is None else _Ear(listener, trigger, len(always) + at)


def _of_wait(version: Version, arm: str) -> tuple[On | When | None, int]:
    occurrence, at = arm.rsplit(":", 1)
    state, step, _ = occurrence.rsplit("/", 2)
    steps = version.state(state).steps if state in version.positions else ()
    wait = steps[int(step)] if int(step) < len(steps) else None
    found = isinstance(wait, WaitFor) and int(at) < len(wait.arms)
    return (wait.arms[int(at)] if isinstance(wait, WaitFor) and found else None), int(at)


async def _facts_by_pace(session: Session, lead_id: str, ears: list[_Ear], now: datetime) -> dict[float, Facts]:
    found: dict[float, Facts] = {}
    conditions = [ear for ear in ears if isinstance(ear.trigger, When)]
    for pace in {ear.listener.pace for ear in conditions}:
        names = events_needed(*(ear.trigger for ear in conditions if ear.listener.pace == pace))
        found[pace] = await load_facts(session, lead_id, names, now, pace)
    return found


def _hears(ear: _Ear, event: Happening | None, facts: dict[float, Facts], now: datetime) -> Heard | None:
    listener = ear.listener
    if isinstance(ear.trigger, On):
        only = {} if event is None else {event.name: [event]}
        facts_of_event = Facts(now=now, lead={}, happened=only)
        return arm_heard(listener.arm, ear.trigger, listener.since, facts_of_event, listener.journey_key)
    heard = arm_heard(listener.arm, ear.trigger, listener.since, facts[listener.pace])
    if heard is None or event is None:
        return heard
    # From its cause on: what came between that and now must not be lost to the state that the journey goes to.
    return heard.model_copy(update={"at": max(event.heard_at, listener.since), "event": event.id})
