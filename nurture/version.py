"""A version: a campaign frozen as data and named by the hash of its content; a journey finishes the version it entered."""

import hashlib
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from nurture.campaign import Campaign, State
from nurture.lead import lead
from nurture.steps import AnyStep
from nurture.triggers import Leave, On, When

PRESALE = "exit:presale"


class Arm(NamedTuple):
    """One thing that is heard in the middle of any wait; `goal` marks the one that reaches the campaign's goal."""

    key: str
    trigger: On | When
    goal: bool = False


class Version(BaseModel):
    """The frozen form of a campaign; immutable, so that every replay reads the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    campaign: Campaign

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, in hex: the name by which it is stored and travels."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """The content as JSON, always in the same order, so that equal campaigns are equal text."""
        return self.model_dump_json()

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each state stands, by name."""
        return {state.name: at for at, state in enumerate(self.campaign.states)}

    def state(self, name: str) -> State:
        """The state of that name."""
        return self.campaign.states[self.positions[name]]

    def after(self, name: str) -> State | None:
        """The state that follows without a jump."""
        following = self.positions[name] + 1
        return self.campaign.states[following] if following < len(self.campaign.states) else None

    def step(self, state: str, index: int) -> AnyStep:
        """One step of a state."""
        return self.state(state).steps[index]

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """What is heard at any time, in order of precedence: exits, the goal and `always`, then that the sale is made."""
        campaign = self.campaign
        exits = [
            Arm(f"exit:{at}", one.model_copy(update={"to": one.to or Leave(reason=f"{one.kind} {one.heard()}")}))
            for at, one in enumerate(campaign.exits)
        ]
        heard = [Arm(f"always:{at}", one, goal=_alike(one, campaign.goal)) for at, one in enumerate(campaign.always)]
        goal = (
            [] if campaign.goal is None or any(arm.goal for arm in heard) else [Arm("goal", campaign.goal, goal=True)]
        )
        sold = When(condition=lead.customer, to=Leave(reason="became a customer"))
        return (*exits, *goal, *heard, *([Arm(PRESALE, sold)] if campaign.presale else []))

    @cached_property
    def arm(self) -> dict[str, Arm]:
        """The arms by key."""
        return {one.key: one for one in self.arms}


def _alike(one: On | When, other: On | When | None) -> bool:
    return other is not None and one.model_copy(update={"to": None}) == other.model_copy(update={"to": None})


def frozen(campaign: Campaign) -> Version:
    """The campaign as a version."""
    return Version(campaign=campaign)
