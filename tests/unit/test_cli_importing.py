import pytest

from nurture.cli.importing import fields_of, lead_of
from nurture.errors import BadInput


def fields(*columns: str, **mapped: str) -> dict[str, str]:
    return fields_of(columns, mapped, "leads.csv")


def test_columns_are_named_as_the_fields_of_a_lead() -> None:
    assert fields("E-mail", "First name", "company.turnover", "custom.plan") == {
        "E-mail": "email", "First name": "first_name", "company.turnover": "company.turnover", "custom.plan": "custom.plan"
    }  # fmt: skip


def test_a_column_is_mapped_to_a_field_or_left_out() -> None:
    assert fields("Mail", "Firma", "Alter", Firma="company.name", Alter="") == {
        "Mail": "email",
        "Firma": "company.name",
    }


def test_every_column_that_is_no_field_is_named_at_once_with_the_remedy() -> None:
    with pytest.raises(BadInput) as refused:
        fields("email", "frist_name", "Alter")
    first, second = str(refused.value).splitlines()
    assert "leads.csv:1: column 'frist_name' is no field of a lead: did you mean first_name?" in first
    assert '--map "Alter=custom.…", or leave it out with --map "Alter="' in second


def test_a_column_to_map_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="there is no column 'Firma': there are email"):
        fields("email", Firma="company.name")


def test_two_columns_cannot_be_one_field() -> None:
    with pytest.raises(BadInput, match="two columns are email"):
        fields("email", "Mail")


def test_some_column_must_name_the_lead() -> None:
    with pytest.raises(BadInput, match="nobody is named: one column must be email"):
        fields("first_name")


def test_a_cell_that_is_empty_says_nothing() -> None:
    assert lead_of({"email": "a@x.org", "city": " "}, {"email": "email", "city": "city"}) == {"email": "a@x.org"}


def test_tags_are_added_to_those_that_are_there() -> None:
    assert lead_of({"t": "vip; shop, "}, {"t": "tags"}) == {"tags": {"add": ["vip", "shop"]}}


def test_a_formula_is_data() -> None:
    assert lead_of({"c": '=HYPERLINK("http://x")'}, {"c": "company.name"}) == {
        "company": {"name": '=HYPERLINK("http://x")'}
    }


def test_a_test_lead_is_marked_by_yes_or_no() -> None:
    assert [lead_of({"t": text}, {"t": "test"})["test"] for text in ("Yes", "0", "perhaps")] == [True, False, "perhaps"]
