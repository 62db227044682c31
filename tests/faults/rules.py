"""What the sink does with whom: rules that the nemesis sets, the first that fits holds."""

import re
from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict

Stage = Literal["banner", "rcpt", "go-ahead", "content", "reply"]
"""Before the greeting; at RCPT; after DATA's 354; in the middle of the content; after the dot, before the reply."""


class Rule(BaseModel):
    """At that stage, for recipients that match `to`: wait `seconds`, then answer `reply`, reset, or go on.

    `held` waits until it is released instead. `taken` says whether a mail that comes to the dot counts as accepted
    before anything else happens. It holds `times` times for each recipient, for ever unless told.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    stage: Stage
    to: str = ".*"
    reply: str = ""
    seconds: float = 0
    held: bool = False
    reset: bool = False
    taken: bool = True
    times: int | None = None

    def fits(self, stage: Stage, recipient: str) -> bool:
        """Whether it speaks of that."""
        return stage == self.stage and re.fullmatch(self.to, recipient) is not None


class Rules:
    """The rules at hand, and how often each has held for whom."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._met: Counter[tuple[str, str]] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """How often each rule has held."""
        counts: Counter[str] = Counter()
        for (name, _), times in self._met.items():
            counts[name] += times
        return counts

    def put(self, rule: Rule) -> None:
        """Add it, in place of one of the same name."""
        self._rules[rule.name] = rule

    def drop(self, name: str) -> None:
        """Forget it."""
        self._rules.pop(name, None)

    def at(self, stage: Stage, recipient: str = "") -> Rule | None:
        """The rule that holds here, which is counted."""
        for rule in self._rules.values():
            met = rule.name, recipient
            if rule.fits(stage, recipient) and (rule.times is None or self._met[met] < rule.times):
                self._met[met] += 1
                return rule
        return None
