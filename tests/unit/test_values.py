"""Plain values: which are the same, which comes first, and how they read in a sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.values import COMPARE, Operator, compared, in_text, is_known, reader, same

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.integers().map(str)
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("DE", "DE"),
        (1, 1.0),
        ("70", 70),
        ("70.0", 70),
        (" 7 ", 7),
        (9007199254740993, "9007199254740993"),
        (True, True),
        (None, None),
    ],
)
def test_foreign_data_is_forgiven_how_it_writes_a_number(left: object, right: object) -> None:
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        ("true", True),
        ("yes", True),
        (None, ""),
        (None, 0),
        (None, False),
        ("de", "DE"),
        ("a", "a "),
        ("7x", 7),
        ("", 0),
        (9007199254740993, "9007199254740992"),
        (["a"], "a"),
        ({}, "a"),
    ],
)
def test_everything_else_is_taken_at_its_word(left: object, right: object) -> None:
    assert not same(left, right)
    assert not same(right, left)


@given(SCALARS, SCALARS)
def test_being_the_same_works_both_ways(left: object, right: object) -> None:
    assert same(left, right) == same(right, left)


@pytest.mark.parametrize(
    ("value", "op", "wanted", "expected"),
    [
        (70, ">=", 70, True),
        (69, ">=", 70, False),
        (70, ">", 70, False),
        (70, "<=", 70, True),
        (70, "<", 70, False),
        ("70", ">=", 70, True),
        ("9", "<", 10, True),
        ("2026-01-05", "<", "2026-01-31", True),
        ("many", ">=", 70, False),
        ("many", "<", 70, False),
        (70, ">=", "2026-01-31", False),
        (True, ">=", 1, False),
        (7, ">=", True, False),
        (None, "<", 70, False),
        ([70], ">=", 70, False),
        ({}, "<", 70, False),
        ("DE", "in", ("FR", "DE"), True),
        ("2", "in", (1, 2), True),
        (True, "in", (1, 2), False),
        (None, "in", ("FR", "DE"), False),
        (["a", "b"], "has", "a", True),
        ([1, 2], "has", "2", True),
        ([True], "has", 1, False),
        (["ab"], "has", "a", False),
        ("ab", "has", "a", False),
        (None, "has", "a", False),
        ("Head of Marketing", "contains", "marketing", True),
        ("STRASSE", "contains", "straße", True),
        ("Head of Sales", "contains", "marketing", False),
        (["marketing"], "contains", "marketing", False),
        (5, "contains", "5", False),
        (None, "contains", "marketing", False),
        (None, "!=", "DE", True),
        ("DE", "!=", "DE", False),
    ],
)
def test_what_cannot_be_compared_is_not_true_rather_than_a_fault(
    value: Any, op: Operator, wanted: Any, expected: bool
) -> None:
    assert COMPARE[op](value, wanted) is expected


@pytest.mark.parametrize(
    ("value", "known"),
    [(0, True), (False, True), ("x", True), (["x"], True), (None, False), ("", False), ([], False), ({}, False)],
)
def test_what_is_empty_is_not_known(value: object, known: bool) -> None:
    assert is_known(value) is known
    assert COMPARE["is set"](value, known)


@pytest.mark.parametrize("tree", [{}, {"order": None}, {"order": 7}, {"order": []}, {"order": {"other": 1}}])
def test_what_is_missing_on_the_way_is_nothing(tree: dict[str, object]) -> None:
    assert reader(("order", "total"))(tree) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_000_000, "1,000,000"),
        (9999, "9999"),
        (2.0, "2"),
        (2.5, "2.5"),
        (12345.5, "12,345.5"),
        (True, "yes"),
        (False, "no"),
        (None, "unknown"),
        (("DE", 2, True), "DE, 2, yes"),
        ("pro", "pro"),
    ],
)
def test_a_value_reads_as_in_a_sentence(value: object, text: str) -> None:
    assert in_text(value) == text


def test_unknown_is_said_of_a_value_that_is_nothing() -> None:
    words = [compared("city", "==", None), compared("city", "!=", None), compared("city", "is set", True, negated=True)]

    assert words == ["city is unknown", "city is known", "city is unknown"]
