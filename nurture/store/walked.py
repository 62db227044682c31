"""What a walk begins with: the journey, its lead and whether its campaign is paused, in one statement."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, select

from nurture.store import journeys, leads
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.loaded import loaded
from nurture.store.models import CampaignRow, JourneyRow, LeadRow
from nurture.store.plain import Statement

JOURNEYS, LEADS, CAMPAIGNS = table(JourneyRow), table(LeadRow), table(CampaignRow)


def _labelled(of: Table) -> list[ColumnElement[Any]]:
    return [one.label(f"{of.name}_{one.name}") for one in of.c]


BEGINNING = Statement(
    select(*_labelled(JOURNEYS), *_labelled(LEADS), CAMPAIGNS.c.paused_at)
    .join_from(JOURNEYS, LEADS, LEADS.c.id == bindparam("lead"))
    .join(CAMPAIGNS, CAMPAIGNS.c.key == JOURNEYS.c.campaign, isouter=True)
    .where(JOURNEYS.c.id == bindparam("journey"))
    .with_for_update(of=LEADS)
)


class Beginning(NamedTuple):
    """The lead's row is held until the end of the transaction."""

    journey: JourneyRow
    lead: LeadRow
    paused: bool


async def beginning(session: Session, journey_id: str, lead_id: str) -> Beginning:
    """What the walk of that journey of that lead begins with."""
    found = await BEGINNING.first(session, journey=journey_id, lead=lead_id)
    if found is None:  # one of the two is missing, and says so
        return Beginning(await journeys.get(session, journey_id), await leads.locked(session, lead_id), paused=False)
    of_journey, of_lead = len(JOURNEYS.c), len(LEADS.c)
    journey = dict(zip(JOURNEYS.c.keys(), found[:of_journey], strict=True))
    lead = dict(zip(LEADS.c.keys(), found[of_journey : of_journey + of_lead], strict=True))
    return Beginning(loaded(session, JourneyRow, journey), loaded(session, LeadRow, lead), found[-1] is not None)
