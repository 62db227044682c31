"""The errands of each kind of touch: what a step asks to be done outside of our store."""

from datetime import datetime
from typing import Any

from sqlmodel import select

from activities.equipment import Equipment
from activities.errands import Errand, Nothing
from activities.hand_offs import Grounds, hand_over, taker
from activities.lead_letters import to_lead
from activities.messages import MessageErrand
from activities.shadows import OnlyNoted, why_shadow
from activities.team_letters import to_team
from activities.webhooks import WebhookErrand
from nurture.facts import Facts
from nurture.pace import Pace
from nurture.steps import AnyStep, Ask, AskReferral, Call, Escalate, Message, Notify, Survey, Task, Thank
from nurture.store import Session, shadows, thanks
from nurture.store.models import JourneyRow, LeadRow, MessageRow, RequestRow
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
            case AskReferral(satisfied=satisfied) if not satisfied.test(facts) and not await self._begun(session):
                return [Nothing(f"not asked: {satisfied.words()} is not so")]
            case Thank() if not await thanks.may_thank(session, self.lead, self.row.id, self.occurrence, now):
                return [Nothing("it was thanked for this order already")]
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
            case Escalate():
                return await self._escalated(session, step, facts, now)
            case _:
                raise TypeError(f"{step.kind} is no touch")

    def _notice(self, team: str, template: str, given: dict[str, Any]) -> MessageErrand:
        given = {"lead_id": self.lead.id, "journey_id": self.row.id, "team": team, **given}
        occurrence = f"{self.occurrence}:{team}"
        return MessageErrand(
            to_team(self.equipment, self.row.id, occurrence, self.version.campaign.key, team, template, given)
        )

    async def _begun(self, session: Session) -> bool:
        """Whether an earlier attempt is in the ledger already: what was begun is finished."""
        query = select(MessageRow.id).where(MessageRow.journey_id == self.row.id)
        return (await session.exec(query.where(MessageRow.occurrence == self.occurrence))).first() is not None

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

    async def _escalated(self, session: Session, step: Escalate, facts: Facts, now: datetime) -> list[Errand]:
        """Hand the lead over; who is to know of it is told by the hand-off's clock."""
        key, to = step.definition, taker(self.equipment, step.team, self.pace)
        definition = self.equipment.catalogue.definitions.get(key)
        if definition is not None and (why := await why_shadow(session, definition, self.equipment.settings)):
            await run(session, shadows.note, [shadows.row(self.lead.id, definition, facts, now)])
            return [OnlyNoted(why)]
        await hand_over(session, self.row, self.occurrence, self.lead, Grounds(key, definition, facts), to, now)
        return []
