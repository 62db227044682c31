"""A change: what happened to a lead, as those who listen for it see it."""

from dataclasses import dataclass

from nurture.facts import Happening


@dataclass(frozen=True, slots=True)
class Change:
    """An event, or something else that is announced by its keys alone; `cause` names it for ever."""

    lead_id: str
    keys: frozenset[str]
    cause: str
    event: Happening | None = None
