from pathlib import Path

from nurture import clicked
from nurture.loader import load
from nurture.simulate import at, simulate

ROOT = Path(__file__).parents[1]
campaigns = load(ROOT / "campaigns", ROOT / "templates").campaigns


def test_who_comes_by_more_than_once_is_offered_a_guide() -> None:
    story = simulate(campaigns["track"], events=[at(days=2, event=clicked("track/guide"))])

    assert story.sent == ["track/guide"]
    assert (story.lead["stage"], story.lead["needs"]) == ("interest", {"starter-kit": 40})


def test_a_request_is_answered_and_leads_on_to_the_course() -> None:
    story = simulate(campaigns["capture"])

    assert story.sent == ["capture/hello"]
    assert "enrol in course" in story.done


def test_who_follows_the_course_is_ready() -> None:
    story = simulate(campaigns["course"], events=[at(days=15, event=clicked("course/lesson-3"))])

    assert story.sent == ["course/lesson-1", "course/lesson-2", "course/lesson-3"]
    assert story.lead["needs"] == {"starter-kit": 70}


def test_who_buys_gets_no_more_lessons() -> None:
    bought = at(days=3, event="order_paid", lead={"customer": True})

    assert simulate(campaigns["course"], events=[bought]).sent == ["course/lesson-1"]


def test_what_is_known_is_not_asked_for_and_who_is_ready_goes_to_sales() -> None:
    told = at(days=3, event="answered", lead={"bant": {"timing": "spring"}})
    story = simulate(campaigns["personalize"], lead={"bant": {"budget": 5000}}, events=[told])

    assert story.sent == ["bant/timing"]
    assert story.hand_offs == ["known"]
