"""`lead`: the fields of a lead's profile, to build conditions with (`lead.country == "DE"`)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, Literal, NoReturn, TypeAlias, TypeVar

from nurture.conditions import Condition, Filter, Is
from nurture.values import Operator, Plain, in_text

Made = TypeVar("Made")
Holds: TypeAlias = Literal["text", "number", "truth", "list", "anything"]


class Comparable(ABC, Generic[Made]):
    """What can be compared with a value; the comparison makes a condition or a filter instead of a bool."""

    def __init__(self, *path: str) -> None:
        self.path = path

    @abstractmethod
    def _is(self, op: Operator, value: Plain) -> Made:
        """What the comparison makes."""

    def _compared(self, op: Operator, value: object) -> Made:
        values = value if isinstance(value, tuple) else (value,)
        if not all(one is None or isinstance(one, str | int | float) for one in values):
            raise TypeError(
                f"{self} {op} {value}: a field is compared with a text, a number, True or False "
                '(a date is a text: "2026-01-31")'
            )
        return self._is(op, value)  # type: ignore[arg-type]  # looked at above

    def __str__(self) -> str:
        return ".".join(self.path)

    def __repr__(self) -> str:
        return str(self)

    def __eq__(self, value: object) -> Made:  # type: ignore[override]  # not a bool, on purpose
        return self._compared("==", value)

    def __ne__(self, value: object) -> Made:  # type: ignore[override]  # not a bool, on purpose
        return self._compared("!=", value)

    def __lt__(self, value: str | float) -> Made:
        return self._compared("<", value)

    def __le__(self, value: str | float) -> Made:
        return self._compared("<=", value)

    def __gt__(self, value: str | float) -> Made:
        return self._compared(">", value)

    def __ge__(self, value: str | float) -> Made:
        return self._compared(">=", value)

    __hash__ = None  # type: ignore[assignment]  # equality makes a condition

    def one_of(self, *values: str | int | float | bool) -> Made:
        """It is one of these."""
        return self._compared("in", values)

    def contains(self, text: str) -> Made:
        """It holds that text, in any case."""
        if not isinstance(text, str):
            raise TypeError(f"{self}.contains({in_text(text)}): give a text")
        return self._is("contains", text)

    def known(self) -> Made:
        """It has a value."""
        return self._is("is set", True)

    def unknown(self) -> Made:
        """It has no value."""
        return self._is("is set", False)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self} alone is no condition: compare it, or write .known()")

    def _unbracketed(self, other: object) -> NoReturn:
        raise TypeError(
            f"{other!r} and {self} are joined before they are compared: put every comparison in brackets, (…) & (…)"
        )

    __and__ = __rand__ = __or__ = __ror__ = _unbracketed

    def __invert__(self) -> NoReturn:
        raise TypeError(f"~{self}: write .unknown(), or ~(…) around a comparison")

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError(f"{value!r} in {self}: write .has({value!r}) for a list, .contains({value!r}) for a text")

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError(f"{self} cannot be gone through: it stands for the field of any lead")


class ProfileField(Comparable[Is]):
    """One field of the profile, and what it holds."""

    holds: Holds = "anything"

    def _is(self, op: Operator, value: Plain) -> Is:
        return Is(path=self.path, op=op, value=value)

    def __str__(self) -> str:
        match self.path:
            case ("score" | "grade" | "custom" as group, name):
                return f'lead.{group}("{name}")'
            case ("dates", name):
                return f'lead.date("{name}")'
            case _:
                return f"lead.{super().__str__()}"


class TextField(ProfileField):
    """A field that holds a text."""

    holds = "text"


class NumberField(ProfileField):
    """A field that holds a number."""

    holds = "number"


class OwnField(ProfileField):
    """A field of your own; what it holds is up to you."""

    def has(self, value: str) -> Is:
        """The value is among those it holds."""
        return self._compared("has", value)


class ListField(ProfileField):
    """A field that holds several texts."""

    holds = "list"

    def has(self, value: str) -> Is:
        """The value is among them."""
        return self._compared("has", value)


class GradeField(ProfileField):
    """A grade, such as A1 or C3."""

    holds = "text"

    def _is(self, op: Operator, value: Plain) -> Is:
        if op not in ("==", "!=", "in"):
            raise TypeError(f'{self} {op} {in_text(value)}: a grade is one of several, write .one_of("A1", "A2")')
        return super()._is(op, value)


class EventProperty(Comparable[Filter]):
    """One property of an event, for `.where(…)`."""

    def _is(self, op: Operator, value: Plain) -> Filter:
        return Filter(path=self.path, op=op, value=value)


def prop(name: str) -> EventProperty:
    """A property of an event, by its name; dots go deeper (`order.total`)."""
    return EventProperty(*name.split("."))


class Group:
    """Fields that stand together; an unknown name says which are known."""

    _name = "lead"

    def __getattr__(self, name: str) -> NoReturn:
        fields = known_names(type(self))
        close = get_close_matches(name, fields, n=1)
        hint = f"did you mean {self._name}.{close[0]}?" if close else f"known are {', '.join(fields)}"
        own = "" if self._name != "lead" else f' (a field of your own is lead.custom("{name}"))'
        raise AttributeError(f"{self._name}.{name} is no field of a lead: {hint}{own}")


def known_names(group: type[Group]) -> list[str]:
    """The names of a group's fields."""
    return [name for name in vars(group) if not name.startswith("_")]


