from pathlib import Path

from nurture.loader import load
from nurture.simulate import at, simulate

ROOT = Path(__file__).parents[1]
campaigns = load(ROOT / "campaigns", ROOT / "templates").campaigns
BOUGHT = {"customer": True, "orders": {"count": 1}}


def test_who_is_not_content_is_called() -> None:
    answered = at(days=15, event="survey_answered", survey="nps", lead={"nps": 3})
    story = simulate(campaigns["thanks"], lead=BOUGHT, events=[answered])

    assert story.sent == ["thanks/first", "surveys/nps"]
    assert "task for sales: Call: the customer is not content, due in 1 day" in story.done


def test_who_is_content_is_asked_for_a_review() -> None:
    answered = at(days=15, event="survey_answered", survey="nps", lead={"nps": 10})
    story = simulate(campaigns["thanks"], lead=BOUGHT, events=[answered])

    assert story.sent == ["thanks/first", "surveys/nps", "thanks/review"]
    assert "enrol in recommend" in story.done


def test_who_recommends_is_thanked_when_the_friend_has_bought() -> None:
    known = {**BOUGHT, "nps": 9}
    story = simulate(campaigns["recommend"], lead=known, events=[at(days=20, event="referral_rewarded")])

    assert story.sent == ["recommend/ask", "recommend/thanks"]
    assert story.lead["stage"] == "promoter"


def test_who_is_not_content_is_not_asked_to_recommend() -> None:
    assert simulate(campaigns["recommend"], lead={**BOUGHT, "nps": 5}).sent == []
