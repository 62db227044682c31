"""Definitions in the shadow: a lead that comes to be escalated by one is noted, and not handed over."""

from datetime import datetime

from activities.errands import Errand, Settled
from nurture.definitions import SIDES, Definition
from nurture.settings import Settings
from nurture.store import Session
from nurture.store.declarations import signed_by


async def why_shadow(session: Session, definition: Definition, settings: Settings) -> str:
    """Why the definition hands nobody over; "" when it does."""
    if definition.shadow:
        return "in the shadow: it was only noted"
    if settings.sign_offs == "advised":
        return ""
    signed = await signed_by(session, definition)
    missing = [side for side in SIDES if side not in signed]
    return f"not signed by {' and '.join(missing)}: it was only noted" if missing else ""


class OnlyNoted(Errand):
    """Nothing is to be done, for a reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def prepare(self, session: Session, now: datetime) -> Settled:
        """See the errand."""
        return Settled(self.reason)

    async def run(self, now: datetime) -> None:
        """See the errand."""

    async def record(self, session: Session, now: datetime) -> Settled:
        """See the errand."""
        return Settled(self.reason)
