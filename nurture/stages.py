"""Stages: the life cycle of a lead, which way a change of stage goes, and other views of the same stages."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["on", "skipping", "back"]

STAGES = ("need", "interest", "visit", "learn", "return", "buy", "repeat", "promoter")
"""The stages of a lead's life cycle, in order."""

VIEWS: Mapping[str, Mapping[str, str]] = {
    "life-cycle": {stage: stage for stage in STAGES},
    "attraction": {
        "need": "attraction",
        "interest": "attraction",
        "visit": "identification",
        "learn": "scoring",
        "return": "nurturing",
        "buy": "client",
        "repeat": "client",
        "promoter": "client",
    },
    "awareness": {
        "need": "awareness",
        "interest": "awareness",
        "visit": "evaluation",
        "learn": "evaluation",
        "return": "deal",
        "buy": "deal",
        "repeat": "loyalty",
        "promoter": "loyalty",
    },
    "lead": {
        "need": "Lead Generation",
        "interest": "Lead Generation",
        "visit": "Lead Generation",
        "learn": "Lead Development",
        "return": "Lead Conversion",
        "buy": "Account Management",
        "repeat": "Account Management",
        "promoter": "Account Management",
    },
}
"""Other names for the same road, by view: which of its stages each of ours belongs to."""


def way(from_stage: str, to_stage: str) -> Way:
    """Whether a change goes to the next stage, skips some, or goes back."""
    by = STAGES.index(to_stage) - STAGES.index(from_stage)
    return "back" if by < 0 else "on" if by == 1 else "skipping"


def stages_of(view: str) -> tuple[str, ...]:
    """The stages of a view, in order."""
    return tuple(dict.fromkeys(VIEWS[view][stage] for stage in STAGES))


def further(stage: str, other: str) -> str:
    """The one of the two that is further on."""
    return max(stage, other, key=STAGES.index)


def bought(stage: str, *, again: bool) -> str:
    """The stage after a paid order, the lead's first or another; nobody who is further goes back."""
    return further(stage, "repeat" if again else "buy")
