"""Audiences as code: a named set of leads, by a condition or kept by hand."""

from pydantic import BaseModel, ConfigDict

from nurture.conditions import AnyCondition


class Audience(BaseModel):
    """Leads for which `who` is true; without it, those put on its list by `add_to`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    who: AnyCondition | None = None
    title: str = ""
