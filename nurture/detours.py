"""Why a journey has not come to a step: it is still ahead, or its road turned off on the way."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nurture.journey import Journey
from nurture.roads import Place, Roads
from nurture.steps import Message
from nurture.telling import Stretch, Told
from nurture.triggers import ToState
from nurture.version import Version

Why: TypeAlias = Literal["ahead", "turned off", "not opened", "no road"]


@dataclass(frozen=True)
class Detour:
    """Why it has not come there: `way` are the states ahead, or what would open the way; `by` the move that turned off."""

    why: Why
    way: tuple[str, ...] = ()
    by: Told | None = None


def places_of(version: Version, template: str) -> Iterator[Place]:
    """The steps that send a message."""
    for state in version.campaign.states:
        for at, step in enumerate(state.steps):
            if isinstance(step, Message) and step.template == template:
                yield state.name, at


def detour(version: Version, start: Journey, walked: Sequence[Stretch], place: Place) -> Detour:
    """Why the journey, after what it has walked, has not come to the place."""
    roads = Roads(version.campaign)
    positions = [start, *(stretch.after for stretch in walked)]
    ways = [_way(roads, position, place) for position in positions]
    if (ahead := ways[-1]) is not None:
        return Detour("ahead", ahead)
    turned = next((at for at in reversed(range(len(walked))) if ways[at] is not None), None)
    if turned is not None:
        return Detour("turned off", by=walked[turned].told)
    openings = tuple(
        arm.trigger.heard()
        for arm in version.arms
        if isinstance(arm.trigger.to, ToState) and place in _reached(roads, arm.trigger.to.name)
    )
    return Detour("not opened", openings) if openings else Detour("no road")


def _reached(roads: Roads, state: str) -> set[Place]:
    entry = roads.entry(state)
    return set() if entry is None else roads.reached([entry])


def _way(roads: Roads, journey: Journey, place: Place) -> tuple[str, ...] | None:
    """The states on the shortest way from the position to the place, the first one included; None without a way."""
    if journey.ending is not None:
        return None
    here: Place = (journey.state, journey.step)
    come_from: dict[Place, Place | None] = {here: None}
    ahead = deque([here])
    while ahead and place not in come_from:
        one = ahead.popleft()
        for road in roads.all:
            if road.start == one and road.end is not None and road.end not in come_from:
                come_from[road.end] = one
                ahead.append(road.end)
    if place not in come_from:
        return None
    path: list[Place] = []
    last: Place | None = place
    while last is not None:
        path.append(last)
        last = come_from[last]
    return tuple(dict.fromkeys(state for state, _ in reversed(path)))
