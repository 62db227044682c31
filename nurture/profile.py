"""The profile of a lead: one tree of plain values, how a patch changes it and how conditions look at it.

A patch says only what it names: a field left out, and a blank text, leave what is known as it is; null takes it away.
`company`, `bant` and `custom` are merged field by field. `tags` and `audiences` as a list replace the list; as
`{"add": […], "remove": […]}` they change it. What was said later holds, in whatever order it arrives: a patch is
given the time it speaks of, and loses to a newer one field by field (at the very same time, the greater value wins).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from nurture.deals import NO_ORDERS
from nurture.fields import BANT, GROUPS, LISTS, MOST_NAMES, Patch, Value


class Patched(NamedTuple):
    """A profile after a patch, the keys under which its changes are announced, when each path was last spoken of, and
    which paths found no room.
    """

    profile: dict[str, Any]
    changed: frozenset[str]
    written: dict[str, float]
    no_room: tuple[str, ...] = ()


def patched(
    profile: Mapping[str, Any], patch: Patch, written: Mapping[str, float] | None = None, at: float = 0.0
) -> Patched:
    """The profile after the patch, which speaks of the time `at` (seconds); `written` are the times of what is there.

    Without `written` the patch simply holds.
    """
    after, times, no_room = dict(profile), dict(written or {}), []
    for path, value in patch.says:
        if written is not None and _outdated(after, times, path, value, at):
            continue
        group, _, name = path.partition(".")
        if group not in LISTS and group not in GROUPS:
            _put(after, group, value)
        elif not name:
            _clear(after, group, times if written is not None else {}, at)
        elif not _change(after, group, name, value):
            no_room.append(path)
        times[path] = at
    groups = {path.partition(".")[0] for path, _ in patch.says}
    changed = frozenset(f"lead.{group}" for group in groups if after.get(group) != profile.get(group))
    return Patched(after, changed, times, tuple(no_room))


def _outdated(profile: Mapping[str, Any], times: Mapping[str, float], path: str, value: Value, at: float) -> bool:
    """Whether something newer was said of that path; at the very same time the greater value wins, whichever came first."""
    group, _, name = path.partition(".")
    if name and times.get(group, at) > at:
        return True
    known = times.get(path)
    if known is None or known < at:
        return False
    if known > at:
        return True
    if group in GROUPS or group in LISTS:
        return bool(name) and _rank(value) < _rank(_present(profile[group], name) if group in profile else None)
    return _rank(value) < _rank(profile.get(group))


def _rank(value: Any) -> tuple[int, str]:
    return (0, "") if value is None else (1, json.dumps(value))


def _present(held: Any, name: str) -> Any:
    return held.get(name) if isinstance(held, Mapping) else (True if name in held else None)


def _clear(profile: dict[str, Any], group: str, times: dict[str, float], at: float) -> None:
    """Empty the group but for what was said later; older times go too, since the group's own covers them."""
    late = {path.partition(".")[2] for path, time in times.items() if path.startswith(f"{group}.") and time >= at}
    for path in [path for path, time in times.items() if path.startswith(f"{group}.") and time < at]:
        del times[path]
    held = profile.get(group) or {}
    kept = {name: held[name] for name in held if name in late} if group in GROUPS else [n for n in held if n in late]
    _put(profile, group, kept or None)


def _change(profile: dict[str, Any], group: str, name: str, value: Value) -> bool:
    """Set one name of the group, or take it away; False when there is no room for it."""
    held = profile.get(group) or {}
    others = {one: held[one] for one in held if one != name} if group in GROUPS else dict.fromkeys(held)
    if value is None:
        others.pop(name, None)
    elif name not in held and len(held) >= MOST_NAMES:
        return False
    else:
        others[name] = value
    _put(profile, group, (others if group in GROUPS else list(others)) or None)
    return True


def _put(profile: dict[str, Any], field: str, value: Any) -> None:
    if value is None:
        profile.pop(field, None)
    else:
        profile[field] = value


def facts_tree(profile: Mapping[str, Any], stage: str, scores: Mapping[str, float]) -> dict[str, Any]:
    """The tree that conditions look at: the profile with the stage, the scores, whether BANT is complete, and the orders."""
    bant = profile.get("bant") or {}
    complete = all(bant.get(name) not in (None, "") for name in BANT)
    orders = profile.get("orders") or NO_ORDERS
    return {**profile, "stage": stage, "score": scores, "bant": {**bant, "complete": complete}, "orders": orders}


def address_hash(email: str) -> str:
    """What is kept of an address that takes no mail: equal for every way to write the same address."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def key_hash(kind: str, value: str) -> str:
    """What is kept of a key by which an erased lead was known."""
    return hashlib.sha256(f"{kind}:{value}".encode("utf-8", "surrogatepass")).hexdigest()
