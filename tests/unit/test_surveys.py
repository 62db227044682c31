"""Surveys: what an answer may be, and what is made of it."""

import pytest
from pydantic import ValidationError

from nurture import Survey, choice, scale, words
from nurture.errors import BadInput
from nurture.surveys import recommending, spoken

SERVICE = Survey(
    key="service",
    title={"en": "How did we do?", "ru": "Как вам у нас?"},
    questions=(
        scale("speed", "How quick were we?"),
        choice("by", "How did you hear of us?", {"friend": "A friend", "search": "A search"}, needed=False),
        words("why", "Why?"),
    ),
)


def test_the_answers_are_what_was_asked_for() -> None:
    assert SERVICE.answers({"speed": "7", "by": "friend", "why": " quick\x00! ", "else": "?"}) == {
        "speed": 7, "by": "friend", "why": "quick!",
    }  # fmt: skip


@pytest.mark.parametrize("form", [{}, {"speed": ""}, {"speed": "11"}, {"speed": "7", "by": "nobody"}, {"speed": "٧"}])
def test_what_is_missing_or_no_answer_is_named(form: dict[str, str]) -> None:
    with pytest.raises(BadInput) as told:
        SERVICE.answers(form)

    assert told.value.field == ("by" if "by" in form else "speed")


def test_a_survey_that_nobody_wrote_asks_how_likely_one_is_to_recommend_us() -> None:
    nps = recommending("nps")

    assert nps.answers({"score": "0"}) == {"score": 0, "comment": ""}
    assert dict(nps.fields({"score": 9, "comment": ""})) == {"nps": 9}
    assert dict(recommending("other").fields({"score": 9})) == {}


def test_a_text_is_spoken_in_the_readers_language_as_far_as_there_is_one() -> None:
    assert [spoken(SERVICE.title, language) for language in ("ru", "de")] == ["Как вам у нас?", "How did we do?"]
    assert spoken("Why?", "ru") == "Why?"


def test_questions_are_told_apart() -> None:
    with pytest.raises(ValidationError, match="a key of its own"):
        Survey(key="twice", title="Twice", questions=(scale("one", "?"), scale("one", "?")))
