"""Forms: what their answers say of a lead, and what is wrong with them as written."""

from datetime import date
from pathlib import Path

import pytest

from nurture import Form, Offer, field, lead
from nurture.loader import read

PRICES = Form(
    key="prices",
    title={"en": "Prices", "ru": "Цены"},
    fields=(
        field(lead.email, required=True),
        field(lead.phone),
        field(lead.company.turnover),
        field(lead.custom("plan"), choices=("small", "large")),
    ),
    event="asked",
)


def test_only_the_forms_own_fields_are_taken() -> None:
    filled = PRICES.filled({"email": "Ann@Example.com", "stage": "buy", "tags": "vip", "company.name": "X"})

    assert filled == ({"email": "Ann@Example.com"}, {})


def test_numbers_may_be_written_with_spaces() -> None:
    filled = PRICES.filled({"email": "ann@example.com", "company.turnover": "1\u00a0200 000"})

    assert filled.lead["company"] == {"turnover": "1200000"}


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, {"email": "missing"}),
        ({"email": "at home"}, {"email": "email"}),
        ({"email": "ann@example.com", "phone": "12"}, {"phone": "phone"}),
        ({"email": "ann@example.com", "company.turnover": "a lot"}, {"company.turnover": "unusable"}),
        ({"email": "ann@example.com", "custom.plan": "huge"}, {"custom.plan": "choice"}),
        ({"email": "ann@example.com\0"}, {"email": "email"}),
    ],
)
def test_what_cannot_be_used_is_told_by_field(given: dict[str, str], faults: dict[str, str]) -> None:
    assert PRICES.filled(given).faults == faults


def test_an_offer_that_has_ended_is_shown_no_more() -> None:
    offer = Offer(key="spring", title="Spring", promise="A tenth off", until=date(2026, 5, 31))
    form = PRICES.model_copy(update={"promise": offer})

    assert [form.promised("en", day) for day in (date(2026, 5, 31), date(2026, 6, 1))] == ["A tenth off", ""]


def test_a_word_changed_makes_another_version() -> None:
    again = Form.model_validate(PRICES.model_dump())

    assert again.version == PRICES.version
    assert PRICES.model_copy(update={"consent": "Yes"}).model_dump() != PRICES.model_dump()
    assert Form.model_validate({**PRICES.model_dump(), "consent": "Yes"}).version != PRICES.version


@pytest.mark.parametrize("to", ["//evil.example", "javascript:alert(1)", "thanks"])
def test_a_form_leads_to_a_page_and_nowhere_else(to: str) -> None:
    with pytest.raises(ValueError, match="leads nowhere"):
        Form.model_validate({**PRICES.model_dump(), "goes_to": to})


# --- what nurture check says of it ---

HEAD = """
from nurture import *

road = Campaign("road", enters=[on("asked")], states=[State("one", [{steps}])])
of_the_head = lead.job_title.contains("head") & (lead.score("s") >= 1) & lead.email.known()
ready = Definition(key="ready", ready=of_the_head, agreed_by=("marketing: a", "sales: b"))
s = Score(key="s", rules=(gives(1, on("visit")),))
form = Form(key="prices", title="Prices", event={event!r}, fields=[{fields}], {more})
"""
EMAIL = "field(lead.email, required=True)"


def faults(
    tmp_path: Path, fields: str = EMAIL, more: str = "", event: str = "asked", steps: str = 'tag("a")'
) -> list[str]:
    folder = tmp_path / "campaigns"
    folder.mkdir()
    (folder / "forms.py").write_text(HEAD.format(fields=fields, more=more, event=event, steps=steps))
    start = 'campaigns/forms.py: form "prices", '
    return [f"{one.level}: {str(one).removeprefix(start)}" for one in read(folder).faults]


def test_a_form_that_holds_has_no_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, f"{EMAIL}, field(lead.job_title)", 'serves="ready"') == []


@pytest.mark.parametrize(
    ("fields", "more", "fault"),
    [
        (f'{EMAIL}, field("contry")', "", 'error: field contry: lead.contry is no field: did you mean "country"?'),
        (f"{EMAIL}, field(lead.stage)", "", "error: field stage: is not for a visitor to say"),
        (f'{EMAIL}, field(lead.country, choices=["DE", "Germny"])', "", 'can never be "Germny"'),
        (f"{EMAIL}, {EMAIL}", "", "error: field email: is asked twice"),
        ("field(lead.email)", "", "error: fields: nobody is named"),
        (EMAIL, 'serves="redy"', 'error: serves: there is no definition "redy": did you mean "ready"?'),
        (EMAIL, 'stage="vist"', 'error: stage: there is no stage "vist": did you mean "visit"?'),
        (EMAIL, "double_opt_in=True", "error: double_opt_in: there is nothing to confirm"),
        (EMAIL, 'double_opt_in=True, consent="Yes"', 'write confirm("prices") in the one it enters'),
        (EMAIL, 'serves="ready"', "warning: serves: ready needs the job title, which no form and no question asks for"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, fields: str, more: str, fault: str) -> None:
    assert any(fault in one for one in faults(tmp_path, fields, more)), fault


def test_an_event_that_nobody_hears_is_a_warning(tmp_path: Path) -> None:
    assert faults(tmp_path, event="askd") == [
        'warning: event: nobody listens for "askd": let a campaign, a score or a definition do'
    ]


def test_a_confirmation_that_a_campaign_asks_for_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, more='double_opt_in=True, consent="Yes"', steps='confirm("prices")') == []


def test_a_form_that_is_not_there_cannot_be_confirmed(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, steps='confirm("price")')

    assert 'there is no form "price": did you mean "prices"?' in fault
