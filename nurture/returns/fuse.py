"""A campaign's fuse: how many complaints and bounces are too many, and what is done then."""

from datetime import timedelta
from math import ceil
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(gt=0, le=1)]


class Limit(BaseModel):
    """The share of messages from which on one is warned, and the campaign pauses; not by fewer than `at_least` reports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warn: Share
    pause: Share
    at_least: int = Field(ge=1)

    @model_validator(mode="after")
    def _warns_first(self) -> "Limit":
        if self.warn > self.pause:
            raise ValueError("warn is above pause: a warning comes before")
        return self


class Fuses(BaseModel):
    """The limits of every campaign and mailing, for the messages handed over in the time `over`; None for no limit.

    `team` is told when one warns or blows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    complaints: Limit | None = Limit(warn=0.001, pause=0.003, at_least=3)
    bounces: Limit | None = Limit(warn=0.02, pause=0.05, at_least=10)
    over: timedelta = timedelta(days=7)
    team: str = "marketing"


class CameBack(NamedTuple):
    """So many messages of one campaign were complained about, and came back for good."""

    complained: int
    bounced: int


class Verdict(NamedTuple):
    """What is done about a campaign, and why."""

    act: Literal["warn", "pause"]
    reason: str


def messages_in_question(fuses: Fuses, back: CameBack) -> int:
    """How many messages are to be counted at the most: where there are more, all is well. None when all is well anyway."""
    return max((ceil(number / limit.warn) for limit, number, _ in _reached(fuses, back)), default=0)


def verdict(fuses: Fuses, back: CameBack, sent: int) -> Verdict | None:
    """What is to be done, of so many messages; None when all is well."""
    found = [
        Verdict("pause" if number >= limit.pause * sent else "warn", _reason(limit, number, sent, what))
        for limit, number, what in _reached(fuses, back)
        if sent and number >= limit.warn * sent
    ]
    return min(found, key=lambda one: one.act != "pause", default=None)


def _reached(fuses: Fuses, back: CameBack) -> list[tuple[Limit, int, str]]:
    both = ((fuses.complaints, back.complained, "were complained about"), (fuses.bounces, back.bounced, "came back"))
    return [(limit, number, what) for limit, number, what in both if limit is not None and number >= limit.at_least]


def _reason(limit: Limit, number: int, sent: int, what: str) -> str:
    allowed = limit.pause if number >= limit.pause * sent else limit.warn
    return f"{number / sent:.2%} of {sent:,} messages {what}; the limit is {allowed:.2%}"
