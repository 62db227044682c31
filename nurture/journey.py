"""What a journey does next: a function of its version, where it stands, and what it was told.

Every shell (the Temporal workflow, `simulate`, the back-test) goes round the same loop: ask `next_move`, make the move
in its own world, tell `proceed` how it went. The replies in order are the journey's whole story: folding them again
gives the same position.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nurture.errors import NurtureError
from nurture.steps import (
    AnyStep,
    Branch,
    Broken,
    DoneStep,
    Escalate,
    Go,
    LeaveStep,
    Split,
    Wait,
    WaitFor,
)
from nurture.triggers import Done, Leave, On, ToState, When
from nurture.version import PRESALE, Version

MOST_JUMPS = 100
MOST_MOVES_AWAKE = 1000  # what `nurture check` lets through must not send for ever


class Resting(BaseModel):
    """Why a journey rests and until when; without `until` only something heard ends it."""

    model_config = ConfigDict(frozen=True)

    why: Literal["wait", "deferred", "held"]
    until: datetime | None = None


class Journey(BaseModel):
    """Where one lead stands in one version; times are real ones, `since` is the entry into the state.

    `awake` counts the moves since time last passed or an event was last heard.
    """

    model_config = ConfigDict(frozen=True)

    n: int = 0
    awake: int = 0
    state: str
    step: int = 0
    visit: int = 1
    visits: dict[str, int]
    entered: datetime
    since: datetime
    rest: Resting | None = None
    heard: tuple[str, ...] = ()
    goal: datetime | None = None
    ending: str | None = None
    ended: bool = False

    @property
    def occurrence(self) -> str:
        """The step at hand and which time round: what a message or a hand-off is unique by."""
        return f"{self.state}/{self.step}/{self.visit}"


# --- what it does next ---


class Perform(NamedTuple):
    """Do the step; answered by `Did`, `Deferred` or `Held`."""

    step: AnyStep


class Choose(NamedTuple):
    """Which arm of the branch or split; answered by `Chose` or `Held`."""

    step: Branch | Split


class Park(NamedTuple):
    """Reckon until when the wait lasts and listen; answered by `Parked` or `Held`."""

    step: Wait | WaitFor


class Close(NamedTuple):
    """Record the end; answered by `Closed`."""

    reason: str


class Rest(NamedTuple):
    """Wait until then; answered by `Elapsed` or `Heard`."""

    until: datetime | None


class Ended(NamedTuple):
    """Nothing more to do."""


Gait: TypeAlias = Literal["local", "usual", "urgent"]
Move: TypeAlias = Perform | Choose | Park | Close | Rest | Ended


# --- how it went ---


class Reply(BaseModel):
    """How a move went; `at` is when, in real time."""

    model_config = ConfigDict(frozen=True)

    at: datetime


class Did(Reply):
    """The step was done, or closed with the reason in `note`."""

    kind: Literal["did"] = "did"
    note: str = ""


class Deferred(Reply):
    """Not now: the step comes again at `until` (quiet hours, a window, a cap)."""

    kind: Literal["deferred"] = "deferred"
    until: datetime
    note: str = ""


class Held(Reply):
    """The campaign is paused: nothing moves until it resumes."""

    kind: Literal["held"] = "held"


class Chose(Reply):
    """The arm taken, None for the other way."""

    kind: Literal["chose"] = "chose"
    arm: int | None = None


class Parked(Reply):
    """The wait lasts until then; None when there is nothing to wait for; `past` when its date had gone by."""

    kind: Literal["parked"] = "parked"
    until: datetime | None = None
    past: bool = False


class Elapsed(Reply):
    """The wait is over: its time has come."""

    kind: Literal["elapsed"] = "elapsed"


class Heard(Reply):
    """Something listened for came; `at` is the event's time of receipt."""

    kind: Literal["heard"] = "heard"
    arm: str
    event: str | None = None


class Closed(Reply):
    """The end is recorded."""

    kind: Literal["closed"] = "closed"


AnyReply: TypeAlias = Annotated[
    Did | Deferred | Held | Chose | Parked | Elapsed | Heard | Closed, Field(discriminator="kind")
]

STOP, RESUME, MERGED = "stop", "resume", "merged"
STOPPED = "stopped"
"""How a journey ends that a person stopped; why is kept in the store, and nowhere else."""


class OffTheRoad(NurtureError):
    """A reply that does not answer the move: the shell and the interpreter disagree."""


def begin(version: Version, now: datetime) -> Journey:
    """A journey at the first state."""
    first = version.campaign.states[0].name
    start = Journey(state=first, visits={first: 1}, entered=now, since=now)
    return _settled(version, start, now)


def next_move(version: Version, journey: Journey) -> Move:
    """What comes next."""
    if journey.ended:
        return Ended()
    if journey.ending is not None:
        return Close(journey.ending)
    if journey.rest is not None:
        return Rest(journey.rest.until)
    step = version.step(journey.state, journey.step)
    match step:
        case Branch() | Split():
            return Choose(step)
        case Wait() | WaitFor():
            return Park(step)
        case _:
            return Perform(step)


