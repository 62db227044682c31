"""The same story in every shell: simulated in memory, and lived on a real Temporal server with virtual time."""

import pytest

from nurture.simulate import simulate
from tests.temporal.roads import AT_NOON, LOVE, ROADS, Road
from tests.temporal.town import Town, a_lead

VARIED = [
    road for road in ROADS if road.name in {"nobody reacts", "bought while reminded", "what the road does itself"}
]


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
async def test_a_journey_in_the_strict_sandbox_goes_the_way_it_is_simulated(road: Road, sandboxed: Town) -> None:
    await _is_lived_as_simulated(road, sandboxed)


@pytest.mark.postgres
@pytest.mark.parametrize("road", VARIED, ids=lambda road: road.name)
async def test_a_journey_composed_as_in_production_goes_the_way_it_is_simulated(road: Road, production: Town) -> None:
    await _is_lived_as_simulated(road, production)


async def _is_lived_as_simulated(road: Road, town: Town) -> None:
    """The same moves with the same answers at the same times, the same messages, the same end."""
    lead_id = await town.settle(a_lead(**road.lead), road.lead.get("consents"))
    lived = await town.live(road.campaign, lead_id, road.events)
    simulated = simulate(
        road.campaign,
        lead=road.lead,
        events=road.events,
        start=lived.start,
        scores=[LOVE],
        lead_id=lead_id,
        time_zone=AT_NOON,
    )

    assert lived.trace == simulated.trace
    assert (lived.sent, lived.ending) == (simulated.sent, simulated.ending)
    late = [(a - b.at).total_seconds() for a, b in zip(lived.times, simulated.lines, strict=True)]
    assert all(-1 <= one <= 20 for one in late), late
