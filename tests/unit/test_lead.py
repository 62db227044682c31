"""`lead`: the fields a condition is built with, and what is said of those that there are not."""

from collections.abc import Callable
from typing import Any

import pytest

from nurture import lead, prop
from nurture.arrivals import Arrival
from nurture.conditions import Condition
from nurture.fields import BANT, DERIVED, FIELDS, GROUPS, LISTS
from nurture.lead import OwnField, field_at, field_names
from nurture.message_variables import COMPANY


@pytest.mark.parametrize(
    ("field", "path", "holds"),
    [
        (lead.country, ("country",), "text"),
        (lead.nps, ("nps",), "number"),
        (lead.tags, ("tags",), "list"),
        (lead.company.turnover, ("company", "turnover"), "number"),
        (lead.bant.need, ("bant", "need"), "anything"),
        (lead.score("fit"), ("score", "fit"), "number"),
        (lead.custom("plan"), ("custom", "plan"), "anything"),
    ],
)
def test_a_field_knows_where_it_stands_and_what_it_holds(field: Any, path: tuple[str, ...], holds: str) -> None:
    found = field_at(path)

    assert field.path == path
    assert found is not None
    assert (type(found), found.path, found.holds) == (type(field), path, holds)


@pytest.mark.parametrize(
    ("field", "written"),
    [
        (lead.country, "lead.country"),
        (lead.company.name, "lead.company.name"),
        (lead.score("fit"), 'lead.score("fit")'),
        (lead.custom("plan"), 'lead.custom("plan")'),
        (prop("order.total"), "order.total"),
    ],
)
def test_a_field_reads_as_it_is_written(field: Any, written: str) -> None:
    assert str(field) == repr(field) == written


@pytest.mark.parametrize(
    "path", [("contry",), ("company",), ("company", "nme"), ("bant", "x"), ("score",), ("a", "b", "c"), ()]
)
def test_there_is_no_field_where_there_is_none(path: tuple[str, ...]) -> None:
    assert field_at(path) is None


def test_every_field_a_profile_may_hold_can_be_asked_for() -> None:
    held = {*FIELDS, *LISTS, *(f"company.{name}" for name in COMPANY), *(f"bant.{name}" for name in BANT)}

    touches = {f"{touch}.{word}" for touch in ("first_touch", "last_touch") for word in Arrival.model_fields}
    derived = {name for name in field_names() if name.partition(".")[0] in DERIVED}
    assert set(field_names()) == held | touches | derived | {"stage", "bant.complete"}
    assert {name.partition(".")[0] for name in derived} == DERIVED - {"needs"}  # which have names of their own
    assert [type(field_at((group, "x"))) for group in GROUPS if group == "custom"] == [OwnField]


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        (lambda: lead.contry, r'did you mean lead\.country\? \(a field of your own is lead\.custom\("contry"\)\)'),
        (lambda: lead.company.turnovr, r"did you mean lead\.company\.turnover\?$"),
        (lambda: lead.bant.qqq, r"known are budget, authority, need, timing, complete$"),
    ],
)
def test_a_field_mistyped_is_put_right(asked: Callable[[], object], remedy: str) -> None:
    with pytest.raises(AttributeError, match=remedy):
        asked()


def test_a_comparison_makes_a_condition_of_a_lead_and_a_filter_of_an_event() -> None:
    assert isinstance(lead.nps >= 9, Condition)
    assert (prop("order.total") >= 9).path == ("order", "total")


@pytest.mark.parametrize("value", [[1], {"a": 1}, object(), lead.nps, ("a", ["b"])])
def test_a_field_is_compared_with_plain_values_only(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^lead\.nps == .*: a field is compared with a text, a number, True or False"):
        _ = lead.nps == value


def test_a_field_is_no_key_since_being_equal_means_something_else() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        {lead.country}  # noqa: B018


def test_what_was_bought_and_is_needed_is_asked_for_by_currency_and_product() -> None:
    assert (lead.orders.total("EUR") >= 100).words() == "total of orders in EUR is at least 100"
    assert (lead.orders.count >= 2).words() == "number of orders is at least 2"
    assert lead.needs.ready("kit").words() == "readiness for kit is at least 70"
    assert (lead.customer.words(), (~lead.customer).words()) == ("a customer", "not a customer")
    assert (lead.orders.total("EUR") >= 1).depends_on() | lead.customer.depends_on() == {"lead.orders", "lead.customer"}
