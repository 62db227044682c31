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
    .join_from(JOURNEYS, LEADS, LEADS.c.id == JOURNEYS.c.lead_id)
    .join(CAMPAIGNS, CAMPAIGNS.c.key == JOURNEYS.c.campaign, isouter=True)
    .where(JOURNEYS.c.id == bindparam("journey"))
    .with_for_update(of=LEADS)
)


class Beginning(NamedTuple):
    """The lead's row is held until the end of the transaction."""

    journey: JourneyRow
    lead: LeadRow
    paused: bool


async def beginning(session: Session, journey_id: str) -> Beginning:
    """What the walk of that journey begins with; the lead is the one that it is of now."""
    found = await BEGINNING.first(session, journey=journey_id)
    if found is None:  # the lead was merged into another while its row was waited for; or there is none, which is said
        await leads.locked(session, (await journeys.get(session, journey_id)).lead_id)
        found = await BEGINNING.first(session, journey=journey_id)
        assert found is not None  # both are there, and the lead is held
    of_journey, of_lead = len(JOURNEYS.c), len(LEADS.c)
    journey = dict(zip(JOURNEYS.c.keys(), found[:of_journey], strict=True))
    lead = dict(zip(LEADS.c.keys(), found[of_journey : of_journey + of_lead], strict=True))
    return Beginning(loaded(session, JourneyRow, journey), loaded(session, LeadRow, lead), found[-1] is not None)
