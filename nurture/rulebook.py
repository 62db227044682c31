"""The rulebook: the scores by what sets them off."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nurture.scores import Change, Score, in_order
from nurture.triggers import On


class Ask(NamedTuple):
    """What one item may move: scores by event, scores by profile."""

    by_event: tuple[Score, ...]
    by_profile: tuple[Score, ...]
    recounted: bool = False
    """Whether the scores were counted anew before it: every threshold is looked at, whatever is given."""


NOTHING = Ask((), ())


class Rulebook:
    """The rules, by what sets them off; kept for the life of the process."""

    def __init__(self, scores: Mapping[str, Score]) -> None:
        self.scores = scores
        self.places = {score.key: at for at, score in enumerate(in_order(scores.values()))}
        on: dict[str, set[str]] = defaultdict(set)
        when: dict[str, set[str]] = defaultdict(set)
        self.watching: set[str] = set()
        self.names: dict[str, set[str]] = defaultdict(set)
        for score in scores.values():
            for rule in score.rules:
                if isinstance(rule.trigger, On):
                    on[rule.trigger.event.event].add(score.key)
                    continue
                self.watching.add(score.key)
                for key in rule.trigger.depends_on():
                    when[key].add(score.key)
                    if key.startswith("event."):
                        self.names[score.key].add(key.removeprefix("event."))
        self._on, self._when = dict(on), dict(when)

    def ask(
        self, event: str | None, changed: Iterable[str] = (), *, new_lead: bool = False, given: Iterable[Change] = ()
    ) -> Ask:
        """Which scores an event of that name, what else changed, or points `given` may move.

        A new lead is looked at by every rule on the profile.
        """
        by_event = self._on.get(event, set()) if event is not None else set()
        by_event = by_event | {change.score for change in given if change.score in self.scores}
        if new_lead:
            by_profile = self.watching
        else:
            keys = [*changed, *(f"score.{key}" for key in by_event)]
            if event is not None:
                keys.append(f"event.{event}")
            by_profile = self._moved(keys)
        if not by_event and not by_profile:
            return NOTHING
        return Ask(self._all(by_event), self._all(by_profile))

    def ask_all(self) -> Ask:
        """All scores, which were counted anew."""
        return Ask(self._all(set(self.scores)), self._all(self.watching), recounted=True)

    def events(self, score: Score) -> set[str]:
        """The names of the events that its rules hear or look at."""
        heard = {rule.trigger.event.event for rule in score.rules if isinstance(rule.trigger, On)}
        return heard | self.names.get(score.key, set())

    def _moved(self, keys: list[str]) -> set[str]:
        """The scores that look at one of the keys, and those that look at them."""
        found: set[str] = set()
        while keys:
            new = set().union(*(self._when.get(key, ()) for key in keys)) - found
            found |= new
            keys = [f"score.{key}" for key in new]
        return found

    def _all(self, keys: set[str]) -> tuple[Score, ...]:
        return tuple(self.scores[key] for key in sorted(keys, key=self.places.__getitem__))
