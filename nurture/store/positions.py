"""Where a journey stands, written to its row together with what it now listens for."""

from datetime import datetime

from nurture.journey import Journey, wait_arms
from nurture.store.database import Session
from nurture.store.listeners import listen, unlisten
from nurture.store.models import JourneyRow
from nurture.version import Version


async def stand(session: Session, row: JourneyRow, version: Version, journey: Journey, now: datetime) -> None:
    """Write the position; a journey in a wait listens for its arms, one that has ended for nothing."""
    row.position = journey.model_dump(mode="json")
    row.state, row.goal_at, row.updated_at = journey.state, journey.goal, now
    row.until = journey.rest.until if journey.rest else None
    row.status = "held" if journey.rest and journey.rest.why == "held" else "active"
    if journey.ended:
        row.status, row.ending, row.ended_at = "ended", journey.ending, now
        await unlisten(session, row.id)
    else:
        waiting = journey.rest is not None and journey.rest.why == "wait"
        arms = wait_arms(version, journey) if waiting else {}
        await listen(session, row.id, row.lead_id, arms, journey.since, replace_waits=True)
    session.add(row)
