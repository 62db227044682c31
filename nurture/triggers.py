"""What a journey can hear: an event, or a condition that comes true; and where it then goes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nurture.conditions import AnyCondition, Condition, Filter, Happened, Matches, event
from nurture.values import Plain, as_key, reader


class ToState(BaseModel):
    """On to the state of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["state"] = "state"
    name: str

    def words(self) -> str:
        """The target in words."""
        return f"to {self.name}"


class Leave(BaseModel):
    """The journey ends before its goal, for a reason that is recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["leave"] = "leave"
    reason: str

    def words(self) -> str:
        """The target in words."""
        return f"leave ({self.reason})"


class Done(BaseModel):
    """The journey is complete."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["done"] = "done"

    def words(self) -> str:
        """The target in words."""
        return "done"


Target: TypeAlias = Annotated[ToState | Leave | Done, Field(discriminator="kind")]
TargetLike: TypeAlias = str | ToState | Leave | Done


def target(given: TargetLike | None) -> ToState | Leave | Done | None:
    """A target as a marketer writes it (a state's name, `leave(…)`, `done`) as a value."""
    if isinstance(given, str):
        return ToState(name=given)
    if given is None or isinstance(given, ToState | Leave | Done):
        return given
    raise TypeError(f'{given!r} is no place to go: give the name of a state, leave("…") or done')


class On(BaseModel):
    """An event arrives; `key` names the property that it is about: each its own journey, or the journey's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["on"] = "on"
    event: Happened
    key: str | None = None
    to: Target | None = None

    def words(self) -> str:
        """The entry in words."""
        return f"on {self.event.pattern()}" + (f", one journey for each {self._about()}" if self.key else "")

    def heard(self) -> str:
        """What is heard on the way, in words."""
        return self.event.pattern() + (f" of the same {self._about()}" if self.key else "")

    def _about(self) -> str:
        return (self.key or "").replace("_", " ")

    def key_in(self, properties: Mapping[str, Any]) -> str | None:
        """The key among an event's properties, as canonical text; None when there is none that is usable."""
        return None if self.key is None else as_key(reader(tuple(self.key.split(".")))(properties))

    def meant(self, own: str) -> Matches:
        """A function that tells whether an event is the one meant, in a journey under that key."""
        matches = self.event.matches()
        return matches if self.key is None else lambda event: self.key_in(event.properties) == own and matches(event)

    def depends_on(self) -> frozenset[str]:
        """The keys under which it is announced."""
        return self.event.depends_on()


class When(BaseModel):
    """A condition comes true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["when"] = "when"
    condition: AnyCondition
    to: Target | None = None

    def words(self) -> str:
        """The trigger in words."""
        return f"when {self.heard()}"

    def heard(self) -> str:
        """What comes true, in words."""
        return self.condition.words()

    def depends_on(self) -> frozenset[str]:
        """The keys under which a change is announced."""
        return self.condition.depends_on()


Trigger: TypeAlias = Annotated[On | When, Field(discriminator="kind")]
TriggerLike: TypeAlias = On | When | AnyCondition


def on(
    name: str | Happened, *filters: Filter, key: str | None = None, to: TargetLike | None = None, **equal: Plain
) -> On:
    """When the event arrives: `on("order_paid", plan="pro", to="thanks")`.

    `key` names a property: an entry gives each value of it a journey, and what is heard later must have the journey's own.
    """
    happened = name if isinstance(name, Happened) else event(name)
    if not happened.plain:
        raise TypeError(f"on({happened.words()}): a count, a period or an absence is a condition, write when(…)")
    return On(event=happened.where(*filters, **equal), key=key, to=target(to))


def when(condition: AnyCondition, to: TargetLike | None = None) -> When:
    """When the condition is true, or comes true."""
    if not isinstance(condition, Condition):
        raise TypeError(f'when(…) takes a condition such as lead.country == "DE", not {condition!r}')
    return When(condition=condition, to=target(to))


def trigger(given: TriggerLike) -> On | When:
    """A trigger as a marketer writes it; a plain event pattern is heard, any other condition is watched."""
    match given:
        case On() | When():
            return given
        case Happened() if given.plain:
            return On(event=given)
        case Condition():
            return when(given)
        case _:
            raise TypeError(f'{given!r} can be neither heard nor watched: write on("…"), clicked("…") or when(…)')


def leave(reason: str) -> Leave:
    """End the journey before its goal; the reason is recorded and counted."""
    return Leave(reason=reason)


done = Done()
