"""The same story in every shell: simulated in memory, and lived on a real Temporal server with virtual time."""

import pytest

from nurture.simulate import simulate
from tests.temporal.roads import ROADS, Road
from tests.temporal.town import Town, a_lead


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
async def test_a_journey_on_temporal_goes_the_way_it_is_simulated(road: Road, town: Town) -> None:
    lead_id = await town.settle(a_lead(**road.lead), road.lead.get("consents"))
    lived = await town.live(road.campaign, lead_id, road.events)
    simulated = simulate(road.campaign, lead=road.lead, events=road.events, start=lived.start, lead_id=lead_id)

    assert lived.trace == simulated.trace
    assert lived.sent == simulated.sent
    assert lived.ending == simulated.ending


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
async def test_every_wait_on_temporal_ends_when_the_simulation_says(road: Road, town: Town) -> None:
    lead_id = await town.settle(a_lead(**road.lead), road.lead.get("consents"))
    lived = await town.live(road.campaign, lead_id, road.events)
    simulated = simulate(road.campaign, lead=road.lead, events=road.events, start=lived.start, lead_id=lead_id)

    late = [(a - b.at).total_seconds() for a, b in zip(lived.times, simulated.lines, strict=True)]
    assert all(-1 <= one <= 20 for one in late), late
