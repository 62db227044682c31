"""Bookkeeping steps: what they change in the tree of facts on a lead."""

from collections.abc import Mapping
from typing import Any

from nurture.steps import AddTo, Advance, AnyStep, NeedStep, RemoveFrom, SetField, Tag, Untag


def kept(tree: Mapping[str, Any], step: AnyStep) -> dict[str, Any]:
    """The lead's tree after the step; the tree given is left as it is. Steps that keep other books change nothing."""
    match step:
        case SetField(field=path, value=value):
            return _put(tree, path, list(value) if isinstance(value, tuple) else value)
        case Tag(tag=name):
            return _put(tree, ("tags",), _with(tree.get("tags"), name))
        case Untag(tag=name):
            return _put(tree, ("tags",), _without(tree.get("tags"), name))
        case AddTo(audience=name):
            return _put(tree, ("audiences",), _with(tree.get("audiences"), name))
        case RemoveFrom(audience=name):
            return _put(tree, ("audiences",), _without(tree.get("audiences"), name))
        case NeedStep(need=need):
            return _put(tree, ("needs", need.product), need.readiness)
        case Advance(stage=name):
            return _put(tree, ("stage",), name)
        case _:
            return dict(tree)


def _put(tree: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**tree, path[0]: value}
    below = tree.get(path[0])
    return {**tree, path[0]: _put(below if isinstance(below, Mapping) else {}, path[1:], value)}


def _with(names: list[str] | None, name: str) -> list[str]:
    return list(names or []) if name in (names or []) else [*(names or []), name]


def _without(names: list[str] | None, name: str) -> list[str]:
    return [one for one in names or [] if one != name]
