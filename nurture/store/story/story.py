"""A lead's whole story, put together."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from nurture.addresses import EMAIL
from nurture.bulk import is_bulk
from nurture.decisions import events_needed
from nurture.experiments.hold_outs import out_of_programme
from nurture.fading import points_now
from nurture.profile import address_hash
from nurture.store import campaigns, merges
from nurture.store.addresses import hashes_of
from nurture.store.consents import held_by
from nurture.store.database import Session
from nurture.store.facts import load_facts
from nurture.store.models import CrossingRow, DeadLetterRow, LeadRow, OutboxRow
from nurture.store.story.doors import events_at_doors, outside
from nurture.store.story.journeys import Walked, entered_by, journey_story, walked
from nurture.store.story.mailings import mailed
from nurture.store.story.parts import Closed, Consent, Crossing, GivenUp, KeptOut, MergedIn, Points, Story
from nurture.store.story.rows import Rows, rows_of
from nurture.store.suppressions import suppressed
from nurture.triggers import On, When
from nurture.version import Version


async def story_of(
    session: Session, lead_id: str, now: datetime, campaign: str | None = None, programme: float = 0
) -> Story:
    """The lead's story, of one campaign or of all; `programme` is the percent of leads held out of all marketing."""
    rows = await rows_of(session, lead_id, campaign)
    journeys = [walked(rows, row) for row in rows.journeys]
    never_in = await _never_in(session, rows, campaign)
    names = events_at_doors(never_in) | _listened(journeys)
    facts = await load_facts(session, rows.lead.id, names, now)
    lead = rows.lead
    return Story(
        lead_id=lead.id,
        name=_name(lead),
        email=lead.email,
        time_zone=lead.time_zone,
        test=lead.test,
        held_out=out_of_programme(programme, lead.id) and not lead.test,
        stage=lead.stage,
        scores=dict(sorted(points_now(lead.scores, lead.fading, now).items())),
        merged=await _merged(session, lead.id),
        consents=await _consents(session, lead.id, now),
        suppressed=await suppressed(session, address_hash(lead.email)) if lead.email else {},
        closed=await _closed(session, lead.id),
        points=tuple(Points(row.at, row.score, row.rule, row.points) for row in rows.points),
        crossings=await _crossings(session, lead.id),
        journeys=tuple(journey_story(rows, one, facts) for one in journeys),
        mailed=mailed(rows),
        kept_out=_kept_out(rows),
        outside=tuple([await outside(session, version, facts) for version in never_in.values()]),
        pending=await _pending(session, lead.id),
        given_up=await _given_up(session, lead.id),
    )


async def _closed(session: Session, lead_id: str) -> tuple[Closed, ...]:
    """What other channels than e-mail do not carry to the lead."""
    found = []
    for hashed, channel in sorted((await hashes_of(session, lead_id)).items(), key=lambda one: (one[1], one[0])):
        if channel != EMAIL:
            scopes = await suppressed(session, hashed)
            found += [Closed(channel, scope, reason) for scope, reason in sorted(scopes.items())]
    return tuple(found)


def _name(lead: LeadRow) -> str:
    names = (lead.profile.get("first_name"), lead.profile.get("last_name"))
    return " ".join(str(name) for name in names if name)


async def _never_in(session: Session, rows: Rows, campaign: str | None) -> dict[str, Version]:
    """The published campaigns that the lead neither was in nor was kept out of."""
    known = {row.campaign for row in rows.journeys} | {row.campaign for row in rows.refusals}
    current = await campaigns.all_current(session)
    return {key: one for key, one in current.items() if key not in known and campaign in (None, key)}


def _listened(journeys: Collection[Walked]) -> frozenset[str]:
    """The names of the events that conditions listened for depend on."""
    triggers: list[On | When] = []
    for one in journeys:
        if one.row.status == "ended":
            continue
        steps = [step for state in one.version.campaign.states for step in state.steps]
        triggers += [arm.trigger for arm in one.version.arms]
        triggers += [arm for step in steps if step.kind == "wait_for" for arm in step.arms]
    return events_needed(*(one for one in triggers if isinstance(one, When)))


def _kept_out(rows: Rows) -> tuple[KeptOut, ...]:
    found = []
    for row in rows.refusals:
        event = rows.event(row.event)
        by = entered_by("", event) if event is not None else "a bulk run" if is_bulk(row.event) else ""
        found.append(KeptOut(row.at, row.campaign, by, row.reason))
    return tuple(found)


async def _merged(session: Session, lead_id: str) -> tuple[MergedIn, ...]:
    return tuple(
        MergedIn(row.at, row.gone_id, row.by, tuple(value for _, value in row.was.get("keys", ())), len(row.journeys))
        for row in await merges.of_lead(session, lead_id)
    )


async def _consents(session: Session, lead_id: str, now: datetime) -> tuple[Consent, ...]:
    """The answers that hold, each as it was said."""
    return tuple(Consent(one.topic, one.granted, one.at, one.source) for one in await held_by(session, lead_id, now))


async def _crossings(session: Session, lead_id: str) -> tuple[Crossing, ...]:
    query = select(CrossingRow).where(CrossingRow.lead_id == lead_id, CrossingRow.n > 0).order_by(col(CrossingRow.id))
    return tuple(
        Crossing(row.fired_at, row.score, row.threshold, row.points) for row in (await session.exec(query)).all()
    )


async def _pending(session: Session, lead_id: str) -> int:
    query = select(func.count()).select_from(OutboxRow).where(col(OutboxRow.lead_id) == lead_id)
    return (await session.exec(query)).one()


async def _given_up(session: Session, lead_id: str) -> tuple[GivenUp, ...]:
    query = select(DeadLetterRow).where(DeadLetterRow.lead_id == lead_id).order_by(col(DeadLetterRow.id))
    return tuple(GivenUp(row.at, row.kind, row.reason) for row in (await session.exec(query)).all())
