"""Fading: points that halve with every half-life."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.fading import Fade, edges, points_now

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
DAY = 86_400.0
THEN = NOW.timestamp()


def test_points_halve_with_every_half_life_and_wait_for_their_time() -> None:
    fade = Fade(40, THEN, 30 * DAY)

    assert [fade.left(THEN + days * DAY) for days in (-5, 0, 30, 60)] == [40, 40, 20, 10]


def test_points_added_date_from_when_they_were_earned() -> None:
    fade = Fade(40, THEN, 30 * DAY).plus(40, THEN, THEN + 30 * DAY)

    assert fade.points == pytest.approx(40)
    assert fade.left(THEN + 60 * DAY) == pytest.approx(20)


@settings(max_examples=50, deadline=None)
@given(gifts=st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 400)), min_size=1, max_size=10), data=st.data())
def test_the_order_in_which_points_come_is_nothing_to_what_is_left(
    gifts: list[tuple[int, int]], data: st.DataObject
) -> None:
    left = []
    for order in (gifts, data.draw(st.permutations(gifts))):
        fade = Fade(0, THEN, 30 * DAY)
        for at, (points, dated) in enumerate(order):
            fade = fade.plus(points, THEN + dated * DAY, THEN + (400 + at) * DAY)
        left.append(fade.left(THEN + 500 * DAY))

    assert left[0] == pytest.approx(left[1], abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(points=st.floats(-100, 100).filter(lambda it: abs(it) > 1), share=st.floats(0.01, 0.99))
def test_it_is_known_when_so_much_is_left(points: float, share: float) -> None:
    fade = Fade(points, THEN, 30 * DAY)
    at = fade.reaches(points * share)

    assert at is not None
    assert fade.left(at) == pytest.approx(points * share)
    assert fade.level - at / fade.half_life == pytest.approx(Fade(points * share, 0, 30 * DAY).level)


def test_nothing_comes_to_more_or_to_the_other_side_by_fading() -> None:
    fade = Fade(40, THEN, 30 * DAY)

    assert [fade.reaches(points) for points in (41, 0, -10)] == [None] * 3
    assert Fade(0, THEN, DAY).reaches(5) is None


def test_scores_are_seen_in_hundredths_so_that_a_moment_takes_nothing() -> None:
    fading = {"warmth": [70.0, THEN, 30 * DAY]}

    assert points_now({"warmth": 70, "fit": 0.125}, fading, datetime.fromtimestamp(THEN + 60, UTC)) == {
        "warmth": 70,
        "fit": 0.125,
    }
    assert edges(70) == (69.995, 70.005)
