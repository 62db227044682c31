"""Whose fault a bounce is, and what follows for the address: the same for a refusal at the hand-over, a provider's report
and a mail that comes back.

Never is an address given up for a fault of ours, of the relay's, or of the network's.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

SOFT_BOUNCES, OVER = 3, timedelta(days=7)
OF_THE_SENDER = frozenset({"5.1.7", "5.1.8"})  # 5.1.x, yet it is our own address that is refused
FULL = frozenset({"5.2.1", "5.2.2"})  # closed, or full: it may be opened again, and emptied
TOO_LARGE = frozenset({"5.3.4", "5.2.3"})
UNKNOWN_USER = re.compile(
    r"(user|mailbox|recipient|address|account)s? (is )?(unknown|not found|not known|unavailable|invalid|does ?n[o']t exist)"
    r"|(unknown|invalid|no such|non-?existent) (local )?(user|mailbox|recipient|address|account)"
    r"|(does not|doesn't) (exist|have an account)|no mailbox here",
    re.IGNORECASE,
)
POLICY = re.compile(r"spam|polic|block|black|reputation|spf|dkim|dmarc|relay|denied|listed|abuse|rbl", re.IGNORECASE)
MAILBOX_FULL = re.compile(
    r"mailbox (is )?full|over ?quota|quota exceeded|exceeded (its |the )?(storage|quota)", re.IGNORECASE
)


class Fault(StrEnum):
    """Whose a bounce is."""

    ADDRESS = "address"  # it does not exist: nothing is sent to it any more
    MAILBOX = "mailbox"  # full, or closed for a while
    PASSING = "passing"  # greylisted, too many at once, a system that was down: nobody's, and over soon
    SENDER = "sender"  # policy, reputation, content: ours to mend
    SIZE = "size"  # too large: the message's author's to mend
    UNTOLD = "untold"


BARE = {"550": Fault.SENDER, "554": Fault.SENDER, "552": Fault.SIZE}
"""What a reply means that says no more than that."""

COUNTED = frozenset({Fault.ADDRESS, Fault.SENDER, Fault.SIZE, Fault.UNTOLD})
"""Bounces that stand for good, and so speak of the campaign."""


def fault_of(code: str, words: str = "", *, permanent: bool = True, otherwise: Fault = Fault.UNTOLD) -> Fault:
    """Whose a bounce is: by its enhanced code (RFC 3463), else by its basic one and the words that came with it."""
    if code in FULL or code.startswith("4.2."):
        return Fault.MAILBOX
    if "." not in code or code.endswith(".0.0"):
        return _by_words(code, words, otherwise if permanent else Fault.MAILBOX)
    if code.startswith("4."):
        return Fault.PASSING
    if not permanent:
        return Fault.MAILBOX
    if code in TOO_LARGE:
        return Fault.SIZE
    if code in OF_THE_SENDER or code.startswith("5.7."):
        return Fault.SENDER
    return Fault.ADDRESS if code.startswith("5.1.") else otherwise


def _by_words(code: str, words: str, otherwise: Fault) -> Fault:
    """What a reply means that has no code of its own for it; a word of policy makes it no proof against the address."""
    if MAILBOX_FULL.search(words):
        return Fault.MAILBOX
    if code.startswith("4"):
        return Fault.PASSING
    if POLICY.search(words):
        return Fault.SENDER
    return Fault.ADDRESS if UNKNOWN_USER.search(words) else BARE.get(code, otherwise)


def given_up(soft: Collection[datetime], arrived: datetime | None) -> bool:
    """Whether so many messages, over so long, came back from a mailbox that it is given up; `arrived` is when the last
    one reached its reader."""
    since = [at for at in soft if arrived is None or at > arrived]
    return len(since) >= SOFT_BOUNCES and max(since) - min(since) >= OVER
