"""What messages are for, over the stages of the life cycle."""

from nurture.content import Piece, Tags, coverage, tags_of
from nurture.stages import STAGES

CASE = Piece("a/case", Tags(("learn", "return"), ("price",), ("product",)), ("nurture",))
OFFER = Piece("a/offer", Tags(("return",), ("risk",), ()), ("nurture", "win-back"))
DRAFT = Piece("a/draft", Tags(), ())


def test_every_stage_is_told_of_also_those_without_content() -> None:
    found = coverage([CASE, OFFER, DRAFT])

    assert [one.stage for one in found] == list(STAGES)
    assert {one.stage: one.messages for one in found if one.messages} == {
        "learn": ("a/case",),
        "return": ("a/case", "a/offer"),
    }


def test_an_objection_of_one_message_is_asked_of_every_stage() -> None:
    found = {one.stage: one for one in coverage([CASE, OFFER])}

    assert found["learn"].objections == {"price": ("a/case",), "risk": ()}
    assert found["return"].objections == {"price": ("a/case",), "risk": ("a/offer",)}
    assert found["return"].trust == {"product": ("a/case",), "company": ()}


def test_a_stage_names_all_campaigns_that_send_its_content() -> None:
    found = {one.stage: one.campaigns for one in coverage([CASE, OFFER])}

    assert (found["learn"], found["return"], found["need"]) == (("nurture",), ("nurture", "win-back"), ())


def test_what_is_no_word_is_no_tag() -> None:
    assert tags_of([("stage", 7, 1), ("stage", ["learn", ""], 2), ("colour", "red", 3)]) == Tags(("learn",))