def proceed(version: Version, journey: Journey, reply: AnyReply) -> Journey:
    """Where the journey stands after that reply."""
    came_from_outside = isinstance(reply, Elapsed) or (isinstance(reply, Heard) and reply.event is not None)
    journey = _with(journey, n=journey.n + 1, awake=0 if came_from_outside else journey.awake + 1)
    match next_move(version, journey), reply:
        case _, Heard():
            after = _heard(version, journey, reply)
        case Ended(), _:
            raise OffTheRoad(f"a {reply.kind} came after the end of the journey")
        case _, Held():
            after = _with(journey, rest=Resting(why="held"))
        case Perform(), Did():
            after = _onward(version, journey, reply.at)
        case Perform(), Deferred():
            after = _with(journey, rest=Resting(why="deferred", until=reply.until))
        case Choose(step), Chose():
            after = _chosen(version, journey, step, reply)
        case Park(step), Parked():
            after = _parked(version, journey, step, reply)
        case Rest(), Elapsed():
            after = _elapsed(version, journey, reply.at)
        case Close(), Closed():
            after = _with(journey, ended=True)
        case move, _:
            raise OffTheRoad(f"a {reply.kind} does not answer {type(move).__name__} at {journey.occurrence}")
    if after.awake > MOST_MOVES_AWAKE and after.ending is None:
        after = _round_in_circles(after)
    return _settled(version, after, reply.at)


def fold(version: Version, journey: Journey, replies: Iterable[AnyReply]) -> Journey:
    """Where the journey stands after all of them."""
    for reply in replies:
        journey = proceed(version, journey, reply)
    return journey


def wait_arms(version: Version, journey: Journey) -> dict[str, On | When]:
    """What the wait at hand listens for, by arm; an arm names the occurrence, so that a late signal wakes no other."""
    step = None if journey.ended else version.step(journey.state, journey.step)
    if not isinstance(step, WaitFor):
        return {}
    return {f"{journey.occurrence}:{at}": arm for at, arm in enumerate(step.arms)}


def listened_arms(version: Version, journey: Journey) -> dict[str, On | When]:
    """What the journey listens for at any time: exits, goal and `always` arms not yet heard."""
    return {arm.key: arm.trigger for arm in version.arms if _open(journey, arm.key)}


def _open(journey: Journey, arm: str) -> bool:
    """Whether the arm is still to be heard; a sale that was the goal takes nobody off the road that leads on from it."""
    return arm not in journey.heard and not (arm == PRESALE and journey.goal is not None)


def heeds(version: Version, journey: Journey, arm: str) -> bool:
    """Whether hearing that arm now changes anything."""
    if journey.ended or journey.ending is not None:
        return False
    if arm in (STOP, MERGED):
        return True
    if arm == RESUME:
        return journey.rest is not None and journey.rest.why == "held"
    if arm in version.arm:
        return _open(journey, arm)
    return journey.rest is not None and journey.rest.why == "wait" and arm in wait_arms(version, journey)


def answers(version: Version, journey: Journey, news: AnyReply) -> bool:
    """Whether news of the world outside still says something to a journey that may be further on than who brings it."""
    if isinstance(news, Heard):
        return heeds(version, journey, news.arm)
    return isinstance(next_move(version, journey), Rest)


def breaks_in(arm: str) -> bool:
    """Whether hearing that arm also ends work that is still being tried (an exit, the goal, `always`, a stop, a merge)."""
    return arm != RESUME and "/" not in arm  # the arms of a wait name its occurrence


def gait(version: Version, journey: Journey) -> Gait:
    """How the moves up to the next rest are made; where a hand-off is as possible as another touch, `local` up to it."""
    kinds = {isinstance(step, Escalate) for step in _touches_ahead(version, journey)}
    if len(kinds) != 1:
        return "local"
    return "urgent" if True in kinds else "usual"


def _touches_ahead(version: Version, journey: Journey) -> Iterator[AnyStep]:
    """The touches of which one may come before the next rest."""
    seen: set[tuple[str, int]] = set()
    ahead = [] if journey.ending is not None or journey.ended else [(journey.state, journey.step)]
    while ahead:
        state, index = ahead.pop()
        if (state, index) in seen:
            continue
        seen.add((state, index))
        steps = version.state(state).steps
        if index >= len(steps):
            following = version.after(state)
            ahead += [(following.name, 0)] if following else []
            continue
        step = steps[index]
        if step.touches:
            yield step
            continue
        ahead += [(name, 0) for name in _targets(step)]
        ahead += [(state, index + by) for by in _ahead(step)]


