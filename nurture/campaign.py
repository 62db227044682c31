"""A campaign as a marketer writes it: how leads enter, what is always heard, and the states in between."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Annotated, Any, Literal, TypeAlias, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field

from nurture.calendar import Window
from nurture.durations import Length, in_words
from nurture.lead import ProfileField
from nurture.steps import AnyStep, DateOf, Split, Step, as_path, as_step
from nurture.tracking.switches import Track
from nurture.triggers import Done, Leave, On, Trigger, TriggerLike, When, trigger


class State(BaseModel):
    """A named room in the journey; its steps run in order, and without a jump the next state follows.

    `State("greet", [send("price-list/greet"), …])`
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    steps: tuple[AnyStep, ...]

    def __init__(self, name: str, steps: Sequence[Step | Leave | Done] = ()) -> None:
        given = steps if isinstance(steps, list | tuple) else [steps]
        super().__init__(name=name, steps=tuple(as_step(step) for step in given))


class Reentry(BaseModel):
    """Whether a lead may enter again: `never`, `always`, or `once_in` a period counted from its last entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["never", "always", "once_in"] = "never"
    period: Length | None = None

    def words(self) -> str:
        """The rule in words."""
        return f"once in {in_words(self.period)}" if self.period is not None else self.kind


never = Reentry(kind="never")
always = Reentry(kind="always")


def once_in(period: timedelta) -> Reentry:
    """A lead may enter again when its last entry is so long ago."""
    return Reentry(kind="once_in", period=period)


class Cap(BaseModel):
    """At most so many marketing messages to a lead in a period, over all campaigns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: int
    period: Length


def at_most(messages: int, *, within: timedelta) -> Cap:
    """At most so many marketing messages in the period."""
    return Cap(messages=messages, period=within)


class DateEntry(BaseModel):
    """A date of the lead enters it, so long before or after."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["date"] = "date"
    field: tuple[str, ...]
    offset: Length = timedelta(0)
    yearly: bool = False

    def words(self) -> str:
        """The entry in words."""
        date = DateOf(field=self.field, offset=self.offset).words()
        return f"every year on {date}" if self.yearly else f"on {date}"

    def depends_on(self) -> frozenset[str]:
        """The keys under which a change of the date is announced: a lead that moves may live where it has come already."""
        return frozenset({f"lead.{self.field[0]}", "lead.time_zone"})


class AudienceEntry(BaseModel):
    """Who comes onto an audience's list enters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["audience"] = "audience"
    audience: str

    def words(self) -> str:
        """The entry in words."""
        return f"on joining the audience {self.audience}"

    def depends_on(self) -> frozenset[str]:
        """The keys under which a change of the list is announced."""
        return frozenset({"lead.audiences"})


def on_date(field: ProfileField | str, *, offset: timedelta = timedelta(0), yearly: bool = False) -> DateEntry:
    """A date of the lead enters it: `on_date(lead.custom("contract_ends"), offset=-days(30))`."""
    return DateEntry(field=as_path(field), offset=offset, yearly=yearly)


def on_audience(key: str) -> AudienceEntry:
    """Whoever comes onto the list of that audience enters."""
    return AudienceEntry(audience=key)


Entry: TypeAlias = Annotated[On | When | DateEntry | AudienceEntry, Field(discriminator="kind")]
EntryLike: TypeAlias = TriggerLike | DateEntry | AudienceEntry
Purpose: TypeAlias = Literal["marketing", "transactional"]


class Settings(TypedDict, total=False):
    """What a campaign may say beyond its road."""

    title: str
    purpose: Purpose
    legal_basis: str
    topic: str
    quiet: Window | None
    window: Window | None
    cap: Cap | None
    priority: int
    sender: str
    holdout: float
    expires_after: timedelta | None
    presale: bool
    approval: bool
    track: Track | None


class Campaign(BaseModel):
    """One campaign. What is wrong with it is reported by `nurture check`, all at once; making it only reads it.

    `always` is heard whatever a journey waits for; `exits` come first; the `goal` ends a journey unless it names a state.
    `topic` is what the lead's consent is asked for; `holdout` percent of leads are kept out, to compare with. One that is
    `presale` takes no customers, and ends when its lead becomes one, unless it has reached its goal by that. With `approval`
    it sends only messages that somebody approved as they are. `track` tells what of its messages is followed, where that is
    not what the house follows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    states: tuple[State, ...]
    enters: tuple[Entry, ...] = ()
    reenters: Reentry = never
    goal: Trigger | None = None
    exits: tuple[Trigger, ...] = ()
    always: tuple[Trigger, ...] = ()
    title: str = ""
    purpose: Purpose = "marketing"
    legal_basis: str = ""
    topic: str = "news"
    quiet: Window | None = None
    window: Window | None = None
    cap: Cap | None = None
    priority: int = 3
    sender: str = ""
    holdout: float = 0
    expires_after: Length | None = None
    presale: bool = False
    approval: bool = False
    track: Track | None = None

    def __init__(
        self,
        key: str,
        states: Sequence[State],
        *,
        enters: Sequence[EntryLike] = (),
        reenters: Reentry = never,
        goal: TriggerLike | None = None,
        exits: Sequence[TriggerLike] = (),
        always: Sequence[TriggerLike] = (),
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(
            key=key,
            states=_with_named_splits(key, states),
            enters=tuple(_entry(one) for one in enters),
            reenters=reenters,
            goal=None if goal is None else _trigger(goal),
            exits=tuple(_trigger(one) for one in exits),
            always=tuple(_trigger(one) for one in always),
            **settings,
        )


def _entry(given: Any) -> Any:
    return given if isinstance(given, DateEntry | AudienceEntry | Mapping) else trigger(given)


def _trigger(given: Any) -> Any:
    return given if isinstance(given, Mapping) else trigger(given)


def _with_named_splits(campaign: str, states: Iterable[Any]) -> tuple[Any, ...]:
    """The states with a name of its own for every split, so that one split's draw says nothing about another's."""
    return tuple(_named_in(campaign, one) if isinstance(one, State) else one for one in states)


def _named_in(campaign: str, state: State) -> State:
    numbers = count(1)

    def named(step: AnyStep) -> AnyStep:
        if not isinstance(step, Split):
            return step
        number = next(numbers)
        own = f"{campaign}/{state.name}" + (f"/{number}" if number > 1 else "")
        return step if step.key else step.model_copy(update={"key": own})

    return State(state.name, [named(step) for step in state.steps])
