"""The clock of a hand-off: what is due next until sales has answered, a function of how it stands and what time it is."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict

from nurture.pace import Pace
from nurture.teams import Team
from nurture.working_hours import WorkingHours

Stage: TypeAlias = Literal["assigned", "reminded", "escalated"]
"""How far it has come with whoever has it now."""

Deed: TypeAlias = Literal["reminded", "escalated", "reassigned", "recycled"]
"""What the clock does."""

ORDER: tuple[Deed, ...] = ("reminded", "escalated", "reassigned", "recycled")
DONE: dict[Stage, int] = {"assigned": 0, "reminded": 1, "escalated": 2}


class Clock(BaseModel):
    """A team's rules as they were when the lead was handed over, in its working hours, at its journey's pace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind_after: timedelta | None = None
    answer_within: timedelta | None = None
    reassign_after: timedelta | None = None
    recycle_after: timedelta | None = None
    hours: WorkingHours = WorkingHours()
    pace: Pace

    def after(self, since: datetime, length: timedelta) -> datetime:
        """The real moment at which the team will have had so much of its time since that one."""
        return self.pace.real(self.hours.after(self.pace.calendar(since), length))

    def worked(self, since: datetime, until: datetime) -> timedelta:
        """How much of its time the team has had in between."""
        return self.hours.between(self.pace.calendar(since), self.pace.calendar(until))

    def passed(self, since: datetime, until: datetime) -> timedelta:
        """How much time has passed in between by the journey's calendar."""
        return (until - since) * self.pace.factor

    def answer_by(self, since: datetime) -> datetime | None:
        """Until when who was told then is to answer."""
        return None if self.answer_within is None else self.after(since, self.answer_within)


class Standing(NamedTuple):
    """How an open hand-off stands: whom it was `told` to and when, and when anybody was `first_told`."""

    told: datetime | None
    first_told: datetime | None
    stage: Stage = "assigned"
    with_lead: bool = False


class Due(NamedTuple):
    """What is due, and when."""

    deed: Deed
    at: datetime


def clock_of(team: Team, default_zone: str, pace: Pace) -> Clock:
    """The clock of what is handed over to the team now."""
    return Clock(
        remind_after=team.remind_after,
        answer_within=team.answer_within,
        reassign_after=team.reassign_after,
        recycle_after=team.recycle_after,
        hours=WorkingHours(window=team.hours, zone=team.zone or default_zone, closed=team.closed),
        pace=pace,
    )


def next_due(clock: Clock, standing: Standing, now: datetime) -> Due | None:
    """What is due now or next; of several deeds whose time has passed only the furthest. None: nothing ever will be.

    The clock runs from the moment at which somebody was told: nobody is blamed for a message that could not go out.
    """
    ahead = list(_ahead(clock, standing))
    passed = [one for one in ahead if one.at <= now]
    if passed:
        return max(passed, key=lambda one: ORDER.index(one.deed))
    return min(ahead, key=lambda one: one.at, default=None)


def followed(standing: Standing, due: Due, *, to_lead: bool = False) -> Standing:
    """How it stands after a deed of which everybody concerned was told at once; `to_lead` it went, if to somebody else."""
    match due.deed:
        case "reminded" | "escalated":
            return standing._replace(stage=due.deed)
        case "reassigned":
            return Standing(due.at, standing.first_told, with_lead=to_lead)
        case "recycled":
            return standing
        case deed:
            assert_never(deed)


def _ahead(clock: Clock, standing: Standing) -> Iterator[Due]:
    if standing.told is None or standing.first_told is None:
        return
    lengths = (clock.remind_after, clock.answer_within, clock.reassign_after)
    for at, (deed, length) in enumerate(zip(ORDER[:3], lengths, strict=True)):
        done = at < DONE[standing.stage]
        pointless = standing.with_lead and deed != "reminded"  # there is nobody above or beside
        if length is not None and not done and not pointless:
            yield Due(deed, clock.after(standing.told, length))
    if clock.recycle_after is not None:
        yield Due("recycled", clock.after(standing.first_told, clock.recycle_after))
