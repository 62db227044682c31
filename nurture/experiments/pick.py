"""The rule by which the winner of a split is picked, declared with the split."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from nurture.durations import Length, in_words
from nurture.triggers import On


class Pick(BaseModel):
    """What is measured of each lead, from when it entered its arm and for how long, and when that is enough.

    The winner is the arm most likely to be best, once every arm has measured `after` leads and that likelihood is `sure`;
    without `after` only a person decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: On
    within: Length
    after: int | None = None
    sure: float = 0.95

    def words(self) -> str:
        """The rule in words."""
        measured = f"{self.goal.heard()} within {in_words(self.within)}"
        if self.after is None:
            return f"a person picks by {measured}"
        return f"the winner by {measured}, once {self.sure * 100:g}% sure of {self.after} leads an arm"


def faults_of_rule(rule: Pick, arms: int) -> Iterator[str]:
    """What is wrong with the rule of a split into so many arms."""
    if arms < 2:
        yield "has nothing to pick from: give at least two states"
    if rule.within <= timedelta(0):
        yield "pick(…): within must be longer than zero"
    if rule.after is not None and rule.after < 1:
        yield "pick(…): after is how many leads each arm must have measured: give at least one"
    if not 0.5 < rule.sure < 1:
        yield "pick(…): sure lies between 0.5 and 1"
    if rule.goal.key is not None or rule.goal.to is not None:
        yield "pick(…): the goal is only counted: take key= and to= away"
