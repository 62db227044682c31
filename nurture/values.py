"""Plain values: how the ones of a lead or an event compare with the ones in a campaign, and how they read in a sentence.

Foreign data is forgiving about numbers: a form sends `"70"`, a shop `70.0`, and both are 70. It is not forgiving about
truth: only true is true.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

Scalar: TypeAlias = str | int | Annotated[float, Field(allow_inf_nan=False)] | bool
Plain: TypeAlias = Scalar | tuple[Scalar, ...] | None
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "has", "contains", "is set"]
Compare: TypeAlias = Callable[[Any, Any], bool]
Read: TypeAlias = Callable[[Mapping[str, Any]], Any]

LONGEST_KEY = 200

WORDS: dict[str, tuple[str, str]] = {
    "==": ("is", "is not"),
    "!=": ("is not", "is"),
    "<": ("is below", "is not below"),
    "<=": ("is at most", "is not at most"),
    ">": ("is above", "is not above"),
    ">=": ("is at least", "is not at least"),
    "in": ("is one of", "is none of"),
    "has": ("include", "do not include"),
    "contains": ("contains", "does not contain"),
}
"""Each operator in words, and its opposite (\"is not below 9\" rather than \"is at least 9\": it may be unknown)."""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_number(text: str) -> int | float | None:
    for kind in (int, float):  # a whole number that is longer than a float's digits stays what it is
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def same(left: object, right: object) -> bool:
    """Whether they are equal as foreign data means it: `1`, `1.0` and `"1"` are the same, true is not 1."""
    if type(left) is type(right):  # the usual case, at a third of the cost
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) and _number(right):
        return _as_number(left) == right
    if isinstance(right, str) and _number(left):
        return _as_number(right) == left
    return left == right


def _ordered(compare: Compare) -> Compare:
    def test(value: object, wanted: Any) -> bool:
        if isinstance(value, str) and not isinstance(wanted, str):
            value = _as_number(value)
        if value is None or isinstance(value, bool) or isinstance(wanted, bool):
            return False
        try:
            return compare(value, wanted)
        except TypeError:
            return False

    return test


def _one_of(value: object, wanted: Iterable[object]) -> bool:
    for one in wanted:  # noqa: SIM110  # twice as fast as any(…)
        if same(value, one):
            return True
    return False


def _has(value: object, wanted: object) -> bool:
    return isinstance(value, list | tuple) and _one_of(wanted, value)


def _contains(value: object, wanted: str) -> bool:
    return isinstance(value, str) and wanted.casefold() in value.casefold()


def is_known(value: object) -> bool:
    """Whether there is a value at all: neither nothing nor something empty."""
    return value not in (None, "", [], (), {})


COMPARE: dict[str, Compare] = {
    "==": same,
    "!=": lambda value, wanted: not same(value, wanted),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _one_of,
    "has": _has,
    "contains": _contains,
    "is set": lambda value, wanted: is_known(value) is wanted,
}


def as_key(value: object) -> str | None:
    """A key's value as canonical text: 1, 1.0 and "1" are one key; None for what can be no key."""
    match value:
        case bool():
            text = str(value).lower()
        case int():
            text = str(value)
        case float():
            text = str(int(value)) if value.is_integer() else repr(value) if isfinite(value) else ""
        case str():
            text = value.strip()
        case _:
            return None
    return text if 0 < len(text) <= LONGEST_KEY else None


def reader(path: tuple[str, ...]) -> Read:
    """A function that follows `path` through nested mappings; what is missing on the way is None."""
    if len(path) == 1:
        (name,) = path
        return lambda tree: tree.get(name)

    def read(tree: Any) -> Any:
        for name in path:
            tree = tree.get(name) if isinstance(tree, dict) else None
        return tree

    return read


def in_text(value: object) -> str:
    """A value as it stands in a sentence: 1,000,000, `pro`, yes, unknown."""
    match value:
        case tuple() | list():
            return ", ".join(in_text(one) for one in value)
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return in_text(int(value))
        case int() | float():
            return f"{value:,}" if abs(value) >= 10_000 else str(value)
        case _:
            return str(value)


def compared(name: str, op: Operator, value: Plain, *, negated: bool = False) -> str:
    """A comparison in words: `country is DE`, `turnover is at least 1,000,000`, `job title is known`."""
    if op == "is set" or (value is None and op in ("==", "!=")):
        known = (value is True) if op == "is set" else op == "!="
        return f"{name} is {'known' if known is not negated else 'unknown'}"
    return f"{name} {WORDS[op][negated]} {in_text(value)}"
