"""Sales-ready definitions as code: which leads are handed to sales, and what the facts were."""

from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from nurture.conditions import AnyCondition, leaves
from nurture.facts import Facts


class Definition(BaseModel):
    """Who is ready for sales: a condition over profile, behaviour and scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    ready: AnyCondition
    title: str = ""

    @property
    def version(self) -> str:
        """The name of what it says now, made of its content."""
        return sha256(self.model_dump_json(exclude={"title"}).encode()).hexdigest()[:12]

    def matched(self, facts: Facts) -> dict[str, bool]:
        """Every simple condition of the definition in words, and whether it holds."""
        return {one.words(): one.test(facts) for one in leaves(self.ready)}
