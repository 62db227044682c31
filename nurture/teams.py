"""Teams of sales as code: who takes the leads that are handed over, by what rule, and how long they have to answer."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, model_validator

from nurture.calendar import WEEK, Window
from nurture.durations import Length, in_words
from nurture.lead import ProfileField

LEAD = ""
"""In place of a salesperson's key: the team's lead holds the hand-off."""

STAGES = ("remind_after", "answer_within", "reassign_after", "recycle_after")


def _longer_than_zero(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError(f"{in_words(length)} cannot be: give a length of time")
    return length


Span = Annotated[Length, AfterValidator(_longer_than_zero)]


class Assign(BaseModel):
    """The rule by which a lead gets its salesperson."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["round_robin", "by_territory", "by_load"]
    field: tuple[str, ...] = ()


def round_robin() -> Assign:
    """Each in turn."""
    return Assign(kind="round_robin")


def by_load() -> Assign:
    """Whoever has the fewest hand-offs open; of several the one whose turn it is."""
    return Assign(kind="by_load")


def by_territory(field: ProfileField) -> Assign:
    """Whoever's `territory` holds the lead's value of that field, else those without one; each in turn."""
    if not isinstance(field, ProfileField):
        raise TypeError("by_territory(…) takes a field of the lead: by_territory(lead.country)")
    return Assign(kind="by_territory", field=field.path)


class Salesperson(BaseModel):
    """Somebody of a team: nothing comes to them on the days they are `away` (first and last day), nor above `at_most` open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")
    name: str = Field(min_length=1)
    email: EmailStr
    language: str = ""
    territory: tuple[str, ...] = ()
    at_most: int | None = Field(default=None, ge=1)
    away: tuple[tuple[date, date], ...] = ()

    def is_away(self, today: date) -> bool:
        """Whether they are away on that day."""
        return any(first <= today <= last for first, last in self.away)


class Team(BaseModel):
    """Who takes leads over, and the clock that runs until they answer, counted in their working hours.

    After `remind_after` whoever has the lead is reminded; unanswered after `answer_within` the team's `lead` hears of it;
    after `reassign_after` another gets it; and `recycle_after` it was handed over it goes back into nurture.
    What is left out does not happen. `reasons` are those offered for saying no.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    lead: EmailStr | Literal[""]
    title: str = ""
    people: tuple[Salesperson, ...] = ()
    assign: Assign = Assign(kind="round_robin")
    reasons: tuple[str, ...] = ()
    language: str = ""
    remind_after: Span | None = None
    answer_within: Span | None = None
    reassign_after: Span | None = None
    recycle_after: Span | None = None
    hours: Window | None = None
    zone: str = ""
    closed: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _holds(self) -> "Team":
        keys = [one.key for one in self.people]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f'people: "{min(twice)}" stands there twice: give each their own key')
        if self.zone and self.zone not in available_timezones():
            raise ValueError(f'zone: "{self.zone}" is not a time zone: name it as "Europe/Berlin" does')
        if self.hours is not None and self.hours.start == self.hours.end and self.hours.days == WEEK:
            raise ValueError("hours: all day on every day is no limit: leave hours out")
        given = [(name, length) for name in STAGES if (length := getattr(self, name)) is not None]
        for (one, sooner), (other, later) in pairwise(given):
            if sooner >= later:
                raise ValueError(f"{other} must be longer than {one}: it comes after it")
        return self

    def person(self, key: str) -> Salesperson | None:
        """The salesperson of that key, None for the team's lead and for who has left."""
        return next((one for one in self.people if one.key == key), None)

    def named(self, key: str) -> str:
        """How to call whoever goes by that key."""
        person = self.person(key)
        return person.name if person else key or f"the lead of {self.title or self.key}"
