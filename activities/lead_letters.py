"""Letters to leads, of a journey's step or of a mailing: suppression, consent, quiet hours, windows and caps decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from activities.equipment import Equipment
from activities.letters import Context, Letter, bare_domain
from activities.tracked import Tracked
from activities.warming import Warming
from nurture.addresses import EMAIL, SMS, hash_of
from nurture.calendar import resolve_zone
from nurture.campaign import Campaign
from nurture.deliverability.one_click import one_click
from nurture.experiments.hold_outs import HELD_OUT, out_of_programme
from nurture.mailing import Mailing
from nurture.message_variables import lead_variables
from nurture.pace import Pace
from nurture.permission import Go, Later, Never, Policy, Standing, by_none, permission, policy_for
from nurture.steps import AskReferral, Confirm, Message, Survey
from nurture.store import Session, bulk_runs
from nurture.store.addresses import address_of
from nurture.store.campaigns import paused
from nurture.store.consents import current_consents, objects
from nurture.store.leads import Addressee
from nurture.store.merges import SENT_BEFORE, sent_before
from nurture.store.messages import is_first, longest, recent_marketing
from nurture.store.models import BulkRunRow, LeadRow, MessageRow
from nurture.store.outbox import spread
from nurture.store.proofs import CONFIRMED_WITHIN, may_ask, unconfirmed
from nurture.store.referrals import share_code
from nurture.store.suppressions import suppressed
from nurture.tracking.switches import Track
from nurture.tracking.targets import told, words_of

NOT_SET_UP = "the channel is not set up here: see docs/how-to/channels.md"
UNTIL_SET_UP = timedelta(minutes=5)
CHAT_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class LeadLetter(Letter):
    """A letter to a lead: suppression, consent, quiet hours, windows and caps decide."""

    policy: Policy
    pace: Pace
    lead: LeadRow = field(repr=False)
    step: Message
    written: Campaign
    track: Track
    not_before: datetime | None = field(default=None, kw_only=True)

    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Later | Never:
        """Whether it may go now, by what the store says at this moment."""
        if isinstance(self.step, Confirm) and (why := await may_ask(session, self.lead.id, self.step, now)):
            return Never(why)
        address = self.recipient
        scopes = await suppressed(session, hash_of(self.channel, address)) if address else {}
        period = longest(cap.period for cap in (*self.policy.caps, *self.policy.own_caps))
        recent = await recent_marketing(session, self.lead.id, now - period / self.pace.factor) if period else []
        standing = Standing(
            has_address=address is not None,
            suppressed=scopes.get("all"),
            refused_marketing=scopes.get("marketing") or self._held_out(),
            consents=await current_consents(session, self.lead.id, now),
            recent=[at for at, _ in recent],
            due=due,
            zone=resolve_zone(self.lead.time_zone, self.equipment.settings.time_zone)[0],
            not_before=self.not_before,
            share=spread(self.key),
            by_channel=[at for at, channel in recent if channel == self.channel],
        )
        answer = permission(self.policy, standing, now, self.pace)
        return Never(SENT_BEFORE) if isinstance(answer, Go) and await self._sent_before(session) else answer

    def _held_out(self) -> str | None:
        """Why it gets no marketing, when it is held out of the programme."""
        percent = self.equipment.settings.rules.holdout
        return HELD_OUT if out_of_programme(percent, self.lead.id) and not self.lead.test else None

    @property
    def has_other_ways(self) -> bool:
        """Whether the campaign named several channels."""
        return len(self.step.channels) > 1

    async def by(self, session: Session, channel: str) -> "LeadLetter":
        """The letter to the lead's address of that channel, under its rules."""
        address = await self._address(session, channel, self.lead.id, self.lead.email)
        policy = policy_for(
            self.written, self.step, self.equipment.settings.rules, channel, self.equipment.catalogue.topics
        )
        return replace(self, channel=channel, recipient=address, policy=policy)

    async def _address(self, session: Session, channel: str, lead_id: str, email: str | None) -> str | None:
        """Where that channel reaches the lead, if it does."""
        kind = self.equipment.catalogue.channels.get(channel)
        if kind is None or kind == EMAIL:
            return email if kind else None
        return await address_of(session, lead_id, kind)

    async def chosen(self, session: Session, due: datetime, now: datetime) -> tuple["LeadLetter", Go | Later | Never]:
        """What the lead prefers comes first; one that cannot carry it gives way to the next, one that has to wait does not."""
        refused: dict[str, str] = {}
        letter = self
        for channel in self.step.channels_for(self.lead.profile.get("preferred_channel")):
            letter = await self.by(session, channel)
            answer = await letter.permission(session, due, now)
            if isinstance(answer, Go) and channel not in self.equipment.channels:
                answer = Never(NOT_SET_UP) if self.has_other_ways else Later(now + UNTIL_SET_UP, NOT_SET_UP)
            if not isinstance(answer, Never) or answer.status == "expired":
                return letter, answer
            refused[channel] = answer.reason
        return letter, by_none(refused)

    async def is_first(self, session: Session, row: MessageRow) -> bool:
        """Whether it is the first SMS to the lead."""
        return self.channel == SMS and await is_first(session, row)

    async def _sent_before(self, session: Session) -> bool:
        if self.lead.merged_at is None or self.journey_id is None:
            return False
        return await sent_before(session, self.journey_id, self.template, self.written.reenters, self.pace.factor)

    async def overtaken(self, session: Session, addressee: Addressee) -> str:
        """Whether the lead was merged, or has another address."""
        if (addressee.lead_id, addressee.merged_at) != (self.lead.id, self.lead.merged_at):
            return "the lead was merged meanwhile"
        address = await self._address(session, self.channel, addressee.lead_id, addressee.address)
        return "" if address == self.recipient else "the address changed meanwhile"

    @property
    def warming(self) -> Warming | None:
        """That of its sender, for marketing: who waits for an answer is not to wait for a place."""
        sender = bare_domain(self.sender)
        ramp = self.equipment.settings.warm_up.get(sender)
        return Warming(self, sender, ramp) if ramp and self.purpose == "marketing" and self.channel == EMAIL else None

    async def on_hold(self, session: Session) -> str:
        """Whether its campaign or its mailing is paused."""
        if self.run_id is not None:
            return await bulk_runs.on_hold(session, self.run_id)
        return "the campaign is paused" if await paused(session, self.campaign) else ""

    async def context(self, session: Session, row: MessageRow) -> Context:
        """The lead, the campaign and the lead's own links."""
        links = self.equipment.links
        bot = self.equipment.settings.telegram_bot
        given: dict[str, str | None] = {
            "unsubscribe": links.unsubscribe(self.lead.id, self.topic, row.id),
            "preferences": links.preferences(self.lead.id, row.id),
            "telegram": links.chat(bot, self.lead.id, row.due_at + CHAT_WITHIN) if bot else None,
        }
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
            "campaign": {"key": self.campaign, "title": self.written.title or self.campaign},
            "links": given,
            "referral": referral,
            "zone": resolve_zone(self.lead.time_zone, self.equipment.settings.time_zone)[0].key,
        }

    async def tracked(self, session: Session, now: datetime) -> Tracked:
        """What it is followed by: as its campaign says, unless the lead objects."""
        track, links = self.track, self.equipment.links
        words = words_of(self.campaign, self.template, self.channel, track)
        tell = partial(told, words=words, track=track, sites=self.equipment.settings.sites)
        if not (track.clicks or track.opens) or await objects(session, self.lead.id, now):
            return Tracked(links, tell, clicks=False)
        return Tracked(links, tell, clicks=track.clicks, trap=track.trap, opens=track.opens)

    def headers(self, context: Mapping[str, Any]) -> dict[str, str]:
        """One-click unsubscribe (RFC 8058) on marketing."""
        ours = super().headers(context)
        if self.purpose == "marketing":
            ours |= one_click(context["links"]["unsubscribe"])
        return ours


