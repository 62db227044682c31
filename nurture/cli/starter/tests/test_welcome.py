from pathlib import Path

from nurture import clicked
from nurture.loader import load
from nurture.simulate import at, simulate

ROOT = Path(__file__).parents[1]
welcome = load(ROOT / "campaigns", ROOT / "templates").campaigns["welcome"]


def test_who_clicks_is_not_reminded() -> None:
    story = simulate(welcome, events=[at(days=1, event=clicked("welcome/hello"))])

    assert story.sent == ["welcome/hello"]
    assert story.lead["tags"] == ["interested"]


def test_who_does_not_look_is_reminded_once() -> None:
    story = simulate(welcome)

    assert story.sent == ["welcome/hello", "welcome/remind"]
    assert story.ending == "left: did not look"


def test_who_buys_is_left_in_peace() -> None:
    story = simulate(welcome, events=[at(days=1, event="order_paid")])

    assert story.sent == ["welcome/hello"]
    assert story.goal_reached
