"""Bookkeeping steps in the store: profile, tags, points, stage, consents, and entry into other campaigns."""

from datetime import datetime
from typing import Any

from nurture.errors import BadInput
from nurture.intake import Consent, Enrolment, Internal, Recorder
from nurture.journey import Journey
from nurture.pace import Pace
from nurture.scores import Change
from nurture.steps import (
    AddPoints,
    AddTo,
    Advance,
    AnyStep,
    Enrol,
    NeedStep,
    RemoveFrom,
    SetField,
    Subscribe,
    Tag,
    Unsubscribe,
    Untag,
)
from nurture.store import Session
from nurture.store.models import JourneyRow, LeadRow


async def keep(
    session: Session, recorder: Recorder, row: JourneyRow, journey: Journey, lead: LeadRow, step: AnyStep, now: datetime
) -> str:
    """Do the step's bookkeeping, in the transaction that records it; answers why it was not done, "" when it was."""
    cause = f"{row.id}/{journey.occurrence}"
    news = _news(row, step, now)
    patch = _patch(step)
    await session.flush()
    try:
        internal = Internal(id=cause, lead={"id": lead.id, **patch}, source="journey", **news)
        result = await session.run_sync(lambda sync: recorder.record_own(sync.connection(), internal, now))
    except BadInput as error:
        return str(error)
    await session.refresh(lead)
    return "the lead refused it before" if result.stays_no else ""


def _patch(step: AnyStep) -> dict[str, Any]:
    """What the step says of the lead's profile."""
    match step:
        case SetField(field=(name,), value=value):
            return {name: value}
        case SetField(field=(group, name), value=value):
            return {group: {name: value}}
        case Tag(tag=name):
            return {"tags": {"add": [name]}}
        case Untag(tag=name):
            return {"tags": {"remove": [name]}}
        case AddTo(audience=name):
            return {"audiences": {"add": [name]}}
        case RemoveFrom(audience=name):
            return {"audiences": {"remove": [name]}}
        case Advance(stage=stage):
            return {"stage": stage}
        case _:
            return {}


def _news(row: JourneyRow, step: AnyStep, now: datetime) -> dict[str, Any]:
    """What else the step asks for."""
    match step:
        case AddPoints(score=score, points=points):
            return {"points": (Change(score, f"campaign {row.campaign}", points),)}
        case Subscribe(topic=topic, expires_after=length):
            expires = None if length is None else Pace(origin=row.entered, factor=row.pace).after(now, length)
            return {"consents": {topic: Consent(granted=True, expires=expires)}}
        case Unsubscribe(topic=topic):
            return {"consents": {topic: Consent(granted=False)}}
        case Advance():
            return {"because": f"campaign {row.campaign}"}
        case NeedStep(need=need):
            return {"needs": (need,)}
        case Enrol(campaign=campaign):
            return {"enrol": Enrolment(campaign=campaign, by=f"campaign {row.campaign}")}
        case _:
            return {}
