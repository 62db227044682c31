"""Sales-ready definitions as code: which leads are handed to sales, and what the facts were."""

import hashlib
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from nurture.conditions import AnyCondition, Happened, leaves
from nurture.facts import Facts
from nurture.values import in_text, reader

SIDES = ("marketing", "sales")
"""Who agrees to a definition."""

NO_CONTENT = {"agreed_by", "shadow"}
"""What is said about a definition, not by it: to sign it makes it no other."""


class Definition(BaseModel):
    """Who is ready for sales: a condition over profile, behaviour and scores.

    `agreed_by` are the sign-offs, `("marketing: Ann Example", "sales: Bo Example")`; in the `shadow` it is noted who
    would be handed over, and nobody is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    ready: AnyCondition
    title: str = ""
    agreed_by: tuple[str, ...] = ()
    shadow: bool = False

    @cached_property
    def version(self) -> str:
        """SHA-256 of its content, in hex."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """Its content as JSON."""
        return self.model_dump_json(exclude=NO_CONTENT)

    @property
    def signed_by(self) -> dict[str, str]:
        """Who agreed to it in the code, by side."""
        return {side.strip(): name.strip() for side, _, name in (one.partition(":") for one in self.agreed_by)}

    def matched(self, facts: Facts) -> list[dict[str, Any]]:
        """Every simple condition of the definition in words, whether it holds, and the value that it met."""
        return [
            {"words": one.words(), "holds": one.test(facts), "value": in_text(_met(one, facts))}
            for one in leaves(self.ready)
        ]


def _met(condition: Any, facts: Facts) -> Any:
    """What a simple condition finds: a field's value, or how often it happened."""
    if isinstance(condition, Happened):
        matches = condition.matches()
        return sum(map(matches, facts.events(condition.event, condition.period)))
    return reader(condition.path)(facts.lead)
