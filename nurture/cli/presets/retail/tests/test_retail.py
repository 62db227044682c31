from pathlib import Path

from nurture.loader import load
from nurture.simulate import at, simulate

ROOT = Path(__file__).parents[1]
campaigns = load(ROOT / "campaigns", ROOT / "templates").campaigns


def test_who_orders_again_is_not_reminded() -> None:
    again = at(days=40, event="order_paid", order="2")

    assert simulate(campaigns["again"], events=[again]).sent == ["again/add"]
    assert simulate(campaigns["again"]).sent == ["again/add", "again/remind"]


def test_only_the_best_of_quiet_customers_get_a_gift() -> None:
    best, other = ({"customer": True, "rfm": {"money": money}} for money in (5, 2))

    assert simulate(campaigns["win-back"], lead=best).sent == ["win-back/miss-you", "win-back/gift"]
    assert simulate(campaigns["win-back"], lead=other).sent == ["win-back/miss-you"]


def test_who_comes_back_is_left_in_peace() -> None:
    story = simulate(campaigns["win-back"], events=[at(days=3, event="visit")])

    assert (story.sent, story.ending) == (["win-back/miss-you"], "left: came back")
