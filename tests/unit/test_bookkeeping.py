"""Bookkeeping: what a step changes in what is known of a lead."""

from typing import Any

import pytest

from nurture import add_points, add_to, advance, lead, remove_from, set_field, subscribe, tag, untag
from nurture.bookkeeping import kept
from nurture.steps import Step

KNOWN = {"stage": "need", "tags": ["a"], "audiences": ["x"], "company": {"name": "Acme", "size": 9}}


@pytest.mark.parametrize(
    ("step", "changed"),
    [
        pytest.param(set_field(lead.country, "DE"), {"country": "DE"}, id="a field"),
        pytest.param(set_field(lead.company.size, 10), {"company": {"name": "Acme", "size": 10}}, id="in a group"),
        pytest.param(set_field(lead.custom("plan"), "pro"), {"custom": {"plan": "pro"}}, id="in a new group"),
        pytest.param(set_field(lead.tags, ("b", "c")), {"tags": ["b", "c"]}, id="a list"),
        pytest.param(tag("b"), {"tags": ["a", "b"]}, id="a tag"),
        pytest.param(tag("a"), {}, id="a tag it has"),
        pytest.param(untag("a"), {"tags": []}, id="no tag"),
        pytest.param(untag("b"), {}, id="no tag it never had"),
        pytest.param(add_to("y"), {"audiences": ["x", "y"]}, id="an audience"),
        pytest.param(remove_from("x"), {"audiences": []}, id="out of an audience"),
        pytest.param(advance("buy"), {"stage": "buy"}, id="a stage"),
        pytest.param(subscribe("news"), {}, id="a consent is kept in other books"),
        pytest.param(add_points(5, score="interest"), {}, id="points are kept in other books"),
    ],
)
def test_a_step_changes_what_it_names_and_nothing_else(step: Any, changed: dict[str, Any]) -> None:
    assert kept(KNOWN, step) == {**KNOWN, **changed}


@pytest.mark.parametrize("step", [tag("a"), add_to("a"), set_field(lead.company.name, "Acme"), untag("a")])
def test_a_lead_of_whom_nothing_is_known_can_be_kept_books_on(step: Any) -> None:
    assert kept(kept({}, step), step) == kept({}, step)


def test_the_tree_given_is_left_as_it_is() -> None:
    before: dict[str, Any] = {"company": {"size": 9}, "tags": ["a"]}
    step: Any = set_field(lead.company.size, 10)

    assert kept(before, step) != before == {"company": {"size": 9}, "tags": ["a"]}
    assert isinstance(step, Step)
