"""How often a caller may do something."""

import pytest
from fastapi import Request

from web import throttle
from web.throttle import Throttle, caller_of


def test_a_burst_goes_at_once_and_then_so_many_a_minute() -> None:
    throttle = Throttle(burst=3, a_minute=2)

    assert [throttle.lets("a", now=0) for _ in range(4)] == [True, True, True, False]
    assert [throttle.lets("a", now=30), throttle.lets("a", now=30), throttle.lets("a", now=60)] == [True, False, True]


def test_callers_do_not_take_each_others_turns() -> None:
    throttle = Throttle(burst=1, a_minute=1)

    assert [throttle.lets(one, now=0) for one in ("a", "b", "a")] == [True, True, False]


def test_who_is_refused_does_not_wait_longer_for_it() -> None:
    throttle = Throttle(burst=1, a_minute=1)
    answers = [throttle.lets("a", now=second) for second in range(61)]

    assert [at for at, let in enumerate(answers) if let] == [0, 60]


def test_callers_of_long_ago_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_CALLERS", 10)
    kept = Throttle(burst=1, a_minute=60)
    for n in range(1000):
        kept.lets(str(n), now=n)

    assert len(kept._full_at) <= 10


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_caller_is_an_address_or_the_network_of_a_home(host: str, caller: str) -> None:
    assert caller_of(Request({"type": "http", "client": (host, 1), "headers": []})) == caller
