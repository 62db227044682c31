"""Scores as code: points for what a lead does and is, and thresholds that fire once a crossing."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from nurture.conditions import Is, Matches, leaves
from nurture.durations import Length, in_words
from nurture.facts import Facts, Happening, by_name
from nurture.fading import FINEST, Fade
from nurture.triggers import On, Trigger, TriggerLike, When, trigger

OURS = frozenset(
    {
        "message_sent", "message_delivered", "message_bounced", "score_reached", "stage_changed", "handed_over",
        "sales_accepted", "sales_rejected",
    }
)  # fmt: skip
"""Events that the lead has no part in: they give no points."""


class Rule(BaseModel):
    """Points for an event each time it comes (`at_most` times a lead, or in a period `per`), or for a condition as long
    as it is true.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: float
    trigger: Trigger
    at_most: int | None = None
    per: Length | None = None

    @cached_property
    def key(self) -> str:
        """What the rule is called in a score's story."""
        return self.trigger.words()

    def words(self) -> str:
        """The rule in words: `5 points on visit, at most 3 times within 7 days`."""
        period = f" within {in_words(self.per)}" if self.per is not None else ""
        cap = f", at most {self.at_most} times{period}" if self.at_most is not None else ""
        return f"{self.points:g} points {self.key}{cap}"

    def hears(self, happening: Happening) -> bool:
        """Whether the event is one that it gives points for: none of our own is."""
        heard = self.trigger
        if not isinstance(heard, On) or heard.event.event != happening.name or happening.name in OURS:
            return False
        return self._matches is None or self._matches(happening)

    @cached_property
    def _matches(self) -> Matches | None:
        """Whether the event passes the filters, if there are any."""
        return self.trigger.event.matches() if isinstance(self.trigger, On) and self.trigger.event.filters else None


def gives(points: float, given: TriggerLike, *, at_most: int | None = None, per: timedelta | None = None) -> Rule:
    """A rule: `gives(5, on("visit"), at_most=3, per=days(7))`, `gives(20, when(lead.job_title.contains("director")))`."""
    return Rule(points=points, trigger=trigger(given), at_most=at_most, per=per)


class Threshold(BaseModel):
    """Fires once when the score reaches `at`; armed again when it falls below `rearm` (half of `at` unless given).

    Leads that have reached it when it is first published fire it only with `backfill`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    at: float
    rearm: float | None = None
    backfill: bool = False

    @property
    def lower(self) -> float:
        """Below this it is armed again."""
        return self.at / 2 if self.rearm is None else self.rearm


class Score(BaseModel):
    """A named score: its rules and thresholds; with a `half_life`, half of all points are gone after it.

    In the `shadow` it is counted like any other, and its thresholds are noted without telling anybody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    rules: tuple[Rule, ...]
    thresholds: tuple[Threshold, ...] = ()
    half_life: Length | None = None
    title: str = ""
    shadow: bool = False

    @cached_property
    def version(self) -> str:
        """SHA-256 of its content, in hex."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """Its content as JSON; whether it is in the shadow is said about it, not by it."""
        return self.model_dump_json(exclude={"shadow"})

    @cached_property
    def builds_on(self) -> frozenset[str]:
        """The scores that its rules look at."""
        return frozenset(
            leaf.path[1]
            for rule in self.rules
            if isinstance(rule.trigger, When)
            for leaf in leaves(rule.trigger.condition)
            if isinstance(leaf, Is) and leaf.path[0] == "score"
        )

    def faded(self, points: float, dated: datetime, now: datetime) -> float:
        """What is left at `now` of points that date from `dated`."""
        if self.half_life is None:
            return points
        return Fade(points, dated.timestamp(), self.half_life.total_seconds()).left(now.timestamp())


class Change(NamedTuple):
    """Points given or taken by one rule; an event's date from when it happened, and name it as their cause.

    `back` are points that the cause had given, and gives no more.
    """

    score: str
    rule: str
    points: float
    dated: datetime | None = None
    cause: str | None = None
    back: bool = False


class Crossing(NamedTuple):
    """What a change did to a threshold."""

    threshold: Threshold
    kind: Literal["reached", "rearmed"]


class Stamp(NamedTuple):
    """The place of an event among those of its lead: by when it happened, then by its id."""

    dated: datetime
    cause: str


def stamp(happening: Happening) -> Stamp:
    """Its place; nothing happened after it was received, whatever a sender's clock says."""
    received = happening.received
    return Stamp(happening.at if received is None else min(happening.at, received), happening.id)


def has_room(rule: Rule, counted: Iterable[Stamp], one: Stamp) -> bool:
    """Whether the rule gives points for an event in that place, after those that it counted before."""
    if rule.at_most is None:
        return True
    within = [it for it in counted if rule.per is None or it.dated > one.dated - rule.per]
    return len(within) < rule.at_most


def counting(rule: Rule, happened: Iterable[Happening], before: Iterable[Stamp] = ()) -> list[Stamp]:
    """Of the events those that the rule gives points for, in the order in which they happened; `before` go before them."""
    counted = sorted(before)
    for one in sorted({stamp(event) for event in happened if rule.hears(event)}):
        recent = counted[-rule.at_most :] if rule.at_most else counted
        if has_room(rule, recent, one):
            counted.append(one)
    return counted


def in_order(scores: Iterable[Score]) -> list[Score]:
    """The scores, each after those that it builds on."""
    left = {score.key: score for score in sorted(scores, key=lambda score: score.key)}
    found: list[Score] = []
    while left:
        ready = [score for score in left.values() if not score.builds_on & (left.keys() - {score.key})]
        found += ready or left.values()  # a circle is refused by `nurture check`; met all the same, it ends
        left = {key: score for key, score in left.items() if score not in found}
    return found


def gifts(score: Score, happened: Iterable[Happening]) -> list[Change]:
    """The points that each event gives by the score's rules."""
    named = by_name(happened)
    return [
        Change(score.key, rule.key, rule.points, *place)
        for rule in score.rules
        if isinstance(rule.trigger, On)
        for place in counting(rule, named.get(rule.trigger.event.event, ()))
    ]


def fold(
    scores: Iterable[Score],
    happened: Iterable[Happening],
    profile: Mapping[str, object],
    now: datetime,
    granted: Iterable[Change] = (),
) -> dict[str, float]:
    """What the scores are at `now`, by what people did, what is known of the lead, and points given outright.

    This is the truth that every other way to count must arrive at.
    """
    events, outright = sorted(happened, key=lambda event: event.heard_at), list(granted)
    named = by_name(events)
    found: dict[str, float] = {}
    for score in in_order(scores):
        facts = Facts(now, {**profile, "score": found}, named)
        by_event = [*gifts(score, events), *(change for change in outright if change.score == score.key)]
        total = sum(score.faded(change.points, change.dated or now, now) for change in by_event)
        total += sum(change.points for change in changes_by_profile(score, facts, {}))
        found[score.key] = round(total, 6 if score.half_life is None else FINEST)
    return found


def changes_by_profile(score: Score, facts: Facts, standing: Mapping[tuple[str, str], float]) -> list[Change]:
    """What the score's rules on the profile change; `standing` are the points that each (score, rule) gives at present."""
    changes = []
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
