"""A rate: so many a second, and no crowd at the end of a wait."""

import heapq
from collections.abc import Sequence
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.rate import Rate

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the arithmetic


def went(rate: Rate, arrivals: list[float], late: Sequence[float] = (0.0,)) -> list[float]:
    """When each went, who comes back when it was told to, or by turns so many seconds late."""
    lateness = cycle(late)
    waiting, gone = list(arrivals), []
    heapq.heapify(waiting)
    while waiting:
        now = heapq.heappop(waiting)
        turn = rate.turn(now)
        if turn.now:
            gone.append(now)
        else:
            heapq.heappush(waiting, now + turn.seconds + next(lateness))
    return gone


def test_a_seconds_worth_goes_at_once_and_the_rest_at_the_rate() -> None:
    gone = went(Rate(10), [0.0] * 50)

    assert gone[:10] == [0.0] * 10
    assert gone[-1] == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("per_second", [0.1, 1, 50])
def test_what_comes_slower_than_the_rate_never_waits(per_second: float) -> None:
    arrivals = [100 + n / per_second for n in range(20)]
    assert went(Rate(per_second), arrivals) == arrivals


@UNHURRIED
@given(st.floats(0.5, 50), st.lists(st.floats(0, 20), max_size=60))
def test_in_no_second_more_go_than_the_rate_and_what_was_saved_up(per_second: float, arrivals: list[float]) -> None:
    gone = went(Rate(per_second), arrivals)

    assert len(gone) == len(arrivals)
    for at, start in enumerate(gone):
        in_a_second = sum(1 for one in gone[at:] if one < start + 1)
        assert in_a_second <= 2 * per_second + 2


@UNHURRIED
@given(st.integers(1, 300))
def test_all_of_a_crowd_have_gone_when_the_rate_allows(crowd: int) -> None:
    assert went(Rate(20), [0.0] * crowd)[-1] <= crowd / 20 + 0.1


@UNHURRIED
@given(st.floats(0.05, 5), st.lists(st.floats(0, 20), min_size=1, max_size=60), st.lists(st.floats(0, 0.1), min_size=1))
def test_who_comes_back_a_moment_late_loses_its_turn_to_nobody(
    per_second: float, arrivals: list[float], late: list[float]
) -> None:
    gone = went(Rate(per_second), arrivals, late)

    assert gone[-1] <= max(arrivals) + (len(arrivals) + 1) / per_second + 1
