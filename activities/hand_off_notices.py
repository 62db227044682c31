"""Who is told what about a hand-off: the letter to a salesperson or the team's lead, and the CRM's webhook."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from activities.equipment import Equipment
from activities.messages import MessageErrand
from activities.team_letters import TeamLetter, to_team
from activities.webhooks import WebhookErrand
from nurture.addresses import EMAIL
from nurture.store import hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.messages import OF_A_HAND_OFF
from nurture.store.models import HandOffRow, RequestRow
from nurture.teams import LEAD

TEMPLATE = "team/hand_off"
CALLS = {
    "assigned": "hand_off.created",
    "reassigned": "hand_off.reassigned",
    "recycled": "hand_off.recycled",
    "accepted": "hand_off.accepted",
    "rejected": "hand_off.rejected",
}
"""The types of the webhooks; no other deed calls."""
TO_WHOM_HAS_IT = ("assigned", "reassigned", "reminded")
TO_THE_LEAD = ("escalated", "recycled")


class Notices:
    """What is said of one deed of a hand-off."""

    def __init__(self, equipment: Equipment, row: HandOffRow, deed: HandOffDeedRow) -> None:
        self.equipment, self.row, self.deed = equipment, row, deed
        self.team = equipment.catalogue.team(row.team, equipment.settings.teams)

    @property
    def overtaken(self) -> str:
        """Why nobody is to be written to any more; empty when somebody is."""
        row, deed = self.row, self.deed
        if deed.deed in (*TO_WHOM_HAS_IT, "escalated") and row.status != "open":
            return f"{row.status} before anybody was told"
        if deed.deed in TO_WHOM_HAS_IT and deed.n < row.assigned_n:
            return "given to somebody else before they were told"
        return ""

    def mail(self) -> MessageErrand | None:
        """The letter; its place in the ledger is its own, so that it goes once.

        One that was overtaken is withheld, but for what an attempt before has begun: that is found out.
        """
        if self.deed.deed not in (*TO_WHOM_HAS_IT, *TO_THE_LEAD):
            return None
        return MessageErrand(self._letter())

    def _letter(self) -> TeamLetter:
        row, deed, team = self.row, self.deed, self.team
        person = team.person(deed.person) if deed.deed in TO_WHOM_HAS_IT else None
        campaign = row.dossier["why"]["campaign"]
        occurrence = f"{row.occurrence}:hand-off:{deed.n}"
        letter = to_team(self.equipment, row.journey_id, occurrence, campaign, team.key, TEMPLATE, self._given())
        own = person.email if person else team.lead
        return replace(
            letter,
            topic=OF_A_HAND_OFF,
            needless=self.overtaken,
            channel=EMAIL if own else letter.channel,
            recipient=own or letter.recipient,
            language=(person.language if person else "") or team.language or letter.language,
        )

    def _given(self) -> dict[str, Any]:
        row, deed, team = self.row, self.deed, self.team
        clock = hand_offs.clock_of(row)
        answer_by = clock.answer_by(row.told_at or deed.at) if deed.deed in TO_WHOM_HAS_IT else None
        answer = self.equipment.links.hand_off(row.id, deed.n) if row.status == "open" else None
        return {
            "hand_off": row.id,
            "lead_id": row.lead_id,
            "deed": deed.deed,
            "person": team.named(row.assigned_to),
            "to_lead": deed.deed in TO_THE_LEAD or deed.person == LEAD,
            "answer_by": answer_by and answer_by.astimezone(ZoneInfo(clock.hours.zone)),
            "links": {"unsubscribe": None, "answer": answer},
            **row.dossier,
        }

    def call(self, now: datetime) -> WebhookErrand | None:
        """The webhook to the CRM; it is not told what it has said itself."""
        url, kind = self.equipment.settings.sales_webhook, CALLS.get(self.deed.deed)
        if not url or kind is None or (kind.removeprefix("hand_off.") == self.row.status and self._said_by_hook):
            return None
        row, deed = self.row, self.deed
        request = RequestRow(
            journey_id=row.journey_id,
            occurrence=f"{row.occurrence}:webhook:{deed.n}",
            lead_id=row.lead_id,
            kind="hand_off",
            body={"type": kind, "data": self._data()},
            created_at=now,
        )
        return WebhookErrand(self.equipment.store, self.equipment.webhooks, "sales", url, request)

    @property
    def _said_by_hook(self) -> bool:
        return self.row.answered_via.startswith("hook ")

    def _data(self) -> dict[str, Any]:
        row, deed = self.row, self.deed
        person = self.team.person(deed.person)
        about = {
            "hand_off": row.id,
            "lead_id": row.lead_id,
            "journey_id": row.journey_id,
            "campaign": row.dossier["why"]["campaign"],
            "team": row.team,
            "assigned_to": {"key": deed.person, "name": person.name, "email": person.email} if person else None,
            "reason": row.reason,
        }
        return {**about, **row.dossier} if deed.deed in TO_WHOM_HAS_IT else about
