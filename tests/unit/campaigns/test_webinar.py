from datetime import timedelta
from pathlib import Path

import pytest

from nurture import clicked
from nurture.loader import load
from nurture.simulate import A_MONDAY, at, simulate
from nurture.version import Version

ROOT = Path(__file__).parents[3]
SEAT = {"custom": {"webinar_at": (A_MONDAY + timedelta(days=7)).isoformat()}}


@pytest.fixture(scope="module")
def webinar() -> Version:
    return load(ROOT / "campaigns").campaigns["webinar"]


def test_the_reminder_comes_the_day_before(webinar: Version) -> None:
    story = simulate(webinar, lead=SEAT)

    assert story.sent_at("webinar/reminder") == A_MONDAY + timedelta(days=6)


def test_who_attends_gets_the_slides(webinar: Version) -> None:
    story = simulate(webinar, lead=SEAT, events=[at(days=7, event="webinar_attended")])

    assert story.sent[-1] == "webinar/slides"
    assert story.lead["tags"] == ["webinar"]


def test_who_asked_a_question_is_handed_over(webinar: Version) -> None:
    asked = [at(days=7, event="webinar_attended"), at(days=7, hours=1, event="question_asked")]
    story = simulate(webinar, lead=SEAT, events=[*asked, at(days=9, event=clicked("webinar/slides"))])

    assert story.hand_offs == ["marketing-director"]


def test_who_misses_it_gets_the_recording(webinar: Version) -> None:
    story = simulate(webinar, lead=SEAT)

    assert story.sent[-1] == "webinar/recording"
    assert story.ending == "left: missed it, and the recording too"


def test_a_cancelled_seat_ends_it(webinar: Version) -> None:
    story = simulate(webinar, lead=SEAT, events=[at(days=2, event="webinar_cancelled")])

    assert story.sent == ["webinar/confirm"]
