"""Grades: fit by interest, as what they mean for the scores."""

import pytest

from nurture import Campaign, Grade, Score, State, branch, days, done, event, gives, lead, on, send, wait_for, when
from nurture.facts import Facts
from nurture.grades import NAMES, resolved
from nurture.simulate import A_MONDAY, at, simulate

BUYER = Grade(key="buyer", fit="fit", interest="interest", letters=(60, 40, 20), numbers=(70, 40, 10))


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ({"fit": 60, "interest": 70}, "A1"),
        ({"fit": 59.9, "interest": 70}, "B1"),
        ({"fit": 20, "interest": 10}, "C3"),
        ({"interest": 39}, "D3"),
        ({}, "D4"),
    ],
)
def test_a_grade_is_the_place_of_two_scores(scores: dict[str, float], name: str) -> None:
    facts = Facts(A_MONDAY, {"score": scores})

    assert BUYER.of(scores) == name
    assert [one for one in NAMES if BUYER.means([one]).test(facts)] == [name]


def test_a_condition_on_a_grade_becomes_one_on_its_scores() -> None:
    campaign = Campaign(
        "road",
        [
            State("first", [branch(when(lead.grade("buyer").one_of("A1", "A2"), to="sell"), otherwise=done)]),
            State("sell", [send("road/sell")]),
        ],
        enters=[when(lead.grade("buyer") != "D4")],
    )
    found = resolved(campaign, {"buyer": BUYER})

    assert found.enters[0].depends_on() == {"score.fit", "score.interest"}
    assert found.enters[0].words() == ("when not (fit score is not at least 20 and interest score is not at least 10)")
    assert resolved(campaign, {}) is campaign
    assert resolved(campaign.model_copy(update={"enters": ()}), {"other": BUYER}).states == campaign.states


def test_only_whole_grades_are_asked_for() -> None:
    with pytest.raises(TypeError, match="one_of"):
        lead.grade("buyer") >= "B1"  # noqa: B015  # what is raised is the answer


def test_a_simulated_lead_goes_by_its_grade() -> None:
    scores = (
        Score(key="fit", rules=(gives(60, when(lead.country == "DE")),)),
        Score(key="interest", rules=(gives(70, on("visit")),)),
    )
    campaign = Campaign(
        "road",
        [
            State("first", [branch(when(lead.grade("buyer") == "A1", to="sell"), otherwise=done)]),
            State("sell", [send("road/sell")]),
        ],
        enters=[event("visit")],
    )
    stories = [simulate(campaign, lead={"country": country}, scores=scores, grades=[BUYER]) for country in ("DE", "FR")]

    assert [story.sent for story in stories] == [["road/sell"], []]


def test_a_simulated_score_fades_until_a_condition_hears_it() -> None:
    warmth = Score(key="warmth", half_life=days(10), rules=(gives(40, on("visit")),))
    campaign = Campaign(
        "road",
        [
            State("first", [wait_for(when(lead.score("warmth") < 10), up_to=days(60), then="wake", otherwise=done)]),
            State("wake", [send("road/wake")]),
        ],
        enters=[on("visit")],
    )
    plain = simulate(campaign, scores=[warmth])
    again = simulate(campaign, scores=[warmth], events=[at(days=15, event="visit")])

    assert [(story.sent_at("road/wake") - A_MONDAY).days for story in (plain, again)] == [20, 39]
