"""Sales in a simulation: the clocks of a lead's hand-offs in virtual time, by the core that runs live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from nurture.assignment import assign, territory
from nurture.hand_off_clock import Clock, Standing, clock_of, followed, next_due
from nurture.pace import Pace
from nurture.teams import LEAD, Team


class Pressed(NamedTuple):
    """One deed about a hand-off: when, what, and whom it concerned."""

    at: datetime
    deed: str
    person: str


@dataclass
class HandedOver:
    """An open hand-off of the simulated lead."""

    team: Team
    clock: Clock
    standing: Standing
    person: str
    had: set[str] = field(default_factory=set)


class SimulatedSales:
    """The team, everybody told at once of everything; it answers when the story says so."""

    def __init__(self, teams: Sequence[Team], zone: str) -> None:
        self._teams, self._zone = {team.key: team for team in teams}, zone
        self._open: list[HandedOver] = []
        self.deeds: list[Pressed] = []

    def hand_over(self, key: str, lead: Mapping[str, Any], now: datetime) -> None:
        """Give the lead to somebody of the team; without a team nobody is pressed."""
        team = self._teams.get(key) or (next(iter(self._teams.values())) if len(self._teams) == 1 else None)
        if team is None:
            return
        clock = clock_of(team, self._zone, Pace(origin=now))
        one = HandedOver(team, clock, Standing(now, now), LEAD)
        self._give(one, "assigned", lead, now)
        one.standing = one.standing._replace(with_lead=one.person == LEAD)
        self._open.append(one)

    def answered(self) -> None:
        """Sales has said yes or no: what was open is not any more."""
        self._open.clear()

    def next_due(self, now: datetime) -> datetime | None:
        """When a clock acts next."""
        return min((due.at for one in self._open if (due := next_due(one.clock, one.standing, now))), default=None)

    def acts(self, lead: Mapping[str, Any], now: datetime) -> bool:
        """Do what is due now; whether a lead went back into nurture by it."""
        recycled = False
        for one in list(self._open):
            due = next_due(one.clock, one.standing, now)
            if due is None or due.at > now:
                continue
            if due.deed == "reassigned":
                self._give(one, due.deed, lead, now)
            else:
                person = one.person if due.deed == "reminded" else LEAD
                self.deeds.append(Pressed(now, due.deed, person))
            if due.deed == "recycled":
                self._open.remove(one)
                recycled = True
            one.standing = followed(one.standing, due, to_lead=one.person == LEAD)
        return recycled

    def _give(self, one: HandedOver, deed: str, lead: Mapping[str, Any], now: datetime) -> None:
        today = now.astimezone(ZoneInfo(one.clock.hours.zone)).date()
        one.person = assign(one.team, {}, territory(one.team, lead), today, one.had).person
        one.had.add(one.person)
        self.deeds.append(Pressed(now, deed, one.person))
