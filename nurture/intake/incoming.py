"""What may come in: an event of a lead, or news of a lead without one; checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256
from math import isfinite
from re import fullmatch
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from nurture.arrivals import Context
from nurture.deals import News
from nurture.errors import BadInput, NurtureError
from nurture.fields import Patch, validated
from nurture.identity import Key, in_order, plain_id, popped_keys
from nurture.intake.capturing import Captured
from nurture.intake.clicking import Clicking
from nurture.needs import Need
from nurture.scores import Change
from nurture.stages import STAGES
from nurture.store.models import new_id

RESERVED = frozenset(
    {
        "message_sent", "message_delivered", "message_opened", "message_clicked", "message_replied", "message_bounced",
        "message_complained", "unsubscribed", "score_reached", "survey_answered", "answered", "stage_changed",
        "handed_over", "sales_accepted", "sales_rejected", "hand_off_recycled", "returned", "confirmed", "recommended",
        "referral_rewarded", "need_told", "task_done", "task_overdue", "channel_stopped", "channel_linked",
    }
)  # fmt: skip
"""Names of events that only we report."""

MOST_AHEAD = timedelta(days=1)  # clocks differ; further than that it is a mistake
EARLIEST_YEAR = 1970
LARGEST_PROPERTIES = 32_000
DEEPEST_PROPERTIES = 8
WORDS = {
    "string_pattern_mismatch": "write letters, digits and _ . : -, a letter first (at most 100)",
    "extra_forbidden": "is not known here",
    "timezone_aware": "give the offset from UTC, such as 2026-11-23T10:00:00Z",
    "missing": "is missing",
}

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:\-]{0,99}$")]
Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")]


class Consent(BaseModel):
    """An answer to a topic, the words it was given to, and from when on a yes is none any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    granted: bool
    text: str = Field(default="", max_length=2000)
    expires: AwareDatetime | None = None


class Incoming(BaseModel):
    """Something that a lead did (`name`), or only what is known of it.

    `id` makes it once and once only; `lead` names the lead (`id`, or a key of `nurture.identity`) and says what is known
    of it; `at` is when it happened, now unless given; a `machine` did it when it is to count for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id | None = None
    name: Name | None = None
    lead: dict[str, Any]
    properties: dict[str, Any] = Field(default_factory=dict)
    at: AwareDatetime | None = None
    source: str = Field(default="api", max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    machine: bool = False
    consents: dict[str, bool | Consent] = Field(default_factory=dict, max_length=50)
    context: Context | None = None


class Enrolment(BaseModel):
    """A campaign to enter the lead into; `speed` as in `1d=1s`. The same `event` (what caused it) enters it once only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    campaign: str
    key: str = Field(default="", max_length=200)
    by: str = "api"
    manual: bool = False
    speed: str | None = None
    event: str | None = None


class Recommended(BaseModel):
    """The share code that a friend came by, and the lead whose device it came with, if that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    device_of: str | None = None


class Internal(Incoming):
    """What we ourselves report: its name may be a reserved one, and it may do more than an event does.

    It may enter the lead into a campaign, give points, be captured by a form, tell of an order or of needs, bring a
    friend by a share code, or have `clicks` looked at; `because` is the reason of a change of stage. With `unsaid_only`
    its consents count for topics that the lead has not answered: somebody else speaks for it.
    """

    enrol: Enrolment | None = None
    points: tuple[Change, ...] = ()
    captured: Captured | None = None
    order: News | None = None
    needs: tuple[Need, ...] = ()
    recommended: Recommended | None = None
    clicks: Clicking | None = None
    because: str = ""
    unsaid_only: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item: the lead it belongs to, or the error. A duplicate has no effect and is no error."""

    id: str
    lead_id: str | None = None
    error: NurtureError | None = None
    duplicate: bool = False
    new_lead: bool = False
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    consented: tuple[str, ...] = ()
    """Topics that it answers anew by the item's consents."""
    stays_no: bool = False
    """Whether it refused one of the topics before, and was left so."""


@dataclass(slots=True)
class Prepared:
    """An item that passed every check, with its keys in order of strength."""

    given: Incoming
    id: str
    now: datetime
    keys: tuple[Key, ...]
    patch: Patch
    lead_id: str | None = None
    test: bool | None = None
    stage: str | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)

    @property
    def unsaid_only(self) -> bool:
        """Whether its consents leave alone what the lead has said itself."""
        return isinstance(self.given, Internal) and self.given.unsaid_only


def stable_id(*parts: str) -> str:
    """An id made of names, the same every time; hashed when together they make none."""
    joined = "/".join(parts)
    return joined if fullmatch(r"[!-~]{1,128}", joined) else sha256(joined.encode()).hexdigest()


