"""The errands of each kind of touch: what a step asks to be done outside of our store."""

from datetime import datetime
from typing import Any

from activities.equipment import Equipment
from activities.errands import Errand
from activities.hand_offs import hand_over
from activities.letters import to_lead, to_team
from activities.messages import MessageErrand
from activities.shadows import OnlyNoted, why_shadow
from activities.webhooks import WebhookErrand
from nurture.facts import Facts
from nurture.pace import Pace
from nurture.steps import AnyStep, Ask, Call, Escalate, Message, Notify, Survey, Task
from nurture.store import Session, shadows
from nurture.store.models import JourneyRow, LeadRow, RequestRow
from nurture.store.plain import run
from nurture.store.requests import find_request
from nurture.version import Version


class Touch:
    """One touch of a journey: who, where, and with what."""

    def __init__(
        self, equipment: Equipment, version: Version, row: JourneyRow, occurrence: str, lead: LeadRow, pace: Pace
    ) -> None:
        self.equipment, self.version, self.row = equipment, version, row
        self.occurrence, self.lead, self.pace = occurrence, lead, pace

    async def errands(self, session: Session, step: AnyStep, facts: Facts, now: datetime) -> list[Errand]:
        """What the step asks to be done, in order; what it asks of people is noted at once."""
        match step:
            case Message():
                await self._noted(session, step, now)
                letter = to_lead(
                    self.equipment, self.row.id, self.occurrence, self.version.campaign, step, self.lead, self.pace
                )
                return [MessageErrand(letter)]
            case Notify(team=team, text=text):
                return [self._notice(team, "team/notice", {"text": text})]
            case Task(team=team, title=title):
                await self._noted(session, step, now)
                due = step.due_in and self.pace.after(now, step.due_in)
                return [self._notice(team, "team/task", {"title": title, "due": due})]
            case Call():
                return self._call(step, now)
            case Escalate(definition=key):
                return await self._escalated(session, key, facts, now)
            case _:
                raise TypeError(f"{step.kind} is no touch")

    def _notice(self, team: str, template: str, given: dict[str, Any]) -> MessageErrand:
        given = {"lead_id": self.lead.id, "journey_id": self.row.id, "team": team, **given}
        occurrence = f"{self.occurrence}:{team}"
        return MessageErrand(
            to_team(self.equipment, self.row.id, occurrence, self.version.campaign.key, team, template, given)
        )

    async def _noted(self, session: Session, step: AnyStep, now: datetime) -> None:
        """Record what is asked of somebody, once."""
        due_at: datetime | None = None
        match step:
            case Survey(survey=survey):
                body = {"survey": survey}
            case Ask(field=path):
                body = {"field": ".".join(path)}
            case Task(title=title, team=team):
                body = {"title": title, "team": team}
                due_at = None if step.due_in is None else self.pace.after(now, step.due_in)
            case _:
                return
        if await find_request(session, self.row.id, self.occurrence) is None:
            request = self._request(self.occurrence, step.kind, body, now)
            request.due_at = due_at
            session.add(request)

    def _request(self, occurrence: str, kind: str, body: dict[str, Any], now: datetime) -> RequestRow:
        return RequestRow(
            journey_id=self.row.id, occurrence=occurrence, lead_id=self.lead.id, kind=kind, body=body, created_at=now
        )

    def _call(self, step: Call, now: datetime) -> list[Errand]:
        hook = self.equipment.catalogue.hooks.get(step.hook)
        if hook is None:
            return []
        body = {"type": "journey.call", "data": {**self._ids(), **step.data}}
        request = self._request(self.occurrence, "call", body, now)
        return [WebhookErrand(self.equipment.store, self.equipment.webhooks, hook.key, hook.url, request)]

    def _ids(self) -> dict[str, str]:
        return {"lead_id": self.lead.id, "journey_id": self.row.id, "campaign": self.version.campaign.key}

    async def _escalated(self, session: Session, key: str, facts: Facts, now: datetime) -> list[Errand]:
        definition = self.equipment.catalogue.definitions.get(key)
        if definition is not None and (why := await why_shadow(session, definition, self.equipment.settings)):
            await run(session, shadows.note, [shadows.row(self.lead.id, definition, facts, now)])
            return [OnlyNoted(why)]
        hand_off = await hand_over(session, self.row, self.occurrence, self.lead, key, definition, facts, now)
        errands: list[Errand] = [self._notice("sales", "team/hand_off", {"hand_off": hand_off.id, **hand_off.dossier})]
        if url := self.equipment.settings.sales_webhook:
            body = {"type": "hand_off.created", "data": {"hand_off": hand_off.id, **self._ids(), **hand_off.dossier}}
            request = self._request(f"{self.occurrence}:webhook", "hand_off", body, now)
            errands.append(WebhookErrand(self.equipment.store, self.equipment.webhooks, "sales", url, request))
        return errands
