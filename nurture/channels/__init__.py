"""The port that every channel fills: one message out, one verdict back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Attachment:
    """A file that goes along with a message; its repr shows nothing of it."""

    name: str = field(repr=False)
    kind: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Envelope:
    """One message, ready to go; `key` is its idempotency key, `message_id` and `date` are given so that a second
    attempt is the same mail. Its repr names nobody."""

    key: str
    message_id: str
    date: datetime
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    reply_to: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True)
class Receipt:
    """What the provider answered when it took the message, without personal data, and its own name for the message."""

    reply: str
    provider_id: str | None = None


class Channel(Protocol):
    """A way to reach a lead; it never tries twice, and every trouble is a `SendError` of nurture.errors."""

    name: str

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the message to the provider, once."""

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has accepted that message; None when it cannot tell."""

    async def close(self) -> None:
        """Let go of all connections."""
