"""Conditions on a lead and on what it did: values that serialise, print in words, name what they depend on, and test.

Built with operators on `lead` and `event(...)`, joined with `&`, `|` and `~`:

    (lead.country == "DE") & (event("visit").within(days(7)).count() >= 2)
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nurture.durations import Length, in_words
from nurture.facts import Facts, Happening
from nurture.values import COMPARE, Operator, Plain, compared, in_text, reader

Test: TypeAlias = Callable[[Facts], bool]
Matches: TypeAlias = Callable[[Happening], bool]
Counting: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]

MESSAGE_EVENTS = {
    "message_sent": "the sending of",
    "message_delivered": "the delivery of",
    "message_opened": "an opening of",
    "message_clicked": "a click in",
    "message_replied": "a reply to",
    "message_bounced": "a bounce of",
    "message_complained": "a complaint about",
}
"""What happens to a message, as an event's name and in words."""

COUNTS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COUNT_WORDS: dict[str, str] = {
    "==": "exactly",
    "!=": "other than",
    "<": "fewer than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
}


class Condition(BaseModel, ABC):
    """Something about a lead that is true or not."""

    __slots__ = ("_test",)  # not in `__dict__`: with a name more there pydantic writes a condition otherwise, yes as 1

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def words(self) -> str:
        """The condition as a marketer would say it."""

    @abstractmethod
    def depends_on(self) -> frozenset[str]:
        """What a change of may change the answer: `lead.country`, `score.interest`, `event.visit`."""

    @abstractmethod
    def compiled(self) -> Test:
        """A function that tests it."""

    @property
    def timed(self) -> bool:
        """Whether time alone may change the answer."""
        return False

    @property
    def test(self) -> Test:
        """The compiled test: `condition.test(facts)`."""
        found: Test | None = getattr(self, "_test", None)
        if found is None:
            found = self.compiled()
            object.__setattr__(self, "_test", found)
        return found

    def __and__(self, other: "Condition") -> "All":
        return All.model_validate({"of": (*_parts(All, self), *_parts(All, _condition(other)))})

    def __or__(self, other: "Condition") -> "Either":
        return Either.model_validate({"of": (*_parts(Either, self), *_parts(Either, _condition(other)))})

    def __invert__(self) -> "Not":
        return Not.model_validate({"of": self})

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a condition ({self.words()}) cannot be joined with and, or, not, nor used with if, in or a < b < c: "
            "write (…) & (…), (…) | (…), ~(…) or .one_of(…)"
        )


def _condition(given: object) -> Condition:
    if isinstance(given, Condition):
        return given
    raise TypeError(f"{in_text(given)} is no condition: put every comparison in brackets, (…) & (…)")


def _parts(kind: "type[All | Either]", condition: Condition) -> tuple[Condition, ...]:
    return condition.of if isinstance(condition, kind) else (condition,)