def read_incoming(raw: object) -> Incoming:
    """An item as it came over the wire; the error names its first fault, the field and the remedy."""
    if not isinstance(raw, dict):
        raise BadInput('give an object such as {"name": "order_paid", "lead": {"email": "ann@example.com"}}')
    try:
        return Incoming.model_validate(raw)
    except ValidationError as error:
        raise bad_input(error, tuple(Incoming.model_fields)) from None


def bad_input(error: ValidationError, known: tuple[str, ...] = ()) -> BadInput:
    """The first fault that pydantic found, in our words, with its field."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"] if part not in ("bool", "Consent"))[:200]
    words = WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if fault["type"] == "extra_forbidden" and (close := get_close_matches(place, known, n=1)):
        words += f": did you mean {close[0]}?"
    return BadInput(f"{place}: {words}" if place else words, field=place or None)


def prepared(incoming: Incoming, now: datetime, region: str | None = None) -> Prepared:
    """The item, checked to the last; the error names the field and the remedy. See `validated` for the `region`."""
    if incoming.name in RESERVED and not isinstance(incoming, Internal):
        raise BadInput(f"name: {incoming.name} is reported by nurture itself: choose another name", field="name")
    if incoming.at is not None:
        _check_time(incoming.at, now)
    if incoming.properties and (fault := not_plain(incoming.properties)):
        raise BadInput(f"properties: {fault}", field="properties")
    given = dict(incoming.lead)
    lead_id, test, stage = plain_id(given.pop("id", None), "id"), _flag(given, "test"), _stage(given)
    keys = popped_keys(given)
    patch = validated(given, region)
    keys |= {path: str(value) for path, value in patch.says if value is not None and path in ("email", "phone")}
    if lead_id is None and not keys:
        raise BadInput("lead: nobody is named: give email, external_id, phone, cookie or id", field="lead")
    consents = {
        _topic(topic): Consent(granted=said) if isinstance(said, bool) else said
        for topic, said in incoming.consents.items()
    }
    return Prepared(incoming, incoming.id or new_id(), now, in_order(keys), patch, lead_id, test, stage, consents)


def _check_time(at: datetime, now: datetime) -> None:
    if at.year < EARLIEST_YEAR:
        raise BadInput(f"at: a year before {EARLIEST_YEAR}: give the time it happened", field="at")
    if at > now + MOST_AHEAD:
        raise BadInput("at: more than a day in the future: give the time it happened, with its offset", field="at")


def _flag(given: dict[str, Any], name: str) -> bool | None:
    value = given.pop(name, None)
    if value is not None and not isinstance(value, bool):
        raise BadInput(f"lead.{name}: give true or false", field=f"lead.{name}")
    return value


def _stage(given: dict[str, Any]) -> str | None:
    stage = given.pop("stage", None)
    if stage in (None, ""):
        return None
    if stage not in STAGES:
        raise BadInput(
            f"lead.stage: is no stage of the life cycle: write one of {', '.join(STAGES)}", field="lead.stage"
        )
    return str(stage)


def _topic(topic: str) -> str:
    if not topic.isprintable() or not 0 < len(topic) <= 100:
        raise BadInput("consents: name a topic with 1 to 100 printable characters, or * for all", field="consents")
    return topic


def not_plain(value: object, deepest: int = DEEPEST_PROPERTIES, largest: int = LARGEST_PROPERTIES) -> str | None:
    """What keeps a value from being stored as plain JSON: too deep, too large (bytes), a broken text or number; or None."""
    left = largest
    level: list[object] = [value]
    for _ in range(deepest + 1):
        below: list[object] = []
        for one in level:
            left -= 2
            match one:
                case str():
                    left -= len(one) if one.isascii() else len(one.encode("utf-8", "surrogatepass"))
                    fault = None if one.isprintable() else _broken(one)
                case dict():
                    below += one.keys()
                    below += one.values()
                    fault = None
                case list() | tuple():
                    below += one
                    fault = None
                case bool() | None:
                    fault = None
                case int():
                    fault = None if -(2**63) <= one < 2**63 else "a whole number beyond 64 bits: send it as text"
                case float():
                    fault = None if isfinite(one) else "a number that is not finite: leave it out"
                case _:
                    fault = f"a {type(one).__name__}, which JSON does not know"
            if fault:
                return fault
            if left < 0:
                return f"larger than {largest // 1000} kB: send less"
        if not below:
            return None
        level = below
    return f"nested deeper than {deepest} levels: flatten it"


def _broken(text: str) -> str | None:
    if "\0" in text:
        return "a text with a NUL character: take it out"
    if any("\ud800" <= one <= "\udfff" for one in text):
        return "a text with half a surrogate pair: take it out"
    return None
