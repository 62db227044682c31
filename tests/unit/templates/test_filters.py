"""How values are written in messages: as is usual in the language, and on the reader's own clock."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nurture.templates import TemplateFault
from nurture.templates.check import Check
from nurture.templates.filters import missing_forms
from nurture.templates.sandbox import Sandbox

LATE = datetime(2026, 12, 1, 20, 30, tzinfo=UTC)
ITEMS = "{{ n | plural(one='{n} предмет', few='{n} предмета', many='{n} предметов') }}"


def written(template: str, language: str = "en", **given: object) -> str:
    made = Sandbox([], autoescape=False).from_string(template).render(language=language, **given)
    return made.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "sum_"), [("en", "€1,234.50"), ("de", "1.234,50 €"), ("ru", "1 234,50 €"), ("pt-BR", "€ 1.234,50")]
)
def test_a_sum_is_written_as_in_that_language(language: str, sum_: str) -> None:
    assert written("{{ 1234.5 | money('EUR') }}", language) == sum_


@pytest.mark.parametrize("amount", [1234.5, "1234.50", 1234])
def test_a_sum_may_be_a_number_or_a_text(amount: object) -> None:
    assert written("{{ n | money('USD') }}", n=amount).startswith("$1,234")


def test_a_sum_goes_without_cents_and_where_there_are_none() -> None:
    assert written("{{ 1200 | money('EUR', whole=true) }}, {{ 1200 | money('JPY') }}") == "€1,200, ¥1,200"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 предметов"), (1, "1 предмет"), (3, "3 предмета"), (11, "11 предметов"), (22, "22 предмета"),
     (1.5, "1,5 предмета"), (1_000_000, "1 000 000 предметов")],
)  # fmt: skip
def test_a_number_takes_the_form_that_its_language_has_for_it(number: float, words: str) -> None:
    assert written(ITEMS, "ru", n=number) == words


def test_a_form_need_not_name_the_number() -> None:
    assert written("{{ 1 | plural(one='a seat', other='{n} seats') }}") == "a seat"


def test_a_plural_that_lacks_a_form_is_refused_whatever_the_number() -> None:
    with pytest.raises(TemplateFault, match="few=, which ru has"):
        written("{{ 1 | plural(one='предмет', many='предметов') }}", "ru")


def test_every_language_has_forms_of_its_own() -> None:
    assert missing_forms("ar", {}) == ["zero", "one", "two", "few", "many", "other"]
    assert missing_forms("ja", {"other": ""}) == []
    assert missing_forms("en", {"one": ""}) == ["other"]


def test_a_moment_is_told_by_the_readers_clock() -> None:
    told = "{{ at | date }}, {{ at | time }}"

    assert written(told, at=LATE, zone="Asia/Tokyo") == "December 2, 2026, 5:30 AM"
    assert written(told, at=LATE, zone="America/New_York") == "December 1, 2026, 3:30 PM"
    assert written(told, at=LATE) == "December 1, 2026, 8:30 PM"


def test_day_and_hour_stand_together_without_seconds() -> None:
    assert written("{{ at | datetime }}", "de", at=LATE, zone="Europe/Berlin") == "1. Dezember 2026, 21:30"
    assert written("{{ at | datetime('short') }}", "ru", at=LATE, zone="Europe/Moscow") == "01.12.2026, 23:30"


@pytest.mark.parametrize("day", [date(2026, 12, 1), "2026-12-01"])
def test_a_day_is_the_same_day_everywhere(day: object) -> None:
    assert written("{{ day | date }}", day=day, zone="Pacific/Honolulu") == "December 1, 2026"


def test_a_moment_written_as_a_text_is_read() -> None:
    assert written("{{ '2026-12-01T20:30+00:00' | datetime }}", zone="Asia/Tokyo") == "December 2, 2026, 5:30 AM"


def test_what_a_lead_has_not_is_written_as_nothing() -> None:
    assert written("[{{ n | money('EUR') }}{{ n | date }}{{ n | plural(one='', other='') }}]", n=None) == "[]"


@pytest.mark.parametrize(
    "wrong",
    ["{{ 'soon' | date }}", "{{ 5 | date }}", "{{ '2026-12-01' | date | time }}", "{{ 'x' | money('EUR') }}",
     "{{ 1 | money('EURO') }}", "{{ 1e300 | number }}", "{{ true | number }}", "{{ 'nan' | number }}"],
)  # fmt: skip
def test_what_cannot_be_written_so_is_refused(wrong: str) -> None:
    with pytest.raises(TemplateFault):
        written(wrong)


def test_a_language_is_the_same_with_either_hyphen() -> None:
    assert written("{{ 1234.5 | number }}", "pt_BR") == written("{{ 1234.5 | number }}", "pt-BR") == "1.234,5"


def test_a_plural_without_a_form_is_found_without_rendering(tmp_path: Path) -> None:
    (tmp_path / "m.ru.j2").write_text("\n{{ n | plural(one='предмет') }}", "utf-8")

    faults = Check(Sandbox([tmp_path], autoescape=True), "m.ru.j2").faults

    assert f"{tmp_path}/m.ru.j2:2: plural lacks many=, few=; ru has it" in faults
