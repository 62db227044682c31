"""Letters: what a message says, to whom, and whether it may go; one kind for leads, one for the team."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from activities.equipment import Equipment
from nurture.calendar import resolve_zone
from nurture.campaign import Campaign, Purpose, Reentry
from nurture.mailing import Mailing
from nurture.message_variables import lead_variables
from nurture.pace import Pace
from nurture.permission import Go, Later, Never, Policy, Standing, permission, policy_for
from nurture.profile import address_hash
from nurture.steps import AskReferral, Confirm, Message, Survey
from nurture.store import Session, bulk_runs
from nurture.store.campaigns import paused
from nurture.store.consents import current_consents
from nurture.store.leads import Addressee
from nurture.store.merges import SENT_BEFORE, sent_before
from nurture.store.messages import longest, recent_marketing
from nurture.store.models import BulkRunRow, LeadRow, MessageRow
from nurture.store.proofs import CONFIRMED_WITHIN, may_ask, unconfirmed
from nurture.store.referrals import share_code
from nurture.store.suppressions import suppressed

Context = dict[str, Any]


@dataclass(frozen=True)
class Letter(ABC):
    """A message that a step of a journey asks for, or a mailing by its bulk run; `due` is when it was, unless that is now."""

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

    @property
    def key(self) -> str:
        """Its name in the ledger: the provider's idempotency key, the same for every attempt."""
        return "/".join(filter(None, [self.journey_id, self.run_id, self.occurrence]))

    @property
    def message_id(self) -> str:
        """The same for every attempt."""
        name = hashlib.sha256(self.key.encode()).hexdigest()[:32]
        domain = self.sender.rstrip(">").rpartition("@")[2] or "localhost"
        return f"<{name}@{domain}>"

    @abstractmethod
    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Later | Never:
        """Whether it may go now."""

    async def on_hold(self, session: Session) -> str:
        """Why it has to wait for people; empty when it has not."""
        return ""

    def overtaken(self, addressee: Addressee) -> str:
        """What is otherwise with the lead now than when the letter was written; empty when nothing is."""
        return ""

    @abstractmethod
    async def context(self, session: Session, row: MessageRow) -> Context:
        """What the template is given, but for `link`."""

    def headers(self, context: Mapping[str, Any]) -> dict[str, str]:
        """Header fields of its own."""
        return {}


