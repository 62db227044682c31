"""Forms as code: what a visitor is promised, what it is asked in exchange, and what comes of the answer."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

from nurture.errors import BadInput
from nurture.fields import validated
from nurture.lead import ProfileField, field_at
from nurture.offers import Offer
from nurture.steps import as_path
from nurture.texts import Text, in_language, languages_of

LONGEST_ANSWER = 500
KINDS = {"email": "email", "phone": "tel"}
FILLED_IN_FOR_YOU = {
    "email": "email", "phone": "tel", "first_name": "given-name", "last_name": "family-name",
    "job_title": "organization-title", "company.name": "organization", "country": "country", "city": "address-level2",
}  # fmt: skip
"""What browsers know of a person, by our field (WCAG 1.3.5)."""


class Choice(BaseModel):
    """One of several answers: what is kept of it, and how it reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str | int
    label: Text


class FormField(BaseModel):
    """One question of a form, about a field of the profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    label: Text = ""
    hint: Text = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()

    @property
    def name(self) -> str:
        """Its name on the page: `company.turnover`."""
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        """The kind of input that it is."""
        return KINDS.get(self.name, "text")

    @property
    def filled_in_by(self) -> str:
        """The browser's word for it, empty where it has none."""
        return FILLED_IN_FOR_YOU.get(self.name, "")

    @property
    def number(self) -> bool:
        """Whether the answer is a number."""
        known = field_at(self.path)
        return known is not None and known.holds == "number"

    def answer(self, text: str) -> str | int:
        """What was typed, as it is kept; a number may be written with spaces."""
        chosen = next((one.value for one in self.choices if str(one.value) == text), None)
        if self.choices and chosen is None:
            raise BadInput("is none of the choices")
        return chosen if chosen is not None else "".join(text.split()) if self.number else text


def field(
    of: ProfileField | str,
    *,
    label: Text = "",
    hint: Text = "",
    required: bool = False,
    choices: Mapping[str | int, Text] | Sequence[str | int] = (),
) -> FormField:
    """A question of a form: `field(lead.email, required=True)`; `choices` are what is kept, with their words.

    `field(lead.company.turnover, choices={500_000: "less than a million", 5_000_000: "more"})`
    """
    given = choices.items() if isinstance(choices, Mapping) else ((one, str(one)) for one in choices)
    made = tuple(Choice(value=value, label=text) for value, text in given)
    return FormField(path=as_path(of), label=label, hint=hint, required=required, choices=made)


class Filled(NamedTuple):
    """A form as it was filled in: the lead it speaks of, or by field what is wrong (`missing`, `choice`, `unusable`)."""

    lead: dict[str, Any]
    faults: dict[str, str]


class Form(BaseModel):
    """A form at `/f/<key>`: whoever fills it in becomes a known lead and brings about `event`.

    `promise` is what it gets for that; `serves` names the definition whose questions it asks. With a `consent` there is a
    box, never ticked beforehand, that subscribes to `topic`; by `double_opt_in` only once the address confirmed it.
    `delivers` is shown as a link once it is filled in; `goes_to` is a page of your own instead of our `thanks`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: Text
    fields: tuple[FormField, ...]
    event: str
    promise: Offer | Text = ""
    serves: str = ""
    topic: str = "news"
    consent: Text = ""
    double_opt_in: bool = False
    button: Text = ""
    thanks: Text = ""
    goes_to: str = ""
    delivers: str = ""
    stage: str = "visit"

    @field_validator("goes_to", "delivers")
    @classmethod
    def _leads_somewhere(cls, to: str) -> str:
        own = to.startswith("/") and not to.startswith("//")
        if to and not own and not to.startswith(("https://", "http://")):
            raise ValueError(f'"{to}" leads nowhere: write /a/path or https://…')
        return to

    @property
    def offer(self) -> str:
        """The key of the offer it makes; empty when it makes none."""
        return self.promise.key if isinstance(self.promise, Offer) else ""

    def promised(self, language: str, day: date) -> str:
        """What is promised on that day, in words."""
        if isinstance(self.promise, Offer):
            return in_language(self.promise.promise, language) if self.promise.stands(day) else ""
        return in_language(self.promise, language)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it is written in; none when it is written for everybody."""
        return languages_of(self.title)

    @cached_property
    def version(self) -> str:
        """A hash of all it says, so that a consent tells what it was given to."""
        return sha256(self.model_dump_json().encode()).hexdigest()

    def filled(self, given: Mapping[str, str]) -> Filled:
        """What the answers say of the lead; nothing but the form's own fields is looked at."""
        lead: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for one in self.fields:
            text = given.get(one.name, "").strip()
            if not text:
                if one.required:
                    faults[one.name] = "missing"
                continue
            try:
                answer = one.answer(text[:LONGEST_ANSWER])
                self._check(one, answer, given)
            except BadInput:
                faults[one.name] = "choice" if one.choices else one.name if one.name in KINDS else "unusable"
                continue
            group, *inner = one.path
            if inner:
                lead.setdefault(group, {})[inner[0]] = answer
            else:
                lead[group] = answer
        return Filled(lead, faults)

    def _check(self, one: FormField, answer: str | int, given: Mapping[str, str]) -> None:
        group, *inner = one.path
        country = {"country": given["country"]} if group == "phone" and given.get("country") else {}
        validated({**country, group: {inner[0]: answer} if inner else answer})
