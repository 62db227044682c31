"""A retargeting list as code: the leads of an audience that may be shown advertising, and to which networks they go."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from nurture.retargeting.networks import NetworkName

OBJECTED = "objected"
"""The event by which a lead objects to whatever we do with what we know of it."""


class Retarget(BaseModel):
    """The leads of an audience, for advertising networks: only those that agreed to the topic, and nobody who left.

    Who buys leaves, unless `buyers` stay. With a `hook` additions and removals are sent there; without one there are files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    audience: str
    networks: tuple[NetworkName, ...]
    topic: str = "ads"
    buyers: Literal["leave", "stay"] = "leave"
    hook: str = ""


class Stance(NamedTuple):
    """What a lead that belongs to the audience says to advertising; `said` are its answers by topic, each with its time."""

    test: bool
    customer: bool
    suppressed: str | None
    said: Mapping[str, tuple[bool, datetime]]
    objected: datetime | None


def why_not(retarget: Retarget, stance: Stance) -> str | None:
    """Why the lead is not on the list; None when it is.

    A yes to everything, or to another topic, is no yes to being handed to advertisers; a no to everything is a no.
    """
    granted, at = stance.said.get(retarget.topic, (False, None))
    everything, _ = stance.said.get("*", (True, None))
    if stance.test:
        return "a test lead"
    if stance.suppressed is not None:
        return f"the address is suppressed: {stance.suppressed}"
    if not everything:
        return "it wants nothing from us"
    if at is None:
        return f"no consent to {retarget.topic}"
    if not granted:
        return f"unsubscribed from {retarget.topic}"
    if stance.objected is not None and stance.objected >= at:
        return "it objected"
    return "it bought" if stance.customer and retarget.buyers == "leave" else None
