"""The story of a lead: what each journey did and why, told from the moves, messages and refusals in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.journey import RESUME, STOP
from nurture.store import campaigns
from nurture.store.database import Session
from nurture.store.leads import get
from nurture.store.models import JourneyRow, MessageRow, MoveRow, RefusalRow, VersionRow
from nurture.version import Version


@dataclass(frozen=True)
class Line:
    """One thing that happened: when, in which state, what, and how it went."""

    at: datetime
    state: str
    what: str
    how: str


@dataclass(frozen=True)
class JourneyStory:
    """One journey: how it was entered, every move, and where it stands."""

    title: str
    lines: list[Line]
    standing: str


@dataclass
class Story:
    """All of a lead's journeys, oldest first, and the campaigns that it was kept out of."""

    lead_id: str
    stage: str
    scores: dict[str, float]
    journeys: list[JourneyStory] = field(default_factory=list)
    refusals: list[Line] = field(default_factory=list)


async def story_of(session: Session, lead_id: str, campaign: str | None = None) -> Story:
    """The lead's story, of one campaign or of all."""
    lead = await get(session, lead_id)
    story = Story(lead.id, lead.stage, lead.scores)
    mine = select(JourneyRow).where(JourneyRow.lead_id == lead_id).order_by(col(JourneyRow.entered))
    for row in (await session.exec(mine)).all():
        if campaign in (None, row.campaign):
            story.journeys.append(await _journey(session, row))
    kept_out = select(RefusalRow).where(RefusalRow.lead_id == lead_id).order_by(col(RefusalRow.at))
    for refusal in (await session.exec(kept_out)).all():
        if campaign in (None, refusal.campaign):
            story.refusals.append(Line(refusal.at, refusal.campaign, "not entered", refusal.reason))
    return story


async def _journey(session: Session, row: JourneyRow) -> JourneyStory:
    version = await campaigns.version(session, row.version)
    published = await session.get_one(VersionRow, row.version)
    moves = select(MoveRow).where(MoveRow.journey_id == row.id).order_by(col(MoveRow.n))
    sent = select(MessageRow).where(MessageRow.journey_id == row.id)
    messages = {one.occurrence: one for one in (await session.exec(sent)).all()}
    lines = [
        Line(one.at, one.state, _what(one, version), _how(one, messages.get(f"{one.state}/{one.step}/{one.visit}")))
        for one in (await session.exec(moves)).all()
    ]
    which = f"{row.campaign}, version {published.number} ({row.version[:12]})"
    title = f"{which}, entered {row.entered:%Y-%m-%d %H:%M}: {row.entered_by}"
    return JourneyStory(title, lines, _standing(row, version))


def _what(move: MoveRow, version: Version) -> str:
    if move.reply["kind"] == "heard":
        return f"heard: {arm_in_words(move.reply['arm'], version)}"
    return move.words


def arm_in_words(arm: str, version: Version) -> str:
    """What a journey listens for, in the trigger's own words."""
    if arm in (STOP, RESUME):
        return {STOP: "a person stopped it", RESUME: "the campaign goes on"}[arm]
    if arm in version.arm:
        return version.arm[arm].trigger.words()
    place, _, at = arm.rpartition(":")
    state, step, _ = place.split("/")
    waited: Any = version.step(state, int(step))
    return str(waited.arms[int(at)].words())


def _how(move: MoveRow, message: MessageRow | None) -> str:
    reply: Mapping[str, Any] = move.reply
    seen = ", ".join(f"{name} = {value}" for name, value in move.values.items())
    match reply["kind"]:
        case "did":
            sent = f"{message.status}" if message is not None else "done"
            return f"not done: {reply['note']}" if reply.get("note") and message is None else reply.get("note") or sent
        case "deferred":
            return f"not before {reply['until'][:16].replace('T', ' ')}: {reply['note']}"
        case "held":
            return "held: the campaign is paused"
        case "chose":
            return f"because {seen}" if seen else "the other way"
        case "parked":
            return f"until {reply['until'][:16].replace('T', ' ')}" if reply.get("until") else "nothing to wait for"
        case "elapsed":
            return "the time has come"
        case "heard":
            return str(reply.get("note") or "at once")
        case _:
            return ""


def _standing(row: JourneyRow, version: Version) -> str:
    if row.status == "ended":
        return f"ended {row.ended_at:%Y-%m-%d %H:%M}: {row.ending}"
    if row.status == "holdout":
        return "held out: it is never sent this campaign"
    until = f" until {row.until:%Y-%m-%d %H:%M}" if row.until else ""
    always = "; ".join(arm.trigger.words() for arm in version.arms if arm.key not in row.position["heard"])
    return f"now in {row.state}, {row.status}{until}" + (f"; always hears: {always}" if always else "")
