"""How fast mail goes to a receiver: slowed, recovering, and shared out in turns."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.deliverability.flow import FULL, LEAST, Flow, slowed, turns

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the arithmetic

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def complaints(number: int, apart: timedelta = timedelta(seconds=20)) -> Flow:
    """A flow after so many of them."""
    flow = Flow()
    for n in range(number):
        flow = slowed(flow, FULL, "421 4.7.0", NOW + n * apart)
    return flow


def test_each_complaint_halves_it_and_a_last_little_always_goes() -> None:
    assert [complaints(n).rate for n in (1, 2, 3)] == [5.0, 2.5, 1.25]
    assert complaints(100).rate == LEAST


def test_answers_to_mails_that_were_under_way_together_count_once() -> None:
    assert complaints(50, apart=timedelta(milliseconds=200)).rate == 5.0


def test_it_comes_back_little_by_little_and_is_free_within_twenty_quiet_minutes() -> None:
    flow = complaints(1)
    rates = [flow.now(FULL, NOW + n * MINUTE) for n in range(11)]

    assert rates == [5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, None]
    assert complaints(100).now(FULL, NOW + 100 * timedelta(seconds=20) + 20 * MINUTE) is None


def test_a_complaint_on_the_way_back_halves_what_it_goes_at_by_then() -> None:
    again = slowed(complaints(1), FULL, "421 4.7.0", NOW + 4 * MINUTE)

    assert again.rate == 3.5


def test_a_rate_of_its_own_is_what_it_comes_back_to() -> None:
    flow = slowed(Flow(), 2.0, "451 4.7.1", NOW)

    assert (flow.rate, flow.now(2.0, NOW + 10 * MINUTE)) == (1.0, None)


@UNHURRIED
@given(st.floats(LEAST, 100), st.lists(st.floats(0, 5), max_size=80), st.integers(1, 30))
def test_workers_that_take_turns_together_never_go_faster_than_the_rate(
    rate: float, pauses: list[float], wanted: int
) -> None:
    now, taken_until, gone = NOW, None, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        taken = turns(taken_until, rate, wanted, now)
        taken_until = taken.taken_until
        gone += [now] * taken.granted
    for at, start in enumerate(gone):
        in_ten_seconds = sum(1 for one in gone[at:] if one < start + timedelta(seconds=10))
        assert in_ten_seconds <= 10 * rate + max(rate, 2) + 0.01


@pytest.mark.parametrize("rate", [LEAST, 0.5, 1, 7, 20])
def test_who_comes_back_when_told_gets_its_turn(rate: float) -> None:
    now, taken_until, gone = NOW, None, list[datetime]()
    for _ in range(60):
        taken = turns(taken_until, rate, 1, now)
        taken_until = taken.taken_until
        if taken.granted:
            gone.append(now)
        now += taken.wait
    steady = [after - before for before, after in pairwise(gone)][25:]

    assert steady
    assert max(steady) <= timedelta(seconds=1 / rate) + timedelta(milliseconds=1)
