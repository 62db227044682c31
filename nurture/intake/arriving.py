"""Arrivals and visits as leads come in: each kept in a row, the first and the last of them on the lead."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from nurture.arrivals import FIRST, LAST, Arrival, arrived, host_of, straight_to, touched
from nurture.intake.incoming import Incoming
from nurture.settings import Settings
from nurture.store import visitors
from nurture.store.bulk import insert_rows
from nurture.store.capture_tables import ArrivalRow
from nurture.store.held import HeldLead
from nurture.store.models import new_id

VISIT, RETURNED = "visit", "returned"


class News(NamedTuple):
    """What an arrival changes: the keys to announce, and that the lead has `returned` (what to report of it)."""

    changed: frozenset[str] = frozenset()
    returned: dict[str, Any] | None = None


NOTHING = News()


class Guestbook:
    """The arrivals and visits of one transaction, written at its end."""

    def __init__(self, own: Collection[str], returned_after: timedelta, seen: dict[str, visitors.Visitor]) -> None:
        self._own, self._returned_after, self._seen = own, returned_after, seen
        self._rows: list[dict[str, Any]] = []

    def take(self, lead: HeldLead, given: Incoming, event: str | None, at: datetime) -> News:
        """Note what the item says of how the lead came; the lead's touches move along."""
        if given.machine or (given.context is None and given.name != VISIT):
            return NOTHING
        session = visitors.visit(self._seen, lead.id, at) if given.name == VISIT else None
        arrival = self._arrival(lead, given, begins=session is not None)
        changed = frozenset[str]() if arrival is None else self._note(lead, arrival, event, at)
        away = None if session is None else session.away
        if session is None or away is None or away < self._returned_after:
            return News(changed)
        return News(changed, {"days": away.days, "sessions": session.n})

    def _arrival(self, lead: HeldLead, given: Incoming, *, begins: bool) -> Arrival | None:
        context = given.context
        if context is None:
            return None
        if context.arrival is not None:
            told = {**context.arrival.model_dump(), "offer": context.arrival.offer or context.offer}
            known = [{name: touch[name] for name in told} for touch in map(lead.profile.get, (FIRST, LAST)) if touch]
            return None if given.name is None and told in known else Arrival.model_validate(told)  # an import run again
        found = arrived(context.page, self._own) if context.page is not None else None
        if found is None and context.page is not None and (begins or FIRST not in lead.profile):
            found = straight_to(context.page)
        if found is None and context.offer and LAST in lead.profile:  # an offer taken up is an arrival of its own
            last = lead.profile[LAST]
            found = Arrival(channel=last["channel"], placement=last["placement"], creative=last["creative"])
        if found is not None and context.offer and not found.offer:
            found = found.model_copy(update={"offer": context.offer})
        return found

    def _note(self, lead: HeldLead, arrival: Arrival, event: str | None, at: datetime) -> frozenset[str]:
        row = {"id": new_id(), "lead_id": lead.id, **arrival.model_dump(), "event": event, "at": at}
        self._rows.append(row)
        touches = touched(lead.profile, arrival, at)
        changed = frozenset(f"lead.{name}" for name, touch in touches.items() if lead.profile.get(name) != touch)
        if changed:
            lead.profile, lead.profile_changed = {**lead.profile, **touches}, True
        return changed

    def save(self, connection: Connection) -> None:
        """Write what was taken."""
        visitors.save(connection, self._seen.values())
        insert_rows(connection, ArrivalRow, self._rows)


class Arriving:
    """How arrivals are read: which hosts are our own, and after how long a visitor has `returned`."""

    def __init__(self, settings: Settings) -> None:
        self._own = frozenset(host_of(site) for site in settings.sites)
        self._returned_after = settings.returned_after

    def guestbook(self, connection: Connection, items: Collection[tuple[str, Incoming]]) -> Guestbook:
        """A guestbook for items of these leads."""
        visiting = {lead_id for lead_id, given in items if given.name == VISIT and not given.machine}
        return Guestbook(self._own, self._returned_after, visitors.seen(connection, visiting))
