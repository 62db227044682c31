"""Whose a bounce is, and when a mailbox is given up."""

from datetime import datetime, timedelta

import pytest

from nurture.returns.bounces import Fault, fault_of, given_up


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("5.1.1", Fault.ADDRESS),
        ("5.1.2", Fault.ADDRESS),
        ("5.1.3", Fault.ADDRESS),
        ("5.1.10", Fault.ADDRESS),
        ("5.1.7", Fault.SENDER),
        ("5.1.8", Fault.SENDER),
        ("4.2.2", Fault.MAILBOX),
        ("5.2.1", Fault.MAILBOX),
        ("5.2.2", Fault.MAILBOX),
        ("4.7.1", Fault.PASSING),
        ("4.4.7", Fault.PASSING),
        ("4.3.2", Fault.PASSING),
        ("421", Fault.PASSING),
        ("450", Fault.PASSING),
        ("5.7.1", Fault.SENDER),
        ("5.7.515", Fault.SENDER),
        ("554", Fault.SENDER),
        ("550", Fault.SENDER),
        ("5.3.4", Fault.SIZE),
        ("552", Fault.SIZE),
        ("5.4.4", Fault.UNTOLD),
        ("5.0.0", Fault.UNTOLD),
        ("", Fault.UNTOLD),
    ],
)
def test_whose_a_bounce_is_stands_in_its_code(code: str, fault: Fault) -> None:
    assert fault_of(code) is fault


@pytest.mark.parametrize(
    ("code", "words", "fault"),
    [
        ("550", "no such user here", Fault.ADDRESS),
        ("5.0.0", "550 mailbox not found", Fault.ADDRESS),
        ("550", "no such user, or blocked by policy", Fault.SENDER),
        ("552", "mailbox is full", Fault.MAILBOX),
        ("450", "quota exceeded", Fault.MAILBOX),
        ("450", "greylisted, come back later", Fault.PASSING),
        ("5.7.1", "mailbox is full", Fault.SENDER),
        ("5.1.1", "blocked", Fault.ADDRESS),
    ],
)
def test_words_count_where_the_code_says_nothing(code: str, words: str, fault: Fault) -> None:
    assert fault_of(code, words) is fault


def test_what_was_not_for_good_is_the_mailboxs_whatever_the_code() -> None:
    assert fault_of("5.1.1", permanent=False) is Fault.MAILBOX
    assert fault_of("", permanent=False) is Fault.MAILBOX


def on(now: datetime, *days: float) -> list[datetime]:
    return [now + timedelta(days=day) for day in days]


def test_three_soft_bounces_over_a_week_are_enough(now: datetime) -> None:
    assert given_up(on(now, 0, 3, 7), None)


@pytest.mark.parametrize("days", [(0, 7), (0, 1, 6.9), (0, 8), ()])
def test_fewer_or_in_less_than_a_week_are_not(now: datetime, days: tuple[float, ...]) -> None:
    assert not given_up(on(now, *days), None)


def test_they_count_from_the_last_message_that_arrived(now: datetime) -> None:
    soft = on(now, 0, 3, 7)

    assert not given_up(soft, now + timedelta(days=1))
    assert given_up([*soft, now + timedelta(days=10.5)], now + timedelta(days=1))
