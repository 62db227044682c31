"""The control points of the life cycle, on each database in turn, against a set of leads made by hand."""

from datetime import datetime, timedelta

import pytest

from nurture.stages import STAGES
from nurture.store import Store
from nurture.store.models import LeadRow
from nurture.store.stage_report import ControlPoint, control_points
from nurture.store.stage_tables import StageChangeRow

# By lead: on which day it came, and then to which stage on which day.
ROADS: dict[str, list[tuple[int, str]]] = {
    "ann": [(0, "need"), (2, "interest"), (5, "visit"), (9, "buy")],
    "bob": [(0, "need"), (4, "interest")],
    "eve": [(10, "need"), (11, "visit"), (13, "interest"), (20, "learn")],  # skips, and goes back
    "kim": [(50, "need")],
}
MONTH = timedelta(days=30)


@pytest.fixture
async def leads(store: Store, now: datetime) -> Store:
    """Those leads, and one that is only a test."""
    start = now - timedelta(days=60)
    async with store.write() as session:
        for lead_id, road in {**ROADS, "test": ROADS["ann"]}.items():
            (came, stage), *later = road
            at = start + timedelta(days=came)
            row = LeadRow(id=lead_id, test=lead_id == "test", stage=road[-1][1], created_at=at, updated_at=at)
            session.add(row)
            await session.flush()
            for day, to_stage in later:
                change = StageChangeRow(lead_id=lead_id, from_stage=stage, to_stage=to_stage, reason="api", cause="c",
                                        at=start + timedelta(days=day))  # fmt: skip
                session.add(change)
                await session.flush()
                stage = to_stage
    return store


async def test_each_stage_tells_who_is_there_goes_on_stays_and_drops_off(leads: Store, now: datetime) -> None:
    async with leads.read() as session:
        found = {one.stage: one for one in await control_points(session, now, stuck=MONTH)}

    assert list(found) == list(STAGES)
    assert found["need"] == ControlPoint("need", now=1, came=4, went_on=3, median_days=2.0, stuck=0)
    assert found["interest"] == ControlPoint("interest", now=1, came=3, went_on=2, median_days=5.0, stuck=1)
    assert found["visit"] == ControlPoint("visit", now=0, came=2, went_on=1, median_days=3.0, stuck=0)
    assert found["learn"] == ControlPoint("learn", now=1, came=1, went_on=0, median_days=None, stuck=1)
    assert found["buy"].now == 1
    assert (found["need"].conversion, found["promoter"].conversion) == (0.75, None)


async def test_since_a_day_only_what_began_after_it_counts_but_who_is_there_is_there(
    leads: Store, now: datetime
) -> None:
    since = now - timedelta(days=50)
    async with leads.read() as session:
        found = {one.stage: one for one in await control_points(session, now, since=since, stuck=MONTH)}

    assert found["need"] == ControlPoint("need", now=1, came=2, went_on=1, median_days=1.0, stuck=0)
    assert found["interest"] == ControlPoint("interest", now=1, came=1, went_on=1, median_days=7.0, stuck=1)


async def test_in_another_view_stages_that_are_one_are_one_stay(leads: Store, now: datetime) -> None:
    async with leads.read() as session:
        found = {one.stage: one for one in await control_points(session, now, view="lead", stuck=MONTH)}

    assert list(found) == ["Lead Generation", "Lead Development", "Lead Conversion", "Account Management"]
    generation = ControlPoint("Lead Generation", now=2, came=4, went_on=2, median_days=9.5, stuck=1)
    assert found["Lead Generation"] == generation
    assert found["Account Management"].came == 1


async def test_of_nobody_there_is_nothing_to_tell(store: Store, now: datetime) -> None:
    async with store.read() as session:
        found = await control_points(session, now, stuck=MONTH)

    assert {one[1:] for one in found} == {(0, 0, 0, None, 0)}
