from collections import Counter
from datetime import date
from typing import Any

import pytest

from nurture import Salesperson, Team, by_load, by_territory, lead
from nurture.assignment import Assigned, Load, assign
from nurture.teams import LEAD

TODAY = date(2026, 11, 23)


def person(key: str, **given: Any) -> Salesperson:
    return Salesperson(key=key, name=key.capitalize(), email=f"{key}@example.com", **given)


def team(*people: Salesperson, **given: Any) -> Team:
    return Team(key="sales", lead="lead@example.com", people=people or (person("ann"), person("bob")), **given)


def test_whoever_has_waited_longest_is_next_and_a_newcomer_before_all() -> None:
    loads = {"ann": Load(open=9, turn=4), "bob": Load(turn=5)}

    assert assign(team(), loads, None, TODAY) == Assigned("ann", "by turn")
    assert assign(team(person("ann"), person("new")), loads, None, TODAY) == Assigned("new", "by turn")


def test_a_round_gives_everybody_the_same() -> None:
    loads: dict[str, Load] = {}
    got: Counter[str] = Counter()
    for turn in range(1, 31):
        chosen = assign(team(person("ann"), person("bob"), person("cy")), loads, None, TODAY).person
        loads[chosen] = Load(turn=turn)
        got[chosen] += 1

    assert got == {"ann": 10, "bob": 10, "cy": 10}


def test_by_load_the_fewest_open_count_and_then_the_turn() -> None:
    loads = {"ann": Load(open=2, turn=1), "bob": Load(open=1, turn=9)}
    even = {"ann": Load(open=2, turn=8), "bob": Load(open=2, turn=7)}

    assert assign(team(assign=by_load()), loads, None, TODAY) == Assigned("bob", "has the fewest open: 1")
    assert assign(team(assign=by_load()), even, None, TODAY).person == "bob"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("DE", Assigned("ann", "covers DE")),
        ("FR", Assigned("bob", "nobody free covers FR")),
        (None, Assigned("bob", "nobody free covers an unknown territory")),
    ],
)
def test_a_territory_is_its_owners_and_any_other_theirs_who_have_none(wanted: str | None, chosen: Assigned) -> None:
    sales = team(person("ann", territory=("DE", "AT")), person("bob"), assign=by_territory(lead.country))

    assert assign(sales, {}, wanted, TODAY) == chosen


def test_where_nobody_covers_the_territory_the_lead_of_the_team_gets_it() -> None:
    sales = team(person("ann", territory=("DE",)), assign=by_territory(lead.country))

    assert assign(sales, {}, "FR", TODAY) == Assigned(LEAD, "nobody free covers FR")


def test_who_is_away_or_full_is_passed_over_and_when_all_are_the_lead_hears_why() -> None:
    away = person("ann", away=((TODAY, TODAY),))
    full = person("bob", at_most=2)

    assert assign(team(away, full), {"bob": Load(open=1)}, None, TODAY) == Assigned("bob", "by turn")
    assert assign(team(away, full), {"bob": Load(open=2)}, None, TODAY) == Assigned(
        LEAD, "nobody is free; Ann is away; Bob has 2 of at most 2 open"
    )


def test_nobody_gets_a_second_time_what_they_had() -> None:
    assert assign(team(), {}, None, TODAY, ["ann"]).person == "bob"
    assert assign(team(), {}, None, TODAY, ["ann", "bob"]) == Assigned(LEAD, "nobody is free")


def test_a_team_of_nobody_is_its_lead() -> None:
    assert assign(Team(key="sales", lead=""), {}, None, TODAY) == Assigned(LEAD, "the team has nobody else")