@dataclass(frozen=True)
class LeadLetter(Letter):
    """A letter to a lead: suppression, consent, quiet hours, windows and caps decide."""

    policy: Policy
    pace: Pace
    lead: LeadRow = field(repr=False)
    step: Message
    title: str
    reenters: Reentry

    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Later | Never:
        """Whether it may go now, by what the store says at this moment."""
        if isinstance(self.step, Confirm) and (why := await may_ask(session, self.lead.id, self.step, now)):
            return Never(why)
        address = self.lead.email
        scopes = await suppressed(session, address_hash(address)) if address else {}
        period = longest(cap.period for cap in self.policy.caps)
        standing = Standing(
            has_address=address is not None,
            suppressed=scopes.get("all"),
            refused_marketing=scopes.get("marketing"),
            consents=await current_consents(session, self.lead.id),
            recent=await recent_marketing(session, self.lead.id, now - period / self.pace.factor) if period else [],
            due=due,
            zone=resolve_zone(self.lead.time_zone, self.equipment.settings.time_zone)[0],
        )
        answer = permission(self.policy, standing, now, self.pace)
        return Never(SENT_BEFORE) if isinstance(answer, Go) and await self._sent_before(session) else answer

    async def _sent_before(self, session: Session) -> bool:
        if self.lead.merged_at is None or self.journey_id is None:
            return False
        return await sent_before(session, self.journey_id, self.template, self.reenters, self.pace.factor)

    def overtaken(self, addressee: Addressee) -> str:
        """Whether the lead was merged, or has another address."""
        if (addressee.lead_id, addressee.merged_at) != (self.lead.id, self.lead.merged_at):
            return "the lead was merged meanwhile"
        return "" if addressee.address == self.recipient else "the address changed meanwhile"

    async def on_hold(self, session: Session) -> str:
        """Whether its campaign or its mailing is paused."""
        if self.run_id is not None:
            return await bulk_runs.on_hold(session, self.run_id)
        return "the campaign is paused" if await paused(session, self.campaign) else ""

    async def context(self, session: Session, row: MessageRow) -> Context:
        """The lead, the campaign and the lead's own links."""
        links = self.equipment.links
        given: dict[str, str] = {"unsubscribe": links.unsubscribe(self.lead.id, self.topic, row.id)}
        referral = {}
        if isinstance(self.step, AskReferral):
            code = await share_code(session, self.lead.id, row.due_at)
            referral = {"code": code}
            given["share"] = links.share(code)
        if isinstance(self.step, Survey):
            given["survey"] = links.survey(self.lead.id, self.step.survey, row.id)
        if isinstance(self.step, Confirm) and (proof := await unconfirmed(session, self.lead.id, self.step.form)):
            given["confirm"] = links.confirm(proof.id, proof.at + CONFIRMED_WITHIN)
        return {
            "lead": lead_variables(self.lead.profile, self.lead.stage),
            "campaign": {"key": self.campaign, "title": self.title},
            "links": given,
            "referral": referral,
        }

    def headers(self, context: Mapping[str, Any]) -> dict[str, str]:
        """One-click unsubscribe (RFC 8058) on marketing."""
        ours = super().headers(context)
        if self.purpose == "marketing":
            ours["List-Unsubscribe"] = f"<{context['links']['unsubscribe']}>"
            ours["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return ours


@dataclass(frozen=True)
class TeamLetter(Letter):
    """A notice to a team, about a lead or a journey."""

    given: Mapping[str, Any] = field(default_factory=dict, repr=False)

    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Never:
        """A notice goes at any hour, if the team has an address."""
        return Go() if self.recipient else Never("the team has no address: set NURTURE_TEAMS")

    async def context(self, session: Session, row: MessageRow) -> Context:
        """What was given."""
        return {
            "campaign": {"key": self.campaign, "title": self.campaign},
            "links": {"unsubscribe": None},
            **self.given,
        }


def of_mailing(equipment: Equipment, run: BulkRunRow, begun: datetime, mailing: Mailing, lead: LeadRow) -> LeadLetter:
    """The letter of a mailing to a lead, due since the mailing has `begun`."""
    pace = Pace(origin=begun, factor=run.pace)
    letter = to_lead(equipment, None, lead.id, mailing.campaign, mailing.message, lead, pace)
    return replace(letter, run_id=run.id, due=begun)


def to_lead(
    equipment: Equipment,
    journey_id: str | None,
    occurrence: str,
    campaign: Campaign,
    step: Message,
    lead: LeadRow,
    pace: Pace,
) -> LeadLetter:
    """The letter that a message step sends to a lead."""
    policy = policy_for(campaign, step, equipment.settings.rules)
    return LeadLetter(
        equipment=equipment,
        journey_id=journey_id,
        occurrence=occurrence,
        campaign=campaign.key,
        template=step.template,
        channel=step.channel,
        purpose=policy.purpose,
        topic=policy.topic,
        on_unknown=step.on_unknown or ("hold" if policy.purpose == "marketing" else "resend"),
        lead_id=lead.id,
        language=lead.language,
        sender=campaign.sender or equipment.settings.sender,
        recipient=lead.email,
        policy=policy,
        pace=pace,
        lead=lead,
        step=step,
        title=campaign.title or campaign.key,
        reenters=campaign.reenters,
    )


def to_team(
    equipment: Equipment,
    journey_id: str | None,
    occurrence: str,
    campaign: str,
    team: str,
    template: str,
    given: Context,
) -> TeamLetter:
    """A notice to the team, about a journey or about the whole campaign."""
    return TeamLetter(
        equipment=equipment,
        journey_id=journey_id,
        occurrence=occurrence,
        campaign=campaign,
        template=template,
        channel="email",
        purpose="transactional",
        topic="team",
        on_unknown="resend",
        lead_id=None,
        language=equipment.settings.language,
        sender=equipment.settings.sender,
        recipient=equipment.settings.teams.get(team),
        given=given,
    )


def noting(made: dict[str, str], url_of: Callable[[str], str], new_id: Callable[[], str]) -> Callable[..., str]:
    """A template's `link(url)`: a tracked address for it, noted in `made` by the link's id."""

    def link(url: str, _label: str = "") -> str:
        link_id = next((known for known, target in made.items() if target == url), None) or new_id()
        made[link_id] = url
        return url_of(link_id)

    return link
