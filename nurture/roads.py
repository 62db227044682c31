"""The roads through a campaign: which step may follow which, and how soon; for checks and diagrams."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple, TypeAlias

from nurture.campaign import Campaign, State
from nurture.durations import in_words
from nurture.steps import AnyStep, Branch, DoneStep, Go, LeaveStep, Split, Wait, WaitFor
from nurture.triggers import Done, Leave, On, ToState, When
from nurture.values import in_text

Place: TypeAlias = tuple[str, int]
"""A state's name and the index of a step in it."""

AT_ONCE = timedelta(0)

OF_OUR_OWN = frozenset(
    {"message_sent", "message_delivered", "message_bounced", "stage_changed", "handed_over", "score_reached"}
)
"""Events that a journey brings about itself, without anybody doing anything."""


class Way(NamedTuple):
    """One way on from a step: to a target, or (None) to the step `ahead` of it.

    `least` is the shortest time it takes; None when it takes something new from outside every time.
    """

    label: str
    target: ToState | Leave | Done | None = None
    least: timedelta | None = AT_ONCE
    ahead: int = 1


class Road(NamedTuple):
    """A way between two places; `end` None is the end of the journey."""

    start: Place
    end: Place | None
    way: Way


def ways(step: AnyStep) -> list[Way]:
    """The ways on from a step."""
    match step:
        case Wait():
            return _ways_of_wait(step)
        case WaitFor():
            heard = [Way(arm.heard(), arm.to or step.then, _takes(arm)) for arm in step.arms]
            return [*heard, Way(f"after {in_words(step.up_to)}", step.otherwise, max(step.up_to, AT_ONCE))]
        case Branch():
            arms = [Way(arm.condition.words(), arm.to) for arm in step.arms]
            return [*arms, Way("otherwise", step.otherwise)]
        case Split():
            whole = sum(weight for _, weight in step.arms) or 1
            return [Way(f"{in_text(round(100 * weight / whole, 1))} %", ToState(name=to)) for to, weight in step.arms]
        case Go():
            return [Way("", step.to)]
        case LeaveStep():
            return [Way("", Leave(reason=step.reason))]
        case DoneStep():
            return [Way("", Done())]
        case _:
            return [Way("")]


def _ways_of_wait(step: Wait) -> list[Way]:
    # A clock time or a date alone may be now, each time round: only a duration is sure to take time.
    least = max(step.duration or AT_ONCE, AT_ONCE)
    found = [Way("", least=least)]
    if step.until is not None and step.on_past == "skip":
        found.append(Way("once past", ahead=2))
    if step.until is not None and step.on_past == "leave":
        found.append(Way("once past", Leave(reason="the date had gone by")))
    return found


def _takes(arm: On | When) -> timedelta | None:
    # A condition may be true again at once; an event counts only if it came after the entry into the state.
    return None if isinstance(arm, On) and arm.event.event not in OF_OUR_OWN else AT_ONCE


class Roads:
    """Every road of one campaign; targets that do not exist lead nowhere."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self._order = list({state.name: state for state in reversed(campaign.states)}.values())[::-1]
        self._at = {state.name: at for at, state in enumerate(self._order)}
        self.all = [road for state in self._order for road in self._from(state)]
        self._out: dict[Place, list[Road]] = {}
        for road in self.all:
            self._out.setdefault(road.start, []).append(road)

    def _from(self, state: State) -> Iterator[Road]:
        for at, step in enumerate(state.steps):
            for way in ways(step):
                if not isinstance(way.target, ToState) or way.target.name in self._at:
                    yield Road((state.name, at), self._end(state.name, at, way), way)

    def _end(self, state: str, at: int, way: Way) -> Place | None:
        match way.target:
            case None:
                return self._settled(state, at + way.ahead)
            case ToState(name=name):
                return self._settled(name, 0)
            case _:
                return None

    def _settled(self, state: str, at: int) -> Place | None:
        """The step that is really next: past the last one of a state, the first one of the state after it."""
        for following in self._order[self._at[state] :]:
            if at < len(following.steps):
                return following.name, at
            at = 0
        return None

    def entry(self, state: str) -> Place | None:
        """The first step from the entry into a state on."""
        return self._settled(state, 0) if state in self._at else None

    def starts(self) -> list[Place]:
        """Where a journey can be at first, or be put at any time."""
        campaign = self.campaign
        arms = [*campaign.exits, *campaign.always, *([campaign.goal] if campaign.goal else [])]
        names = [self._order[0].name] if self._order else []
        names += [arm.to.name for arm in arms if isinstance(arm.to, ToState)]
        return [place for name in names if (place := self.entry(name))]

    def reached(self, starts: Iterable[Place]) -> set[Place]:
        """Every step that can be come to from there, those included."""
        seen, ahead = set(starts), deque(starts)
        while ahead:
            for road in self._out.get(ahead.popleft(), ()):
                if road.end is not None and road.end not in seen:
                    seen.add(road.end)
                    ahead.append(road.end)
        return seen

    def before(self, place: Place) -> set[Place]:
        """Every step from which that one can be come to."""
        return {other for other in self._out if other != place and place in self.reached([other])} | (
            {place} if any(road.end in self._leading(place) for road in self._out.get(place, ())) else set()
        )

    def _leading(self, place: Place) -> set[Place]:
        return {other for other in self._out if place in self.reached([other])}

    def soonest(self, starts: Iterable[Place]) -> Mapping[Place, tuple[timedelta, Place | None]]:
        """How soon each step can be come to with nothing new from outside, and from which step."""
        number = count()
        found: dict[Place, tuple[timedelta, Place | None]] = {}
        ahead: list[tuple[timedelta, int, Place, Place | None]] = []
        for start in starts:
            heappush(ahead, (AT_ONCE, next(number), start, None))
        while ahead:
            after, _, place, come_from = heappop(ahead)
            if place in found:
                continue
            found[place] = after, come_from
            for road in self._out.get(place, ()):
                if road.end is not None and road.way.least is not None:
                    heappush(ahead, (after + road.way.least, next(number), road.end, place))
        return found

    def circles(self, least: timedelta) -> list[tuple[str, ...]]:
        """Ways round that can take less than that with nothing new from outside, each by the states it goes through."""
        found: dict[frozenset[str], tuple[str, ...]] = {}
        for state in self._order:
            entry = self.entry(state.name)
            if entry is None or entry[0] != state.name:
                continue
            for road in self.all:
                if road.end != entry or road.way.least is None:
                    continue
                sooner = self.soonest([entry])
                if road.start in sooner and sooner[road.start][0] + road.way.least < least:
                    states = tuple(dict.fromkeys(place[0] for place in _path(sooner, road.start)))
                    found.setdefault(frozenset(states), states)
        return list(found.values())


def _path(sooner: Mapping[Place, tuple[timedelta, Place | None]], end: Place) -> list[Place]:
    path: list[Place] = [end]
    while (come_from := sooner[path[-1]][1]) is not None:
        path.append(come_from)
    return path[::-1]
