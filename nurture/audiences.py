"""Audiences as code: a named set of leads, by a condition or kept by hand."""

from pydantic import BaseModel, ConfigDict

from nurture.conditions import AnyCondition, Condition, Is


class Audience(BaseModel):
    """Leads for which `who` is true; without it, those put on its list by `add_to`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    who: AnyCondition | None = None
    title: str = ""

    @property
    def condition(self) -> Condition:
        """What is true of its leads."""
        return Is(path=("audiences",), op="has", value=self.key) if self.who is None else self.who
