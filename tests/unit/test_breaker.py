"""A breaker: what opens it, what does not, and how the return is spread."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.breaker import LONGEST_SPREAD, PROBE_EVERY, Breaker, Outcome, after, put_off

WORKS, PUT_OFF, REFUSED, DOWN, LOCKED = Outcome


def tried(outcomes: Sequence[Outcome], now: datetime) -> Breaker:
    breaker = Breaker()
    for outcome in outcomes:
        breaker = after(breaker, outcome, f"it is {outcome}", now, probe=False)
    return breaker


@pytest.mark.parametrize(
    "outcomes", [[DOWN] * 5, [WORKS, *[DOWN] * 5], [LOCKED], [REFUSED] * 10, [WORKS, REFUSED] * 10, [PUT_OFF] * 20]
)
def test_trouble_of_the_providers_own_opens_it(outcomes: list[Outcome], now: datetime) -> None:
    assert not tried(outcomes[:-1], now).open
    assert tried(outcomes, now) == Breaker(
        opened_at=now, probe_at=now + PROBE_EVERY, reason=f"it is {outcomes[-1]}"
    )  # fmt: skip


@pytest.mark.parametrize(
    "outcomes",
    [[DOWN, DOWN, DOWN, DOWN, WORKS] * 9, [*[REFUSED] * 9, *[WORKS] * 11] * 3, [*[PUT_OFF] * 19, WORKS] * 3],
)
def test_trouble_now_and_then_does_not(outcomes: list[Outcome], now: datetime) -> None:
    assert not tried(outcomes, now).open


def test_a_probe_that_succeeds_closes_it_and_what_was_before_is_forgotten(now: datetime) -> None:
    assert after(tried([DOWN] * 5, now), WORKS, "", now + PROBE_EVERY, probe=True) == Breaker()


@pytest.mark.parametrize("outcome", [PUT_OFF, REFUSED, DOWN, LOCKED])
def test_any_other_probe_leaves_it_open(outcome: Outcome, now: datetime) -> None:
    breaker = tried([LOCKED], now)
    assert after(breaker, outcome, "", now + PROBE_EVERY, probe=True) == breaker


@given(st.sampled_from(Outcome))
def test_what_was_begun_before_it_opened_changes_nothing(outcome: Outcome) -> None:
    now = datetime.fromisoformat("2026-11-23T10:00:00Z")
    breaker = tried([DOWN] * 5, now)
    assert after(breaker, outcome, "", now, probe=False) == breaker


def test_a_probe_is_due_half_a_minute_after_it_opened(now: datetime) -> None:
    breaker = tried([LOCKED], now)
    assert not breaker.due(now + timedelta(seconds=29))
    assert breaker.due(now + timedelta(seconds=30))
    assert not Breaker().due(now)


@pytest.mark.parametrize(("lasts", "spread"), [(0, 30), (120, 120), (21600, 300)])
def test_the_longer_it_lasts_the_wider_the_return_is_spread(lasts: int, spread: int, now: datetime) -> None:
    present = now + timedelta(seconds=lasts)
    breaker = Breaker(opened_at=now, probe_at=present + PROBE_EVERY)
    waits = sorted(put_off(breaker, f"message {n}", present).total_seconds() for n in range(1000))

    assert 30 <= waits[0] < 30 + spread * 0.01
    assert 30 + spread * 0.99 < waits[-1] < 30 + spread
    assert waits[500] == pytest.approx(30 + spread / 2, rel=0.1)


def test_a_message_put_off_comes_back_after_the_probe_however_late_that_is(now: datetime) -> None:
    breaker = Breaker(opened_at=now, probe_at=now + PROBE_EVERY)
    assert put_off(breaker, "a", now + timedelta(hours=1)) <= LONGEST_SPREAD
