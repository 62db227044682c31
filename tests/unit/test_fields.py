"""The fields of a profile: what each may hold, how it is written, and what is refused with which remedy."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nurture.errors import BadInput
from nurture.fields import FIELDS, GROUPS, LISTS, validated, why_never


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"email": " Ann@Example.ORG "}, {"email": "ann@example.org"}),
        ({"phone": "030 1234567", "country": "DE"}, {"phone": "+49301234567", "country": "DE"}),
        ({"phone": "+44 20 7946 0000", "country": "DE"}, {"phone": "+442079460000", "country": "DE"}),
        ({"country": "uk"}, {"country": "GB"}),
        ({"language": "PT_br"}, {"language": "pt-BR"}),
        ({"language": "zh-hant"}, {"language": "zh-Hant"}),
        ({"time_zone": "Europe/Berlin"}, {"time_zone": "Europe/Berlin"}),
        ({"nps": "9"}, {"nps": 9}),
        ({"first_name": "  Jose\u0301 "}, {"first_name": "Jos\u00e9"}),
        ({"company": {"name": "Acme", "turnover": "1e6"}}, {"company.name": "Acme", "company.turnover": 1_000_000}),
        ({"company": {"city": "Bonn", "decision_makers": "Ann; Bob, head of sales;"}},
         {"company.city": "Bonn", "company.decision_makers": ["Ann", "Bob, head of sales"]}),
        ({"dates": {"birthday": "1990-02-28"}}, {"dates.birthday": "1990-02-28"}),
        ({"bant": {"budget": 5, "need": True}}, {"bant.budget": 5, "bant.need": True}),
        ({"custom": {"plan": "pro\nplus", "sizes": ["S", 9, True]}},
         {"custom.plan": "pro\nplus", "custom.sizes": ["S", 9, True]}),
        ({"tags": ["a", " b ", "a", ""]}, {"tags": None, "tags.a": True, "tags.b": True}),
        ({"audiences": {"add": ["a"], "remove": ["b"]}}, {"audiences.a": True, "audiences.b": None}),
    ],
)  # fmt: skip
def test_a_value_is_written_in_one_way(given_: dict[str, Any], says: dict[str, Any]) -> None:
    assert dict(validated(given_).says) == says


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_says_nothing_and_null_takes_away(blank: str) -> None:
    assert validated({"city": blank, "company": {"name": blank}, "tags": {"add": [blank]}}).says == ()
    assert dict(validated({"city": None, "company": {"name": None}, "bant": None, "tags": None}).says) == {
        "city": None, "company.name": None, "bant": None, "tags": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "fault"),
    [
        ({"email": "ann"}, "lead.email: is no e-mail address: "),
        ({"email": "ann@example.org\nBcc: eve@example.org"},
         "lead.email: holds a line break or a control character: take it out"),
        ({"phone": "030 1234567"}, "lead.phone: is no phone number: write it with the country's code, such as +49 30 1234567"),
        ({"country": "Germany"}, "lead.country: is no country: write its two letters (ISO 3166), such as DE or US"),
        ({"language": "english!"}, "lead.language: is no language: write a tag such as en, ru or pt-BR"),
        ({"nps": 11}, "lead.nps: give a number from 0 to 10"),
        ({"nps": 9.5}, "lead.nps: give a whole number from 0 to 10"),
        ({"nps": True}, "lead.nps: give a number, not true or false"),
        ({"nps": "many"}, "lead.nps: 'many' is not a number"),
        ({"first_name": 7}, "lead.first_name: give a text, not a number"),
        ({"first_name": {}}, "lead.first_name: give a text, not an object"),
        ({"first_name": "x" * 201}, "lead.first_name: longer than 200 characters: shorten it"),
        ({"first_name": "a\u2028b"}, "lead.first_name: holds a line break or a control character: take it out"),
        ({"first_name": "\ud800"}, "lead.first_name: holds a line break or a control character: take it out"),
        ({"frist_name": "Ann"},
         "lead.frist_name: is no field of a lead: did you mean first_name?; a field of your own goes under custom"),
        ({"company": "Acme"}, 'lead.company: give its fields, such as {"name": …}'),
        ({"company": {"turnover": -1}}, "lead.company.turnover: give a number from 0 to 1e+15"),
        ({"company": {"nme": "Acme"}}, "lead.company.nme: is no field of a lead: did you mean name?"),
        ({"company": {"decision_makers": 7}}, "lead.company.decision_makers: give a list of at most 100 texts"),
        ({"dates": {"birthday": "28.2.1990"}}, "lead.dates.birthday: is no date: write it as 2026-01-31"),
        ({"custom": {"a b": 1}}, "lead.custom.a b: name it with letters, digits and _, at most 64, a letter first"),
        ({"custom": {"a": {}}}, "lead.custom.a: give a text, a number, true or false, or a list of them, not an object"),
        ({"custom": {"a": float("nan")}}, "lead.custom.a: give a number from -1e+15 to 1e+15"),
        ({"custom": {"a": "x" * 2001}}, "lead.custom.a: longer than 2000 characters: shorten it"),
        ({"custom": {"a": "\x00"}}, "lead.custom.a: holds a control character: take it out"),
        ({"custom": {"a": [1] * 101}}, "lead.custom.a: more than 100 values in one field: give fewer"),
        ({"custom": {f"a{n}": 1 for n in range(201)}}, "lead.custom: more than 200 fields: give fewer"),
        ({"tags": "a"}, 'lead.tags: give a list of at most 200 texts, or {"add": […], "remove": […]}'),
        ({"tags": {"ad": ["a"]}}, "lead.tags: 'ad' is not known here: give \"add\" and \"remove\""),
        ({"tags": [7]}, "lead.tags: give a text, not a number"),
    ],
)  # fmt: skip
def test_what_a_field_cannot_hold_is_refused_by_its_name_with_the_remedy(given_: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput) as refused:
        validated(given_)

    assert str(refused.value).startswith(fault)
    assert fault.startswith(f"{refused.value.field}: ")


def test_a_number_without_a_country_is_of_the_leads_country_or_else_of_the_region() -> None:
    assert dict(validated({"phone": "030 1234567"}, "DE").says) == {"phone": "+49301234567"}
    assert dict(validated({"phone": "020 7946 0000", "country": "GB"}, "DE").says)["phone"] == "+442079460000"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        validated({"first_name": 7, "city": "Berlin", "nps": 99, "company": {"turnover": "x"}})

    assert str(refused.value).split("; ") == [
        "lead.first_name: give a text, not a number",
        "lead.nps: give a number from 0 to 10",
        "lead.company.turnover: 'x' is not a number",
    ]


def test_an_unknown_zone_is_left_out_with_a_warning_for_the_sake_of_the_rest() -> None:
    patch = validated({"time_zone": "Mars", "city": "Berlin"})

    assert patch.says == (("city", "Berlin"),)
    assert patch.warnings == (
        'lead.time_zone: "Mars" was left out, it is not a time zone: write it as Europe/Berlin',
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("country",), "DE", None),
        (("country",), "de", "write DE"),
        (("email",), "Ann@example.org", "write ann@example.org"),
        (("time_zone",), "Mars", "is not a time zone: write it as Europe/Berlin"),
        (("nps",), "9", None),
        (("nps",), 12, "give a number from 0 to 10"),
        (("city",), None, None),
        (("city",), "", None),
        (("company", "turnover"), "1e6", None),
        (("custom", "sizes"), ("S", "M"), None),
        (("tags",), ("a", "b"), None),
        (("tags",), "a", 'give a list of at most 200 texts, or {"add": […], "remove": […]}'),
    ],
)
def test_what_a_field_can_never_hold_is_told_with_what_it_would(
    path: tuple[str, ...], value: object, why: str | None
) -> None:
    assert why_never(path, value) == why


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["DE", "en", "9", "+49301234567", "ann@example.org", "Europe/Berlin", "a", "name", "need"]),
    lambda some: st.lists(some, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "size", "need", "plan", "add", "remove"]) | st.text(max_size=4), some, max_size=3),
    max_leaves=5,
)  # fmt: skip
PATCHES = st.dictionaries(st.sampled_from([*FIELDS, *GROUPS, *LISTS]) | st.text(max_size=5), JUNK, max_size=4)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(patch=PATCHES)
def test_whatever_is_said_is_refused_as_bad_input_or_means_the_same_when_said_again(patch: dict[str, Any]) -> None:
    try:
        said = validated(patch).says
    except BadInput:
        return
    again = validated(tree_of(said)).says

    assert dict(again) == {path: value for path, value in said if path.partition(".")[0] not in LISTS}


def tree_of(says: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """What was said, as a patch says it, but for lists."""
    tree: dict[str, Any] = {}
    for path, value in says:
        group, _, name = path.partition(".")
        if name and group not in LISTS:
            tree.setdefault(group, {})[name] = value
        elif group not in LISTS:
            tree[group] = value
    return tree
