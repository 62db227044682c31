"""The life of one message in the send ledger: which status may follow which, and what a crash left behind means.

planned → claimed (lease) → committing → accepted | deferred | rejected | unknown; or withheld, cancelled, expired.
*Committing* is written just before the hand-over to the provider: found again after a crash it is the one ambiguous
instant, and it is shown as *unknown*.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

LEASE = timedelta(seconds=20)  # longer than an activity may run, so that a claim outlives its attempt
CERTAIN = timedelta(seconds=30)  # sooner, a provider that does not know a message may still be about to take it


class Status(StrEnum):
    """Where a message stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    COMMITTING = "committing"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


FOLLOWS: dict[Status, frozenset[Status]] = {
    Status.PLANNED: frozenset({Status.CLAIMED, Status.DEFERRED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED}),
    Status.DEFERRED: frozenset({Status.CLAIMED, Status.DEFERRED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED}),
    Status.CLAIMED: frozenset(
        {Status.CLAIMED, Status.COMMITTING, Status.DEFERRED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED,
         Status.REJECTED}
    ),
    Status.COMMITTING: frozenset({Status.ACCEPTED, Status.DEFERRED, Status.REJECTED, Status.UNKNOWN}),
    Status.UNKNOWN: frozenset({Status.ACCEPTED, Status.CLAIMED, Status.REJECTED, Status.UNKNOWN}),
    Status.ACCEPTED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.SUPPRESSED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}  # fmt: skip

FINAL = frozenset(status for status, following in FOLLOWS.items() if not following)
SENDABLE = frozenset({Status.PLANNED, Status.DEFERRED})


class Found(NamedTuple):
    """A message as an attempt finds it: its status, and until when somebody's claim holds."""

    status: Status
    claimed_until: datetime | None


class Plan(NamedTuple):
    """What an attempt does with a message it found; `wait_until` for the busy one."""

    act: Literal["claim", "settled", "busy", "ask"]
    wait_until: datetime | None = None


def recovered(found: Found, now: datetime) -> Plan:
    """What to do with a message: claim it, leave it as settled, wait for its holder, or ask what became of it.

    A lapsed *claimed* is safe to claim again: nothing was handed over. A lapsed *committing*, and an *unknown* one, can
    only be asked after: see `answered`.
    """
    if found.status in FINAL:
        return Plan("settled")
    if found.status in SENDABLE:
        return Plan("claim")
    if found.status is Status.UNKNOWN:
        return Plan("ask")
    if found.claimed_until is not None and found.claimed_until > now:
        return Plan("busy", found.claimed_until)
    return Plan("claim" if found.status is Status.CLAIMED else "ask")


def answered(accepted: bool | None, policy: Literal["hold", "resend"]) -> Status:
    """What an ambiguous message becomes when the provider was asked: accepted, to be sent again, or held as unknown."""
    if accepted is True:
        return Status.ACCEPTED
    if accepted is False:
        return Status.CLAIMED
    return Status.CLAIMED if policy == "resend" else Status.UNKNOWN


def may_become(status: Status, following: Status) -> bool:
    """Whether the one may follow the other."""
    return following in FOLLOWS[status]
