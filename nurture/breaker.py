"""A provider's breaker: when nothing is sent through it for a while, and what finds out that it works again.

Closed, everything goes. It opens on trouble of the provider's own, never on what is wrong with one address or message;
open, one attempt goes every `PROBE_EVERY`, and everything else is put off. A probe that succeeds closes it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

PROBE_EVERY = timedelta(seconds=30)
DOWN_IN_A_ROW = 5
LOOKED_BACK_ON = 20
TOO_MANY_REFUSED = 10
SHORTEST_SPREAD, LONGEST_SPREAD = PROBE_EVERY, timedelta(minutes=5)


class Outcome(StrEnum):
    """What an attempt says of the provider."""

    WORKS = "works"  # it took the message, or refused it for the address's sake
    PUT_OFF = "put off"  # it wants this message later: gives rise to doubt only when it says so to all
    REFUSED = "refused"  # its policy is against us: not the address's fault
    DOWN = "down"  # it is out of reach, or in trouble itself
    LOCKED = "locked"  # it does not take our credentials


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker as it stands; the attempts behind it are only this process's own."""

    opened_at: datetime | None = None
    probe_at: datetime | None = None
    reason: str = ""
    in_a_row: int = 0
    recent: tuple[Outcome, ...] = ()

    @property
    def open(self) -> bool:
        """Whether nothing goes, but for a probe now and then."""
        return self.opened_at is not None

    def due(self, now: datetime) -> bool:
        """Whether a probe may be tried now."""
        return self.open and (self.probe_at is None or self.probe_at <= now)


def after(breaker: Breaker, outcome: Outcome, reason: str, now: datetime, *, probe: bool) -> Breaker:
    """The breaker after an attempt; of those begun before it opened, nothing more is learnt."""
    if breaker.open:
        return Breaker() if probe and outcome is Outcome.WORKS else breaker
    in_a_row = breaker.in_a_row + 1 if outcome is Outcome.DOWN else 0
    recent = (*breaker.recent, outcome)[-LOOKED_BACK_ON:]
    if _trips(outcome, in_a_row, recent):
        return Breaker(opened_at=now, probe_at=now + PROBE_EVERY, reason=reason)
    return Breaker(in_a_row=in_a_row, recent=recent)


def _trips(outcome: Outcome, in_a_row: int, recent: tuple[Outcome, ...]) -> bool:
    match outcome:
        case Outcome.WORKS:
            return False
        case Outcome.LOCKED:
            return True
        case Outcome.DOWN:
            return in_a_row >= DOWN_IN_A_ROW
        case Outcome.REFUSED:
            return recent.count(Outcome.REFUSED) >= TOO_MANY_REFUSED
        case Outcome.PUT_OFF:
            return len(recent) == LOOKED_BACK_ON and Outcome.WORKS not in recent
        case _:
            assert_never(outcome)


def put_off(breaker: Breaker, key: str, now: datetime) -> timedelta:
    """When to come back with that message: after the next probe, and the longer it lasts, the farther from all others."""
    opened_at, probe_at = breaker.opened_at or now, breaker.probe_at or now
    spread = min(max(now - opened_at, SHORTEST_SPREAD), LONGEST_SPREAD)
    digest = hashlib.sha256(f"{key}/{probe_at.isoformat()}".encode()).digest()
    return max(probe_at - now, timedelta(0)) + spread * (int.from_bytes(digest[:8], "big") / 2**64)
