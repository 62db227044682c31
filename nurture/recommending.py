"""Recommending: whether a friend that came by a lead's share code counts as brought by it, or why not."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})
LONGEST_CHAIN = 100


@dataclass(frozen=True)
class Friend:
    """Who came: the lead, whether it was known before, its profile, and whose device it came with, if that is known."""

    lead_id: str
    known_before: bool
    profile: Mapping[str, Any]
    device_of: str | None = None


@dataclass(frozen=True)
class Referrer:
    """Whose code it was, its profile, and by whom it came itself, and they in turn (`brought_by`, the nearest first)."""

    lead_id: str
    profile: Mapping[str, Any]
    brought_by: Collection[str] = ()


def refusal(friend: Friend, referrer: Referrer) -> str:
    """Why the friend is not attributed to the referrer; empty when it is."""
    if friend.lead_id == referrer.lead_id:
        return "it is the very person who recommends"
    if friend.lead_id in referrer.brought_by:
        return "it brought the one who recommends it"
    if friend.device_of == referrer.lead_id:
        return "it came from the device of the one who recommends it"
    if shared := household(friend.profile, referrer.profile):
        return f"it has the {shared} of the one who recommends it"
    if friend.known_before:
        return "it was known before"
    return ""


def household(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What two profiles share that people of one household do; empty when there is nothing."""
    for name, plain in (("email", mailbox), ("phone", str), ("address", address)):
        ours, theirs = _known(one, name), _known(other, name)
        if ours and theirs and plain(ours) == plain(theirs):
            return "mailbox" if name == "email" else name
    return ""


def _known(profile: Mapping[str, Any], name: str) -> str:
    held = (profile.get("custom") or {}).get(name) if name == "address" else profile.get(name)
    return held if isinstance(held, str) else ""


def mailbox(email: str) -> str:
    """Where mail to the address ends up, as far as it shows: without what stands after +, and dots where they mean nothing."""
    local, _, domain = email.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in DOTS_MEAN_NOTHING else local}@{domain}"


def address(text: str) -> str:
    """An address without what people write differently: case, signs and spaces."""
    return re.sub(r"\W+", " ", text.casefold()).strip()
