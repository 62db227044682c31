"""Surveys as code: questions on one page, answered once by whoever has the link."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nurture.errors import BadInput

Text: TypeAlias = str | dict[str, str]
"""A text, or one by language: `{"en": "Why?", "ru": "Почему?"}`."""

Key: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
LONGEST_ANSWER = 2000


class Question(BaseModel):
    """A question of a survey, and the field of the profile that its answer goes to, if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    text: Text
    needed: bool = True
    field: Literal["nps"] | None = None

    def answer(self, given: str) -> Any:
        """The answer as it is kept, None when there is none; what cannot be one is `BadInput`."""
        raise NotImplementedError


class Scale(Question):
    """A number from 0 to 10."""

    kind: Literal["scale"] = "scale"

    def answer(self, given: str) -> int | None:
        if given and given not in {str(point) for point in range(11)}:
            raise BadInput(f"{self.key}: choose a number from 0 to 10", field=self.key)
        return int(given) if given else None


class Choice(Question):
    """One of some answers, by key."""

    kind: Literal["choice"] = "choice"
    options: dict[Key, Text] = Field(min_length=2, max_length=20)

    def answer(self, given: str) -> str | None:
        if given and given not in self.options:
            raise BadInput(f"{self.key}: choose one of the answers", field=self.key)
        return given or None


class Words(Question):
    """Words of the lead's own."""

    kind: Literal["words"] = "words"
    needed: bool = False

    def answer(self, given: str) -> str | None:
        return "".join(one for one in given[:LONGEST_ANSWER] if one.isprintable() or one in "\n\t").strip()


AnyQuestion: TypeAlias = Annotated[Scale | Choice | Words, Field(discriminator="kind")]


class Survey(BaseModel):
    """Questions on one page: `Survey(key="service", title="…", questions=(scale("speed", "How quick?"), words("why", "Why?")))`.

    The answers are the properties of one event, `survey_answered`, beside the `survey`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: Text
    questions: tuple[AnyQuestion, ...] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _told_apart(self) -> "Survey":
        keys = [one.key for one in self.questions]
        if len(set(keys)) < len(keys) or "survey" in keys:
            raise ValueError('give each question a key of its own, and none the key "survey"')
        return self

    def answers(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answers in a form, by question; one that is needed and missing is `BadInput`."""
        found = {one.key: one.answer(form.get(one.key, "")) for one in self.questions}
        missing = next((one.key for one in self.questions if one.needed and found[one.key] in (None, "")), None)
        if missing is not None:
            raise BadInput(f"{missing}: is not answered yet", field=missing)
        return {key: value for key, value in found.items() if value is not None}

    def fields(self, answers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """What the answers say of the profile."""
        for one in self.questions:
            if one.field is not None and one.key in answers:
                yield one.field, answers[one.key]


def scale(key: str, text: Text, *, needed: bool = True, field: Literal["nps"] | None = None) -> Scale:
    """A number from 0 to 10."""
    return Scale(key=key, text=text, needed=needed, field=field)


def choice(key: str, text: Text, options: Mapping[str, Text], *, needed: bool = True) -> Choice:
    """One of some answers: `choice("by", "How did you hear of us?", {"friend": "A friend", "search": "A search"})`."""
    return Choice(key=key, text=text, options=dict(options), needed=needed)


def words(key: str, text: Text, *, needed: bool = False) -> Words:
    """Words of the lead's own, in as many lines as it likes."""
    return Words(key=key, text=text, needed=needed)


def recommending(key: str) -> Survey:
    """The survey that is asked under a key for which none is written: how likely one is to recommend us, and why."""
    title = {"en": "How likely are you to recommend us?", "ru": "Насколько вероятно, что вы нас порекомендуете?"}
    ends = {"en": "0 is not at all, 10 is very likely.", "ru": "0 — совсем не вероятно, 10 — очень вероятно."}
    why = {"en": "Why? (optional)", "ru": "Почему? (не обязательно)"}
    likely = scale("score", ends, field="nps" if key == "nps" else None)
    return Survey(key=key, title=title, questions=(likely, words("comment", why)))


def spoken(text: Text, language: str) -> str:
    """The text in that language, else in English, else in the first there is."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