class Filter(BaseModel):
    """A test of one property of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    op: Operator
    value: Plain

    def words(self) -> str:
        """The filter in words: `plan is pro`, `amount is at least 100`."""
        return compared(_name(self.path), self.op, self.value)

    def compiled(self) -> Matches:
        """A function that tests an event."""
        read, compare, value = reader(self.path), COMPARE[self.op], self.value
        return lambda happening: compare(read(happening.properties), value)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"a filter ({self.words()}) cannot be joined with and, or, not: give several to .where(…)")


class Is(Condition):
    """A field of the lead compared with a value."""

    kind: Literal["is"] = "is"
    path: tuple[str, ...]
    op: Operator
    value: Plain

    @property
    def timed(self) -> bool:
        """A score may fade; to more than nothing that alone takes none."""
        rises = self.op in (">", ">=") and isinstance(self.value, int | float) and self.value > 0
        return self.path[0] == "score" and not rises

    def words(self) -> str:
        return self._words()

    def negated(self) -> str:
        """The opposite in words."""
        return self._words(negated=True)

    def _words(self, *, negated: bool = False) -> str:
        if self.op == "has" and self.path in (("tags",), ("audiences",)):
            kind = "tagged" if self.path == ("tags",) else "in the audience"
            return f"{'not ' if negated else ''}{kind} {in_text(self.value)}"
        if self.op == "==" and self.path == ("bant", "complete"):
            return f"BANT is {'complete' if (self.value is True) is not negated else 'not complete'}"
        if self.op == "==" and self.path == ("customer",):
            return f"{'a' if (self.value is True) is not negated else 'not a'} customer"
        return compared(field_words(self.path), self.op, self.value, negated=negated)

    def depends_on(self) -> frozenset[str]:
        return frozenset({dependency(self.path)})

    def compiled(self) -> Test:
        read, compare, value = reader(self.path), COMPARE[self.op], self.value
        return lambda facts: compare(read(facts.lead), value)


def field_words(path: tuple[str, ...]) -> str:
    """A field of the lead in words: `job title`, `interest score`, `company turnover`."""
    match path:
        case ("score", name):
            return f"{name} score"
        case ("grade", name):
            return f"{name} grade"
        case ("custom" | "dates", *names):
            return _name(tuple(names))
        case ("nps",):
            return "NPS"
        case ("bant", *names):
            return _name(tuple(names))
        case ("orders", "count"):
            return "number of orders"
        case ("orders", "total", currency):
            return f"total of orders in {currency}"
        case ("needs", product):
            return f"readiness for {product}"
        case _:
            return _name(path)


def _name(path: tuple[str, ...]) -> str:
    return " ".join(path).replace("_", " ")


def dependency(path: tuple[str, ...]) -> str:
    """The key by which a change of that field is announced: `lead.company`, `score.interest`."""
    return f"score.{path[1]}" if path[0] == "score" else f"lead.{path[0]}"


class Happened(Condition):
    """An event that happened so many times."""

    kind: Literal["happened"] = "happened"
    event: str
    filters: tuple[Filter, ...] = ()
    period: Length | None = None
    op: Counting = ">="
    times: Annotated[int, Field(strict=True)] = 1

    def where(self, *filters: Filter, **equal: Plain) -> "Happened":
        """The same, for events whose properties are as given: `where(plan="pro")`, `where(prop("amount") >= 100)`."""
        for one in filters:
            if not isinstance(one, Filter):
                raise TypeError(f"where({in_text(one)}): write plan=… or prop('plan') == …")
        exact = tuple(Filter(path=(name,), op="==", value=value) for name, value in sorted(equal.items()))
        return self._with(filters=(*self.filters, *filters, *exact))

    def within(self, period: timedelta) -> "Happened":
        """The same, counting only the last `period`."""
        return self._with(period=_length("within", period))

    def count(self) -> "Count":
        """How often it happened, to compare with a number."""
        return Count(self)

    def absent(self, period: timedelta | None = None) -> "Happened":
        """True when it did not happen (within `period`)."""
        return self._with(period=self.period if period is None else _length("absent", period), op="==", times=0)

    def compared(self, op: Counting, times: object) -> "Happened":
        """The same, so many times."""
        if isinstance(times, bool) or not isinstance(times, int):
            raise TypeError(f"count() {op} {in_text(times)}: give a whole number")
        return self._with(op=op, times=times)

    def _with(self, **changes: Any) -> "Happened":
        # A copy would carry the compiled test of the original along.
        return Happened(**{name: getattr(self, name) for name in type(self).model_fields} | changes)

    @property
    def timed(self) -> bool:
        return self.period is not None

    @property
    def plain(self) -> bool:
        """Whether one such event is all it asks for, so that the event itself is the answer."""
        return self.period is None and self.op == ">=" and self.times == 1

    @property
    def template(self) -> str | None:
        """The message it is about, if it is an event of one."""
        if self.event not in MESSAGE_EVENTS:
            return None
        named = (one.value for one in self.filters if one.path == ("template",) and one.op == "==")
        return next((name for name in named if isinstance(name, str)), None)

    def pattern(self) -> str:
        """The event and its filters in words, without counts: `order paid with plan pro`, `a click in welcome`."""
        filters, name = self.filters, self.event.replace("_", " ")
        if self.event in MESSAGE_EVENTS:
            filters = tuple(one for one in filters if one.path != ("template",) or one.value != self.template)
            name = f"{MESSAGE_EVENTS[self.event]} {self.template or 'any message'}"
        if all(one.op == "==" and one.value is not None for one in filters):
            named = [f"{_name(one.path)} {in_text(one.value)}" for one in filters]
            return " with ".join([name, " and ".join(named)] if named else [name])
        return f"{name} where {' and '.join(one.words() for one in filters)}"

    def words(self) -> str:
        period = f" within {in_words(self.period)}" if self.period is not None else ""
        match self.op, self.times:
            case ("==", 0):
                return f"no {_bare(self.pattern())}{period}"
            case (">=", 1):
                return f"{self.pattern()} has happened{period}"
            case (op, times):
                return f"{_bare(self.pattern())} {COUNT_WORDS[op]} {times} {_times(times)}{period}"

    def depends_on(self) -> frozenset[str]:
        return frozenset({f"event.{self.event}"})

    def matches(self) -> Matches:
        """A function that tells whether an event of that name passes the filters."""
        tests = [one.compiled() for one in self.filters]
        if len(tests) == 1:
            return tests[0]
        return lambda happening: all(test(happening) for test in tests)

    def compiled(self) -> Test:
        name, period, times, compare = self.event, self.period, self.times, COUNTS[self.op]
        if not self.filters:
            return lambda facts: compare(len(facts.events(name, period)), times)
        matches = self.matches()
        return lambda facts: compare(sum(map(matches, facts.events(name, period))), times)


def _bare(pattern: str) -> str:
    return pattern.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def _times(times: int) -> str:
    return "time" if times == 1 else "times"


def _length(word: str, period: object) -> timedelta:
    if isinstance(period, timedelta):
        return period
    raise TypeError(f"{word}({in_text(period)}): give a length of time, such as {word}(days(7))")


class Count:
    """How often an event happened: `event("visit").count() >= 2`."""

    def __init__(self, of: Happened) -> None:
        self._of = of

    def __ge__(self, times: int) -> Happened:
        return self._of.compared(">=", times)

    def __gt__(self, times: int) -> Happened:
        return self._of.compared(">", times)

    def __le__(self, times: int) -> Happened:
        return self._of.compared("<=", times)

    def __lt__(self, times: int) -> Happened:
        return self._of.compared("<", times)

    def __eq__(self, times: object) -> Happened:  # type: ignore[override]  # a condition, not a bool
        return self._of.compared("==", times)

    def __ne__(self, times: object) -> Happened:  # type: ignore[override]  # a condition, not a bool
        return self._of.compared("!=", times)

    __hash__ = None  # type: ignore[assignment]  # equality makes a condition

    def __bool__(self) -> NoReturn:
        raise TypeError(f"count() of {self._of.pattern()} alone is no condition: compare it, count() >= 2")


class All(Condition):
    """True when all of them are."""

    kind: Literal["all"] = "all"
    of: "tuple[AnyCondition, ...]"

    @property
    def timed(self) -> bool:
        return any(one.timed for one in self.of)

    def words(self) -> str:
        return " and ".join(_bracketed(one) for one in self.of)

    def depends_on(self) -> frozenset[str]:
        return _union(self.of)

    def compiled(self) -> Test:
        tests = tuple(one.compiled() for one in self.of)

        def test(facts: Facts) -> bool:
            for one in tests:  # noqa: SIM110  # twice as fast as all(…)
                if not one(facts):
                    return False
            return True

        return test


class Either(Condition):
    """True when any of them is."""

    kind: Literal["either"] = "either"
    of: "tuple[AnyCondition, ...]"

    @property
    def timed(self) -> bool:
        return any(one.timed for one in self.of)

    def words(self) -> str:
        return " or ".join(_bracketed(one) for one in self.of)

    def depends_on(self) -> frozenset[str]:
        return _union(self.of)

    def compiled(self) -> Test:
        tests = tuple(one.compiled() for one in self.of)

        def test(facts: Facts) -> bool:
            for one in tests:  # noqa: SIM110  # twice as fast as any(…)
                if one(facts):
                    return True
            return False

        return test


class Not(Condition):
    """True when the other is not."""

    kind: Literal["not"] = "not"
    of: "AnyCondition"

    @property
    def timed(self) -> bool:
        return self.of.timed or any(isinstance(one, Is) and one.path[0] == "score" for one in leaves(self.of))

    def words(self) -> str:
        match self.of:
            case Is():
                return self.of.negated()
            case Happened(op=">=", times=1):
                return self.of.absent().words()
            case Happened(op="==", times=0):
                return self.of.compared(">=", 1).words()
            case Not():
                return self.of.of.words()
            case _:
                return f"not ({self.of.words()})"

    def depends_on(self) -> frozenset[str]:
        return self.of.depends_on()

    def compiled(self) -> Test:
        test = self.of.compiled()
        return lambda facts: not test(facts)


def _bracketed(condition: Condition) -> str:
    return f"({condition.words()})" if isinstance(condition, All | Either) else condition.words()


def _union(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset().union(*(one.depends_on() for one in conditions))


AnyCondition = Annotated[Is | Happened | All | Either | Not, Field(discriminator="kind")]

All.model_rebuild()
Either.model_rebuild()
Not.model_rebuild()


def leaves(condition: Condition) -> Iterator["Is | Happened"]:
    """The simple conditions a joined one is made of."""
    if isinstance(condition, Is | Happened):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.of)
    elif isinstance(condition, All | Either):
        for one in condition.of:
            yield from leaves(one)


def event(name: str) -> Happened:
    """What happened, by the event's name; on its own: it happened at least once."""
    return Happened(event=name)


def _of_message(name: str, template: str | None) -> Happened:
    return event(name) if template is None else event(name).where(template=template)


def opened(template: str | None = None) -> Happened:
    """The message was opened (machines open mail: branch on clicks rather)."""
    return _of_message("message_opened", template)


def clicked(template: str | None = None) -> Happened:
    """A person followed a link in the message."""
    return _of_message("message_clicked", template)


def replied(template: str | None = None) -> Happened:
    """The lead answered the message."""
    return _of_message("message_replied", template)
