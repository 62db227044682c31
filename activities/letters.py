"""A letter: what a message says, to whom, and whether it may go."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from activities.equipment import Equipment
from activities.tracked import Tracked
from activities.warming import Warming
from nurture.campaign import Purpose
from nurture.permission import Go, Later, Never
from nurture.store import Session
from nurture.store.leads import Addressee
from nurture.store.models import MessageRow

Context = dict[str, Any]


@dataclass(frozen=True)
class Letter(ABC):
    """A message that a step of a journey asks for, or a mailing by its bulk run; `due` is when it was, unless that is now.

    With `approval` it goes only in words that somebody approved.
    """

    equipment: Equipment
    journey_id: str | None
    run_id: str | None = field(default=None, kw_only=True)
    occurrence: str
    due: datetime | None = field(default=None, kw_only=True)
    campaign: str
    template: str
    channel: str
    purpose: Purpose
    topic: str
    on_unknown: Literal["hold", "resend"]
    lead_id: str | None
    language: str | None
    sender: str = field(repr=False)
    recipient: str | None = field(repr=False)
    approval: bool = field(default=False, kw_only=True)

    @property
    def key(self) -> str:
        """Its name in the ledger: the provider's idempotency key, the same for every attempt."""
        return "/".join(filter(None, [self.journey_id, self.run_id, self.occurrence]))

    @property
    def message_id(self) -> str:
        """The same for every attempt."""
        name = hashlib.sha256(self.key.encode()).hexdigest()[:32]
        return f"<{name}@{bare_domain(self.sender) or 'localhost'}>"

    @abstractmethod
    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Later | Never:
        """Whether it may go now."""

    @property
    def has_other_ways(self) -> bool:
        """Whether another channel may carry it, where this one cannot."""
        return False

    async def by(self, session: Session, channel: str) -> "Letter":
        """The letter as it goes by that channel."""
        return self

    async def chosen(self, session: Session, due: datetime, now: datetime) -> tuple["Letter", Go | Later | Never]:
        """The letter by the first of its channels by which it may go or is to wait, and what was found."""
        return self, await self.permission(session, due, now)

    async def is_first(self, session: Session, row: MessageRow) -> bool:
        """Whether it has to say how one leaves the channel."""
        return False

    async def on_hold(self, session: Session) -> str:
        """Why it has to wait for people; empty when it has not."""
        return ""

    @property
    def warming(self) -> Warming | None:
        """The warm-up that it has to go by; None when it has not."""
        return None

    async def overtaken(self, session: Session, addressee: Addressee) -> str:
        """What is otherwise with the lead now than when the letter was written; empty when nothing is."""
        return ""

    @abstractmethod
    async def context(self, session: Session, row: MessageRow) -> Context:
        """What the template is given, but for `link`."""

    async def tracked(self, session: Session, now: datetime) -> Tracked:  # a lead has a say in it
        """What it is followed by."""
        return Tracked(self.equipment.links)

    def headers(self, context: Mapping[str, Any]) -> dict[str, str]:
        """Header fields of its own."""
        return {}


def bare_domain(sender: str) -> str:
    """The domain of a sender as it is written: `Name <name@example.com>`."""
    return sender.strip().rstrip(">").rpartition("@")[2].lower()