class Company(Group):
    """Where the lead works."""

    _name = "lead.company"
    name = TextField("company", "name")
    size = ProfileField("company", "size")
    turnover = NumberField("company", "turnover")
    industry = TextField("company", "industry")
    country = TextField("company", "country")
    city = TextField("company", "city")
    decision_makers = ListField("company", "decision_makers")


class Bant(Group):
    """Budget, authority, need and timing, as far as they are known."""

    _name = "lead.bant"
    budget = ProfileField("bant", "budget")
    authority = ProfileField("bant", "authority")
    need = ProfileField("bant", "need")
    timing = ProfileField("bant", "timing")
    complete = ProfileField("bant", "complete") == True  # noqa: E712  # builds a condition


class FirstTouch(Group):
    """How the lead first came to us."""

    _name = "lead.first_touch"
    channel = TextField("first_touch", "channel")
    placement = TextField("first_touch", "placement")
    creative = TextField("first_touch", "creative")
    offer = TextField("first_touch", "offer")


class LastTouch(Group):
    """How the lead came to us the last time."""

    _name = "lead.last_touch"
    channel = TextField("last_touch", "channel")
    placement = TextField("last_touch", "placement")
    creative = TextField("last_touch", "creative")
    offer = TextField("last_touch", "offer")


class Orders(Group):
    """What the lead bought: its orders that were paid and not wholly refunded."""

    _name = "lead.orders"
    count = NumberField("orders", "count")
    first = TextField("orders", "first")
    last = TextField("orders", "last")
    products = ListField("orders", "products")

    def total(self, currency: str) -> NumberField:
        """What they come to in that currency, less what was refunded."""
        return NumberField("orders", "total", currency)


class Rfm(Group):
    """How recently, how often and for how much the lead buys, each from 1 to 5 among all customers; 5 is best."""

    _name = "lead.rfm"
    recency = NumberField("rfm", "recency")
    frequency = NumberField("rfm", "frequency")
    money = NumberField("rfm", "money")


class Needs(Group):
    """What the lead needs, said or presumed."""

    _name = "lead.needs"

    def readiness(self, product: str) -> NumberField:
        """How ready an open need of the product is, from 0 to 100."""
        return NumberField("needs", product)

    def ready(self, product: str, at: int = 70) -> Is:
        """An open need of the product is that ready."""
        return self.readiness(product) >= at


class Lead(Group):
    """The profile of a lead."""

    first_name = TextField("first_name")
    last_name = TextField("last_name")
    email = TextField("email")
    phone = TextField("phone")
    language = TextField("language")
    time_zone = TextField("time_zone")
    country = TextField("country")
    city = TextField("city")
    job_title = TextField("job_title")
    source = TextField("source")
    preferred_channel = TextField("preferred_channel")
    stage = TextField("stage")
    nps = NumberField("nps")
    tags = ListField("tags")
    audiences = ListField("audiences")
    company = Company()
    bant = Bant()
    first_touch = FirstTouch()
    last_touch = LastTouch()
    orders = Orders()
    rfm = Rfm()
    needs = Needs()
    customer = ProfileField("customer") == True  # noqa: E712  # builds a condition

    def score(self, name: str) -> NumberField:
        """The points of that score."""
        return NumberField("score", name)

    def date(self, name: str) -> TextField:
        """A notable date by the name that you gave it: a birthday, the end of a contract."""
        return TextField("dates", name)

    def grade(self, name: str) -> GradeField:
        """The grade of that name: `lead.grade("buyer").one_of("A1", "A2", "B1")`."""
        return GradeField("grade", name)

    def custom(self, name: str) -> OwnField:
        """A field of your own."""
        return OwnField("custom", name)


lead = Lead()
GROUPS: Mapping[str, type[Group]] = {
    "company": Company, "bant": Bant, "first_touch": FirstTouch, "last_touch": LastTouch, "orders": Orders, "rfm": Rfm
}  # fmt: skip
"""The groups of fields by name, but for those without known names (scores, fields of your own)."""


def field_at(path: tuple[str, ...]) -> ProfileField | None:
    """The field at that path; None when a lead has no such field."""
    match path:
        case ("score", _):
            return NumberField(*path)
        case ("grade", _):
            return GradeField(*path)
        case ("custom", _):
            return OwnField(*path)
        case ("dates", _):
            return TextField(*path)
        case ("bant", "complete") | ("customer",):
            return ProfileField(*path)
        case ("needs", _) | ("orders", "total", _):
            return NumberField(*path)
        case (name,):
            found = vars(Lead).get(name)
        case (group, name) if group in GROUPS:
            found = vars(GROUPS[group]).get(name)
        case _:
            return None
    return found if isinstance(found, ProfileField) else None


def field_names() -> list[str]:
    """Every field by its name in full, but for scores and fields of your own."""
    return [
        f"{prefix}{name}"
        for prefix, group in [("", Lead), *((f"{name}.", group) for name, group in GROUPS.items())]
        for name, one in vars(group).items()
        if isinstance(one, ProfileField | Condition)
    ]
