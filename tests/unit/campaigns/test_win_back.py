from pathlib import Path

import pytest

from nurture.loader import load
from nurture.simulate import at, simulate
from nurture.version import Version

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def win_back() -> Version:
    return load(ROOT / "campaigns").campaigns["win-back"]


def test_a_customer_who_comes_back_gets_no_gift(win_back: Version) -> None:
    story = simulate(win_back, events=[at(days=3, event="visit")])

    assert story.sent == ["win-back/miss-you"]
    assert story.ending == "left: came back"


def test_a_customer_who_stays_away_gets_a_second_reason_and_then_peace(win_back: Version) -> None:
    story = simulate(win_back)

    assert story.sent == ["win-back/miss-you", "win-back/gift"]
    assert story.lead["tags"] == ["quiet"]


def test_an_order_is_the_goal(win_back: Version) -> None:
    story = simulate(win_back, events=[at(days=20, event="order_paid")])

    assert story.goal_reached
    assert story.ending == "goal reached"
