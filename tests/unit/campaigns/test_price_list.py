from pathlib import Path

import pytest

from nurture import clicked
from nurture.loader import load
from nurture.simulate import at, simulate
from nurture.version import Version

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def price_list() -> Version:
    return load(ROOT / "campaigns").campaigns["price-list"]


def test_a_lead_who_buys_is_thanked_not_nudged(price_list: Version) -> None:
    story = simulate(price_list, events=[at(days=2, event="order_paid")])

    assert story.sent == ["price-list/greet", "price-list/thanks", "surveys/nps"]
    assert story.goal_reached


def test_a_happy_customer_is_asked_to_recommend(price_list: Version) -> None:
    answered = at(days=17, event="survey_answered", lead={"nps": 10})
    story = simulate(price_list, events=[at(days=2, event="order_paid"), answered])

    assert story.sent[-1] == "price-list/refer"
    assert story.lead["stage"] == "promoter"


def test_an_unhappy_customer_is_not(price_list: Version) -> None:
    answered = at(days=17, event="survey_answered", lead={"nps": 3})
    story = simulate(price_list, events=[at(days=2, event="order_paid"), answered])

    assert "price-list/refer" not in story.sent
    assert story.ending == "done"


def test_a_click_spares_the_reminder(price_list: Version) -> None:
    story = simulate(price_list, events=[at(days=1, event=clicked("price-list/greet"))])

    assert "price-list/remind" not in story.sent


def test_a_score_that_is_reached_hands_over_at_once(price_list: Version) -> None:
    hot = at(days=1, event="visit", lead={"score": {"interest": 75}})
    story = simulate(price_list, events=[hot])

    assert story.hand_offs == ["marketing-director"]
    assert story.ending == "left: with sales"


def test_who_refuses_marketing_gets_only_what_was_asked_for(price_list: Version) -> None:
    story = simulate(price_list, lead={"consents": {"*": False}})

    assert story.sent == ["price-list/greet"]
    assert story.withheld[0] == ("price-list/remind", "unsubscribed from news")


def test_a_reminder_waits_for_a_working_morning_of_the_leads_own(price_list: Version) -> None:
    story = simulate(price_list, lead={"time_zone": "Asia/Tokyo"})
    waited = [line.reply for line in story.lines if line.words.startswith("wait 4 days")]

    assert [f"{reply.until:%a %H:%M}" for reply in waited if reply.kind == "parked" and reply.until] == ["Tue 01:00"]
