from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from nurture import Salesperson, Team, between, by_load, by_territory, hours, lead, minutes, round_robin

ANN = Salesperson(key="ann", name="Ann Able", email="ann@example.com")
BOB = Salesperson(key="bob", name="Bob Best", email="bob@example.com")


def team(**given: Any) -> Team:
    return Team(**{"key": "sales", "lead": "lead@example.com", "people": (ANN, BOB), **given})


def test_a_team_reads_as_it_is_written() -> None:
    written = team(
        assign=by_territory(lead.country),
        hours=between("09:00", "18:00"),
        zone="Europe/Berlin",
        remind_after=minutes(15),
        answer_within=minutes(30),
    )

    assert Team.model_validate_json(written.model_dump_json()) == written
    assert (written.assign.kind, written.assign.field) == ("by_territory", ("country",))


def test_unless_it_says_otherwise_a_team_takes_leads_in_turn() -> None:
    assert team().assign == round_robin() != by_load()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"people": (ANN, ANN)}, '"ann" stands there twice'),
        ({"zone": "Mars/Olympus"}, "is not a time zone"),
        ({"remind_after": minutes(30), "answer_within": minutes(30)}, "answer_within must be longer than remind_after"),
        ({"answer_within": hours(5), "recycle_after": hours(4)}, "recycle_after must be longer than answer_within"),
        ({"answer_within": minutes(0)}, "give a length of time"),
        ({"answer_within": 30}, "has no unit"),
        ({"hours": between("00:00", "24:00")}, "leave hours out"),
        ({"lead": "nobody"}, "email"),
        ({"people": (ANN.model_dump() | {"email": "ann"},)}, "email"),
        ({"people": (ANN.model_dump() | {"key": ""},)}, "key"),
        ({"people": (ANN.model_dump() | {"at_most": 0},)}, "at_most"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        team(**given)


def test_a_territory_is_named_by_a_field_of_the_lead() -> None:
    with pytest.raises(TypeError, match=r"by_territory\(lead.country\)"):
        by_territory("country")  # type: ignore[arg-type]


def test_the_first_and_the_last_day_away_count() -> None:
    away = ANN.model_copy(update={"away": ((date(2026, 12, 1), date(2026, 12, 3)),)})

    assert [away.is_away(date(2026, 12, day)) for day in (1, 3, 4)] == [True, True, False]


def test_people_are_called_by_name_and_the_lead_by_the_team() -> None:
    assert [team().named(key) for key in ("ann", "", "gone")] == ["Ann Able", "the lead of sales", "gone"]
