"""Where a journey stands, written to its row together with what it now listens for."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from nurture.journey import Journey, wait_arms
from nurture.store.bulk import update_all
from nurture.store.database import Session
from nurture.store.journeys import ending
from nurture.store.listeners import listen, unlisten
from nurture.store.models import JourneyRow
from nurture.version import Version


async def stand(session: Session, row: JourneyRow, version: Version, journey: Journey, now: datetime) -> None:
    """Write the position; a journey in a wait listens for its arms, one that has ended for nothing."""
    rest = journey.rest
    stands: dict[str, Any] = {
        "id": row.id,
        "position": journey.model_dump(mode="json"),
        "state": journey.state,
        "goal_at": journey.goal,
        "updated_at": now,
        "until": rest.until if rest else None,
        "status": "held" if rest and rest.why == "held" else "active",
    }
    if journey.ended:
        stands |= {"status": "ended", "ending": ending(row, journey.ending), "ended_at": now}
        await unlisten(session, row.id)
    else:
        arms = wait_arms(version, journey) if rest and rest.why == "wait" else {}
        await listen(session, row.id, row.lead_id, arms, journey.since, replace_waits=True)
    await update_all(session, JourneyRow, [stands])
    for name, value in stands.items():
        set_committed_value(row, name, value)  # written already