def of_mailing(equipment: Equipment, run: BulkRunRow, begun: datetime, mailing: Mailing, lead: LeadRow) -> LeadLetter:
    """The letter of a mailing to a lead, due since the mailing has `begun`."""
    pace = Pace(origin=begun, factor=run.pace)
    letter = to_lead(equipment, None, lead.id, mailing.campaign, mailing.message, lead, pace)
    turn = pace.after(begun, mailing.spread * spread(f"{run.id}/{lead.id}"))
    return replace(letter, run_id=run.id, due=begun, not_before=turn)


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
    channel = step.channels[0]
    policy = policy_for(campaign, step, equipment.settings.rules, channel, equipment.catalogue.topics)
    return LeadLetter(
        equipment=equipment,
        journey_id=journey_id,
        occurrence=occurrence,
        campaign=campaign.key,
        template=step.template,
        channel=channel,
        purpose=policy.purpose,
        topic=policy.topic,
        on_unknown=step.on_unknown or ("hold" if policy.purpose == "marketing" else "resend"),
        lead_id=lead.id,
        language=lead.language,
        sender=campaign.sender or equipment.settings.sender,
        recipient=None,  # of which of its channels is found out when it is to go
        policy=policy,
        pace=pace,
        lead=lead,
        step=step,
        written=campaign,
        approval=campaign.approval,
        track=campaign.track or equipment.settings.tracking,
    )
