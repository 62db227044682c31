"""The tally: how one lead stands with the scores, kept from event to event; what `scores.fold` arrives at all at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from nurture.facts import Facts, Happening, by_name
from nurture.fading import FINEST, Fade, points_now
from nurture.rulebook import Ask
from nurture.scores import (
    Change,
    Rule,
    Score,
    Stamp,
    Threshold,
    changes_by_profile,
    counting,
    crossings,
    has_room,
    stamp,
)

RuleKey: TypeAlias = tuple[str, str]
Earlier: TypeAlias = Callable[[str], Iterable[Happening]]
"""By a name, the lead's events that go by it, up to and with the one at hand."""

Tree: TypeAlias = Callable[[Mapping[str, float]], Mapping[str, Any]]
"""By the scores, what conditions look at."""


class Fired(NamedTuple):
    """The last time a threshold fired for a lead; not armed until it is re-armed."""

    n: int
    armed: bool


class Crossed(NamedTuple):
    """A threshold that a score reached (`reached`, for the n-th time), or below which it is armed again."""

    score: str
    threshold: Threshold
    reached: bool
    n: int
    points: float


class Taken(NamedTuple):
    """What one event or piece of news did to the scores."""

    changes: tuple[Change, ...] = ()
    crossed: tuple[Crossed, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The keys under which the changes are announced."""
        return sorted({f"score.{change.score}" for change in self.changes})

    @property
    def reached(self) -> tuple[Crossed, ...]:
        """The thresholds that fired."""
        return tuple(one for one in self.crossed if one.reached)


@dataclass(slots=True)
class Tally:
    """What the rules in play gave so far: the events that those with a cap counted, and the points that facts give.

    `scores` are as they were when they last changed, `fading` what fades of them (see `nurture.fading`).
    """

    scores: dict[str, float] = field(default_factory=dict)
    fading: dict[str, Sequence[float]] = field(default_factory=dict)
    counted: dict[RuleKey, list[Stamp]] = field(default_factory=dict)
    standing: dict[RuleKey, float] = field(default_factory=dict)
    fired: dict[RuleKey, Fired] = field(default_factory=dict)

    def take(
        self,
        ask: Ask,
        event: Happening | None,
        at: datetime,
        tree: Tree,
        earlier: Earlier,
        watched: Iterable[Happening],
        given: Sequence[Change] = (),
    ) -> Taken:
        """Give what the event, received `at`, and what is known by then bring; and the points `given` outright.

        `watched` are the events that rules on the profile look at.
        """
        known = {score.key: score for score in (*ask.by_event, *ask.by_profile)}
        crossed = [one for score in known.values() for one in self._cross(score, at, reaching=False)]
        changes = [change._replace(dated=change.dated or at) for change in given]
        if event is not None:
            changes += [change for score in ask.by_event for change in self._by_event(score, event, earlier)]
        for change in changes:
            self._add(change, known.get(change.score), at)
        happened = by_name(watched) if ask.by_profile else {}
        for score in ask.by_profile:
            facts = Facts(at, tree(points_now(self.scores, self.fading, at)), happened)
            for change in changes_by_profile(score, facts, self.standing):
                rule = change.score, change.rule
                self.standing[rule] = round(self.standing.get(rule, 0) + change.points, 6)
                changes.append(change._replace(dated=at))
                self._add(changes[-1], score, at)
        moved = known.keys() if ask.recounted else {change.score for change in changes}
        crossed += [
            one for score in known.values() if score.key in moved for one in self._cross(score, at, reaching=True)
        ]
        return Taken(tuple(changes), tuple(crossed))

    def stand(self, key: str, points: float, score: Score | None, at: datetime) -> None:
        """Have the score stand at those points."""
        present = points_now(self.scores, self.fading, at).get(key, 0)
        self._add(Change(key, "", points - present), score, at)

    def _by_event(self, score: Score, event: Happening, earlier: Earlier) -> list[Change]:
        """What the event changes; one that comes late may take the points of others, or bring them some."""
        changes: list[Change] = []
        for rule in score.rules:
            if not rule.hears(event):
                continue
            place, counted = stamp(event), self.counted.get((score.key, rule.key), [])
            if rule.at_most is not None and counted and max(counted) > place:
                changes += self._late(score, rule, place, earlier(event.name))
            elif has_room(rule, counted, place):
                changes.append(Change(score.key, rule.key, rule.points, *place))
                if rule.at_most is not None:
                    self.counted[score.key, rule.key] = [*counted, place]
        return changes

    def _late(self, score: Score, rule: Rule, place: Stamp, happened: Iterable[Happening]) -> list[Change]:
        """From the late event on, the rule's events are counted anew."""
        counted = self.counted[score.key, rule.key]
        before, after = [one for one in counted if one < place], {one for one in counted if one >= place}
        wanted = counting(rule, (one for one in happened if stamp(one) >= place), before)
        self.counted[score.key, rule.key] = wanted
        new = set(wanted[len(before) :])
        taken = [Change(score.key, rule.key, -rule.points, *one, back=True) for one in sorted(after - new)]
        return taken + [Change(score.key, rule.key, rule.points, *one) for one in sorted(new - after)]

    def _add(self, change: Change, score: Score | None, at: datetime) -> None:
        """The points to their score; without a half-life rounded, so that the order in which they come is nothing to the sum."""
        key, now = change.score, at.timestamp()
        if score is None or score.half_life is None:
            present = points_now(self.scores, {key: self.fading.pop(key)}, at) if key in self.fading else self.scores
            self.scores[key] = round(present.get(key, 0) + change.points, 6)
            return
        half_life = score.half_life.total_seconds()
        fade = Fade(*self.fading.get(key, (self.scores.get(key, 0), now, half_life)))
        if fade.half_life != half_life:
            fade = Fade(fade.left(now), now, half_life)
        fade = fade.plus(change.points, (change.dated or at).timestamp(), now)
        self.fading[key], self.scores[key] = list(fade), round(fade.points, FINEST)

    def _cross(self, score: Score, at: datetime, *, reaching: bool) -> list[Crossed]:
        """The thresholds passed by now; what a score has lost by time alone, it lost before it is `reaching` for more."""
        if not score.thresholds:
            return []
        points = points_now(self.scores, self.fading, at).get(score.key, 0)
        fired = frozenset(name for (key, name), one in self.fired.items() if key == score.key and not one.armed)
        found: list[Crossed] = []
        for threshold, kind in crossings(score, points, fired):
            if kind == "reached" and not reaching:
                continue
            which = score.key, threshold.key
            n = self.fired.get(which, Fired(0, armed=True)).n + (kind == "reached")
            self.fired[which] = Fired(n, armed=kind == "rearmed")
            found.append(Crossed(score.key, threshold, kind == "reached", n, points))
        return found
