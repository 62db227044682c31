"""Assignment: which salesperson of a team gets a hand-off, and why that one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, assert_never

from nurture.teams import LEAD, Salesperson, Team


class Load(NamedTuple):
    """How many hand-offs somebody has open, and the number of the turn at which they got one last."""

    open: int = 0
    turn: int = 0


class Assigned(NamedTuple):
    """Who got it (`LEAD`: the team's lead), and why."""

    person: str
    because: str


def assign(
    team: Team, loads: Mapping[str, Load], wanted: str | None, today: date, but_not: Collection[str] = ()
) -> Assigned:
    """The team's choice for a lead whose territory is `wanted`; nobody of `but_not`, who had it before."""
    if not team.people:
        return Assigned(LEAD, "the team has nobody else")
    others = [one for one in team.people if one.key not in but_not]
    hindered = {one.key: why for one in others if (why := _hindered(one, loads.get(one.key, Load()), today))}
    free = [one for one in others if one.key not in hindered]
    meant, rule = _meant(team, free, wanted)
    if not meant:
        whys = [f"{one.name} {hindered[one.key]}" for one in others if one.key in hindered]
        return Assigned(LEAD, "; ".join([rule or "nobody is free", *whys]))
    loaded = team.assign.kind == "by_load"
    first = min(meant, key=lambda one: _rank(loads.get(one.key, Load()), loaded))
    if loaded:
        rule = f"has the fewest open: {loads.get(first.key, Load()).open}"
    return Assigned(first.key, rule or "by turn")


def territory(team: Team, lead: Mapping[str, Any]) -> str | None:
    """The territory that a lead belongs to, by the field of the team's rule; `lead` is a tree of plain values."""
    found: Any = lead
    for name in team.assign.field:
        found = found.get(name) if isinstance(found, Mapping) else None
    return str(found) if team.assign.field and found is not None else None


def _rank(load: Load, loaded: bool) -> tuple[int, int]:
    """Least first; of equals the one first in the team's list."""
    return (load.open if loaded else 0, load.turn)


def _hindered(one: Salesperson, load: Load, today: date) -> str:
    if one.is_away(today):
        return "is away"
    if one.at_most is not None and load.open >= one.at_most:
        return f"has {load.open} of at most {one.at_most} open"
    return ""


def _meant(team: Team, free: Sequence[Salesperson], wanted: str | None) -> tuple[Sequence[Salesperson], str]:
    """Those whom the rule means among the free, and the rule's words."""
    match team.assign.kind:
        case "round_robin" | "by_load":
            return free, ""
        case "by_territory":
            covering = [one for one in free if wanted is not None and wanted in one.territory]
            if covering:
                return covering, f"covers {wanted}"
            where = wanted if wanted is not None else "an unknown territory"
            return [one for one in free if not one.territory], f"nobody free covers {where}"
        case kind:
            assert_never(kind)
