"""Scores as code: points for what a lead does and is, and thresholds that fire once a crossing."""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from nurture.facts import Facts, Happening
from nurture.triggers import On, Trigger, TriggerLike, trigger


class Rule(BaseModel):
    """Points for an event each time it comes (`at_most` times a lead), or for a condition as long as it is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: float
    trigger: Trigger
    at_most: int | None = None

    @cached_property
    def key(self) -> str:
        """What the rule is called in a score's story."""
        return self.trigger.words()


def gives(points: float, given: TriggerLike, *, at_most: int | None = None) -> Rule:
    """A rule: `gives(10, on("price_list_downloaded"))`, `gives(20, when(lead.job_title.contains("director")))`."""
    return Rule(points=points, trigger=trigger(given), at_most=at_most)


class Threshold(BaseModel):
    """Fires once when the score reaches `at`; armed again when it falls below `rearm` (half of `at` unless given)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    at: float
    rearm: float | None = None

    @property
    def lower(self) -> float:
        """Below this it is armed again."""
        return self.at / 2 if self.rearm is None else self.rearm


class Score(BaseModel):
    """A named score: its rules and thresholds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    rules: tuple[Rule, ...]
    thresholds: tuple[Threshold, ...] = ()
    title: str = ""


class Change(NamedTuple):
    """Points given or taken by one rule."""

    score: str
    rule: str
    points: float


class Crossing(NamedTuple):
    """What a change did to a threshold."""

    threshold: Threshold
    kind: Literal["reached", "rearmed"]


def changes_by_event(scores: Iterable[Score], happening: Happening, given: dict[tuple[str, str], int]) -> list[Change]:
    """The points one event brings; `given` counts how often each (score, rule) gave already."""
    return [
        Change(score.key, rule.key, rule.points)
        for score in scores
        for rule in score.rules
        if isinstance(rule.trigger, On)
        and rule.trigger.event.event == happening.name
        and rule.trigger.event.matches()(happening)
        and (rule.at_most is None or given.get((score.key, rule.key), 0) < rule.at_most)
    ]


def changes_by_profile(scores: Iterable[Score], facts: Facts, standing: dict[tuple[str, str], float]) -> list[Change]:
    """What the profile's rules change; `standing` are the points that each (score, rule) gives at present."""
    changes = []
    for score in scores:
        for rule in score.rules:
            if isinstance(rule.trigger, On):
                continue
            present = standing.get((score.key, rule.key), 0)
            wanted = rule.points if rule.trigger.condition.test(facts) else 0
            if wanted != present:
                changes.append(Change(score.key, rule.key, wanted - present))
    return changes


def crossings(score: Score, points: float, fired: frozenset[str]) -> list[Crossing]:
    """What `points` mean for the thresholds; `fired` are those that have fired and are not armed."""
    reached = [Crossing(one, "reached") for one in score.thresholds if one.key not in fired and points >= one.at]
    rearmed = [Crossing(one, "rearmed") for one in score.thresholds if one.key in fired and points < one.lower]
    return reached + rearmed