def _ahead(step: AnyStep) -> tuple[int, ...]:
    """How many steps on a journey may be without having rested or jumped."""
    match step:
        case WaitFor() | Go() | Split() | DoneStep() | LeaveStep():
            return ()
        case Wait(until=None, duration=timedelta() as duration) if duration > timedelta(0):
            return ()
        case Wait():
            return (1, 2)  # its time may have come, or gone by
        case _:
            return (1,)


def _targets(step: AnyStep) -> list[str]:
    match step:
        case Branch():
            ways = [*(arm.to for arm in step.arms), step.otherwise]
            return [way.name for way in ways if isinstance(way, ToState)]
        case Split():
            return [name for name, _ in step.arms]
        case Go():
            return [step.to.name]
        case _:
            return []


def _with(journey: Journey, **changes: object) -> Journey:
    return journey.model_copy(update=changes)


def _enter(journey: Journey, state: str, at: datetime) -> Journey:
    visit = journey.visits.get(state, 0) + 1
    visits = {**journey.visits, state: visit}
    return _with(journey, state=state, step=0, visit=visit, visits=visits, since=at, rest=None)


def _to(version: Version, journey: Journey, way: ToState | Leave | Done | None, at: datetime) -> Journey:
    match way:
        case ToState():
            return _enter(journey, way.name, at)
        case Leave():
            return _with(journey, ending=f"left: {way.reason}", rest=None)
        case Done():
            return _with(journey, ending="done", rest=None)
        case None:
            return _onward(version, journey, at)


def _onward(version: Version, journey: Journey, at: datetime, steps: int = 1) -> Journey:
    index = journey.step + steps
    if index < len(version.state(journey.state).steps):
        return _with(journey, step=index, rest=None)
    following = version.after(journey.state)
    if following is None:
        return _with(journey, ending="done", rest=None)
    return _enter(journey, following.name, at)


def _settled(version: Version, journey: Journey, at: datetime) -> Journey:
    """The journey after every step that needs no world, `at` that moment: jumps, ends, and states without steps."""
    for _ in range(MOST_JUMPS):
        if journey.ended or journey.ending is not None or journey.rest is not None:
            return journey
        steps = version.state(journey.state).steps
        step = steps[journey.step] if journey.step < len(steps) else None
        match step:
            case None:
                journey = _onward(version, journey, at)
            case Go():
                journey = _enter(journey, step.to.name, at)
            case LeaveStep():
                journey = _with(journey, ending=f"left: {step.reason}")
            case DoneStep():
                journey = _with(journey, ending="done")
            case Broken():
                journey = _with(journey, ending=f"left: {step.fault}")
            case _:
                return journey
    return _round_in_circles(journey)


def _round_in_circles(journey: Journey) -> Journey:
    return _with(journey, ending=f"left: it went round in circles at {journey.state}", rest=None)


def _chosen(version: Version, journey: Journey, step: Branch | Split, reply: Chose) -> Journey:
    match step, reply.arm:
        case Split(), int(arm):
            return _enter(journey, step.arms[arm][0], reply.at)
        case Branch(), int(arm):
            return _to(version, journey, step.arms[arm].to, reply.at)
        case Branch(), None:
            return _to(version, journey, step.otherwise, reply.at)
        case _:
            raise OffTheRoad(f"a split always takes an arm, at {journey.occurrence}")


def _parked(version: Version, journey: Journey, step: Wait | WaitFor, reply: Parked) -> Journey:
    if reply.until is not None:
        return _with(journey, rest=Resting(why="wait", until=reply.until))
    if not reply.past or not isinstance(step, Wait) or step.on_past == "run":
        return _onward(version, journey, reply.at)
    if step.on_past == "leave":
        return _with(journey, ending="left: the date had gone by")
    return _onward(version, journey, reply.at, steps=2)


def _elapsed(version: Version, journey: Journey, at: datetime) -> Journey:
    if journey.rest is not None and journey.rest.why == "wait":
        step = version.step(journey.state, journey.step)
        return _to(version, journey, step.otherwise if isinstance(step, WaitFor) else None, at)
    return _with(journey, rest=None)


def _heard(version: Version, journey: Journey, reply: Heard) -> Journey:
    if not heeds(version, journey, reply.arm):
        return journey
    if reply.arm == STOP:
        return _with(journey, ending=STOPPED, rest=None)
    if reply.arm == MERGED:
        return _with(journey, ending=MERGED, rest=None)
    if reply.arm == RESUME:
        return _with(journey, rest=None)
    if arm := version.arm.get(reply.arm):
        journey = _with(journey, heard=(*journey.heard, arm.key), goal=reply.at if arm.goal else journey.goal)
        if arm.key == "goal" and arm.trigger.to is None:
            return _with(journey, ending="goal reached", rest=None)
        return _to(version, journey, arm.trigger.to, reply.at)
    step = version.step(journey.state, journey.step)
    assert isinstance(step, WaitFor)  # heeds said so
    at = int(reply.arm.rsplit(":", 1)[1])
    return _to(version, journey, step.arms[at].to or step.then, reply.at)
