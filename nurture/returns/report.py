"""What is told of one of our messages, whoever tells it: a provider's webhook, or a mail that came back."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from nurture.returns.bounces import Fault


class Kind(StrEnum):
    """What became of a message, or what its reader did."""

    DELIVERED = "message_delivered"
    BOUNCED = "message_bounced"
    COMPLAINED = "message_complained"
    OPENED = "message_opened"
    REPLIED = "message_replied"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True)
class Report:
    """One thing told of one message; `id` is the teller's own name for it, `message` ours for the message."""

    id: str
    kind: Kind
    message: str
    at: datetime
    address: str | None = field(default=None, repr=False)
    fault: Fault | None = None
    machine: bool = False


def name_of(message_id: object) -> str | None:
    """Our name for a message, out of its Message-ID or what we gave along; None when that is none of ours."""
    name = message_id.strip().removeprefix("<").partition("@")[0] if isinstance(message_id, str) else ""
    return name if len(name) == 32 and all(one in "0123456789abcdef" for one in name) else None
