"""The send ledger: which status may follow which, and what is made of a message that an attempt finds."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.ledger import FINAL, FOLLOWS, LEASE, Found, Plan, Status, answered, may_become, recovered

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
HELD, LAPSED = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
ALLOWED = """
    planned    -> claimed deferred suppressed cancelled expired
    deferred   -> claimed deferred suppressed cancelled expired
    claimed    -> claimed committing deferred suppressed cancelled expired rejected
    committing -> accepted deferred rejected unknown
    unknown    -> accepted claimed rejected unknown
"""
LINES = (line.split("->") for line in ALLOWED.strip().splitlines())
FOLLOWING = {before.strip(): set(after.split()) for before, after in LINES}


@pytest.mark.parametrize("status", Status)
def test_a_status_is_followed_by_those_it_may_and_by_no_other(status: Status) -> None:
    assert {following.value for following in Status if may_become(status, following)} == FOLLOWING.get(status, set())


def test_what_is_settled_stays_so() -> None:
    assert {
        Status.ACCEPTED, Status.REJECTED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED,
    } == FINAL  # fmt: skip


def test_nothing_is_handed_over_that_was_not_committed_to_before() -> None:
    assert [status for status, following in FOLLOWS.items() if Status.ACCEPTED in following] == [
        Status.COMMITTING, Status.UNKNOWN,
    ]  # fmt: skip
    assert [status for status, following in FOLLOWS.items() if Status.COMMITTING in following] == [Status.CLAIMED]


@pytest.mark.parametrize(
    ("status", "until", "plan"),
    [
        (Status.PLANNED, None, Plan("claim")),
        (Status.DEFERRED, LAPSED, Plan("claim")),
        (Status.DEFERRED, HELD, Plan("claim")),
        (Status.CLAIMED, HELD, Plan("busy", HELD)),
        (Status.CLAIMED, NOW, Plan("claim")),
        (Status.CLAIMED, LAPSED, Plan("claim")),
        (Status.CLAIMED, None, Plan("claim")),
        (Status.COMMITTING, HELD, Plan("busy", HELD)),
        (Status.COMMITTING, NOW, Plan("ask")),
        (Status.COMMITTING, LAPSED, Plan("ask")),
        (Status.UNKNOWN, HELD, Plan("ask")),
        (Status.UNKNOWN, LAPSED, Plan("ask")),
        *((status, HELD, Plan("settled")) for status in sorted(FINAL)),
    ],
)
def test_what_a_crash_left_behind_is_claimed_again_asked_after_or_left(
    status: Status, until: datetime | None, plan: Plan
) -> None:
    assert recovered(Found(status, until), NOW) == plan


@pytest.mark.parametrize(
    ("accepted", "policy", "status"),
    [
        (True, "hold", Status.ACCEPTED),
        (True, "resend", Status.ACCEPTED),
        (False, "hold", Status.CLAIMED),
        (False, "resend", Status.CLAIMED),
        (None, "hold", Status.UNKNOWN),
        (None, "resend", Status.CLAIMED),
    ],
)
def test_an_ambiguous_message_becomes_what_the_provider_says_or_else_its_policy(
    accepted: bool | None, policy: Literal["hold", "resend"], status: Status
) -> None:
    assert answered(accepted, policy) is status


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_it_goes_through_a_message_can_still_be_settled(data: st.DataObject) -> None:
    status, way = Status.PLANNED, [Status.PLANNED]
    while status not in FINAL and len(way) < 30:
        status = data.draw(st.sampled_from(sorted(FOLLOWS[status])))
        way.append(status)

    assert Status.ACCEPTED not in way or Status.COMMITTING in way[: way.index(Status.ACCEPTED)]
    assert status in FINAL or FOLLOWS[status] & (FINAL | {Status.CLAIMED, Status.COMMITTING})


def test_a_claim_outlives_the_attempt_that_made_it() -> None:
    assert timedelta(seconds=15) < LEASE
