import pytest

from nurture.preferences import Said, choices, following, languages, said
from nurture.topics import Topic

NEWS = Topic(key="news", title={"en": "News", "ru": "Новости"}, about={"en": "Once a month", "ru": "Раз в месяц"})
SERVICE = Topic(key="service", title={"en": "Service", "ru": "Сервис", "de": "Service"}, opt_out=True)
TOPICS = {"news": NEWS, "service": SERVICE}


def ticked(answers: dict[str, bool], *, assumed: bool = False) -> list[str]:
    return [one.key for one in choices(TOPICS, answers, "en", assumed=assumed) if one.ticked]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param({}, ["service"], id="D-31 nothing said: opt-in out, opt-out in"),
        pytest.param({"news": True}, ["news", "service"], id="D-31 a yes"),
        pytest.param({"service": False}, [], id="D-31 a no"),
        pytest.param({"*": False}, [], id="N-14 a no to all"),
        pytest.param({"*": False, "news": True}, ["news"], id="N-14 a yes that holds beside a no to all"),
        pytest.param({"*": True}, ["news", "service"], id="N-14 a yes to all"),
    ],
)
def test_a_box_is_ticked_as_things_stand(answers: dict[str, bool], expected: list[str]) -> None:
    assert ticked(answers) == expected


def test_where_consent_is_assumed_every_box_is_ticked() -> None:
    assert ticked({}, assumed=True) == ["news", "service"]


def test_a_topic_that_is_declared_no_more_is_shown_to_who_answered_it() -> None:
    boxes = choices(TOPICS, {"old": True, "*": True, "tracking": False}, "en")

    assert [one.key for one in boxes] == ["news", "service", "old"]


def test_words_are_in_the_language_of_the_lead() -> None:
    assert [one.words for one in choices(TOPICS, {}, "ru")] == ["Новости: Раз в месяц", "Сервис"]


def test_only_what_was_changed_is_said() -> None:
    boxes = choices(TOPICS, {"news": True}, "en")

    assert said(boxes, ["news", "service"], ["news", "service"]) == []
    assert said(boxes, ["news", "service"], ["service", "none of ours"]) == [Said("news", False, "News: Once a month")]


def test_what_became_of_a_box_meanwhile_is_left_alone_by_who_did_not_touch_it() -> None:
    left_meanwhile = choices(TOPICS, {"news": False}, "en")

    assert said(left_meanwhile, ["news"], ["news", "service"]) == [Said("service", True, "Service")]


def test_a_lead_is_followed_until_it_objects() -> None:
    assert [following(answers, "Follow me").ticked for answers in ({}, {"*": False}, {"tracking": False})] == [
        True, True, False,
    ]  # fmt: skip


def test_a_lead_chooses_among_the_languages_of_all_boxes() -> None:
    assert languages([NEWS, SERVICE, Topic(key="plain", title="For everybody")]) == ("en", "ru")
    assert languages([Topic(key="plain", title="For everybody")]) == ()
