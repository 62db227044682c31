"""Scenarios L-08 and B-10 as far as time enters leads; sweeps that run twice, late, or beside each other."""

import asyncio
from datetime import timedelta

from sqlalchemy import update

from nurture.audiences import Audience
from nurture.campaign import AudienceEntry, DateEntry, always
from nurture.catalogue import Catalogue
from nurture.conditions import event
from nurture.intake import Recorder
from nurture.lead import lead
from nurture.settings import Settings
from nurture.steps import WaitFor
from nurture.store import campaigns, enrolments, listeners
from nurture.store.models import JourneyRow
from nurture.sweeps import run_sweep, sweeps
from nurture.triggers import on, when
from tests.integration.scene import SECOND, Scene, simple

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RECORDER = Recorder(Catalogue(), Settings(_env_file=None))


async def sweep(scene: Scene, name: str) -> int:
    [one] = [one for one in sweeps(scene.audiences, RECORDER) if one.name == name]
    return await run_sweep(one, scene.store, scene.settings, scene.now)


async def time_goes_by(scene: Scene, length: timedelta, sweeps: int = 10) -> None:
    for _ in range(sweeps):
        scene.now += length / sweeps
        await sweep(scene, "time passed")
        await sweep(scene, "dates came")
        await scene.dispatch()


async def test_a_lead_who_stays_away_long_enough_enters_once(scene: Scene) -> None:
    await scene.publish(simple("win-back", enters=[when(event("visit").absent(30 * DAY))], reenters=always))
    await scene.lead()
    await time_goes_by(scene, DAY)
    await scene.happens("visit")
    await time_goes_by(scene, 29 * DAY)
    assert await scene.journeys() == []

    await time_goes_by(scene, 2 * DAY)
    [journey] = await scene.journeys()
    await scene.ends(journey.id)
    await time_goes_by(scene, 60 * DAY)
    assert len(await scene.journeys()) == 1

    await scene.happens("visit")
    await time_goes_by(scene, 31 * DAY)
    assert [row.run for row in await scene.journeys()] == [1, 2]


async def test_a_campaign_does_not_enter_whom_time_had_qualified_before_it_was_published(scene: Scene) -> None:  # B-10
    await scene.lead()
    await scene.happens("visit")
    await time_goes_by(scene, 40 * DAY)

    await scene.publish(simple("win-back", enters=[when(event("visit").absent(30 * DAY))]))
    await time_goes_by(scene, 5 * DAY)

    assert await scene.journeys() == []


async def test_a_lead_whom_time_brings_into_an_audience_enters_once(scene: Scene) -> None:
    scene.audiences = {
        "sleepers": Audience(key="sleepers", who=event("visit").absent(30 * DAY) & (lead.country == "DE"))
    }
    scene.dispatcher = scene.another_dispatcher()
    await scene.publish(simple("win-back", enters=[AudienceEntry(audience="sleepers")]))
    await scene.lead(country="DE")
    await time_goes_by(scene, DAY)
    await scene.happens("visit")
    await time_goes_by(scene, 29 * DAY)
    assert await scene.journeys() == []

    await time_goes_by(scene, 40 * DAY)

    assert [row.lead_id for row in await scene.journeys()] == ["ann"]


async def test_a_journey_hears_what_time_made_true(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], exits=[when(event("visit").absent(10 * DAY))]))
    await time_goes_by(scene, DAY)
    await scene.lead()
    await scene.happens("visit")
    await scene.happens("signed_up")
    await time_goes_by(scene, 9 * DAY)
    assert scene.engine.heard == []

    await time_goes_by(scene, 2 * DAY)

    assert scene.engine.arms == ["exit:0"]


async def test_a_wait_hears_what_time_made_true_at_the_pace_of_its_journey(scene: Scene) -> None:
    scene.settings = Settings(_env_file=None, speed="1d=1s")
    scene.dispatcher = scene.another_dispatcher()
    quiet = when(event("visit").absent(10 * DAY))
    version = await scene.publish(simple(steps=[WaitFor(arms=(quiet,), up_to=90 * DAY)], enters=[on("signed_up")]))
    await sweep(scene, "time passed")
    await scene.lead()
    await scene.happens("visit")
    await scene.happens("signed_up")
    await scene.dispatch()
    [journey] = await scene.journeys()
    async with scene.store.write() as session:
        wait = version.step("first", 0)
        assert isinstance(wait, WaitFor)
        await listeners.listen(session, journey.id, "ann", {"first/0/1:0": wait.arms[0]}, journey.entered)

    await time_goes_by(scene, 5 * SECOND, sweeps=2)
    assert scene.engine.heard == []
    await time_goes_by(scene, 5 * SECOND, sweeps=2)
    assert scene.engine.arms == ["first/0/1:0"]


async def test_time_that_nobody_listens_to_costs_nothing(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], exits=[when(event("visit").absent(10 * DAY))]))
    await sweep(scene, "time passed")
    await scene.lead()
    await scene.happens("visit")

    scene.now += 20 * DAY

    assert await sweep(scene, "time passed") == 0


async def test_a_date_enters_the_lead_on_its_day_where_it_lives(scene: Scene) -> None:  # L-08: 0 before, 1 after
    await scene.publish(simple("trial", enters=[DateEntry(field=("custom", "ends"), offset=-3 * DAY)], reenters=always))
    await scene.lead("ann", custom={"ends": "2026-11-27"})
    await scene.lead("aki", time_zone="Asia/Tokyo", custom={"ends": "2026-11-27"})
    await sweep(scene, "dates came")

    entered = []
    for hours in (4, 2, 7, 2):
        await time_goes_by(scene, hours * HOUR)
        entered.append([row.lead_id for row in await scene.journeys()])

    assert entered == [[], ["aki"], ["aki"], ["aki", "ann"]]


async def test_a_birthday_enters_every_year(scene: Scene) -> None:
    await scene.publish(simple("birthday", enters=[DateEntry(field=("custom", "born"), yearly=True)], reenters=always))
    await scene.lead(custom={"born": "1990-12-24"})
    await sweep(scene, "dates came")
    for _ in range(3):
        await time_goes_by(scene, 365 * DAY, sweeps=73)
        await scene.ends((await scene.journeys())[-1].id)

    assert [row.entered.isoformat()[:7] for row in await scene.journeys()] == ["2026-12", "2027-12", "2028-12"]


async def test_a_worker_that_was_away_for_long_makes_up_for_it(scene: Scene) -> None:
    await scene.publish(simple("birthday", enters=[DateEntry(field=("custom", "born"), yearly=True)]))
    await scene.lead("ann", custom={"born": "1990-12-24"})
    await scene.lead("bob", custom={"born": 662601600})
    await scene.lead("cleo", custom={"born": "some day"})
    await sweep(scene, "dates came")

    await time_goes_by(scene, 400 * DAY, sweeps=1)

    assert sorted(row.lead_id for row in await scene.journeys()) == ["ann", "bob"]


async def test_a_date_set_on_its_own_day_enters_once(scene: Scene) -> None:
    await scene.publish(simple("trial", enters=[DateEntry(field=("custom", "ends"))], reenters=always))
    await scene.lead()
    await sweep(scene, "dates came")
    scene.now += 15 * HOUR
    await scene.changes(custom={"ends": "2026-11-24"})
    await scene.dispatch()
    await scene.ends((await scene.journeys())[0].id)

    await time_goes_by(scene, DAY)

    assert len(await scene.journeys()) == 1


async def test_a_journey_that_nobody_started_is_started(scene: Scene) -> None:
    version = await scene.publish(simple())
    await scene.lead()
    async with scene.store.write() as session:
        await enrolments.enrol(session, version, "ann", by="test", now=scene.now)
    assert await sweep(scene, "unstarted") == 0

    scene.now += 61 * SECOND
    assert [await sweep(scene, "unstarted") for _ in range(2)] == [1, 0]
    await scene.dispatch()

    assert len(scene.engine.started) == 1
    scene.now += 61 * SECOND
    assert await sweep(scene, "unstarted") == 0


async def test_a_journey_that_the_end_of_a_pause_did_not_reach_goes_on(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    async with scene.store.write() as session:
        await campaigns.pause(session, "welcome", scene.now)
        await session.exec(update(JourneyRow).values(status="held"))
    scene.now += 61 * SECOND
    assert await sweep(scene, "overlooked") == 0

    async with scene.store.write() as session:
        await session.exec(update(JourneyRow).values(status="active"))
        await campaigns.resume(session, "welcome", scene.now)
        await session.exec(update(JourneyRow).values(status="held"))
    assert await sweep(scene, "overlooked") == 1
    await scene.dispatch()

    assert scene.engine.arms == ["resume"]


async def test_of_several_workers_one_does_a_sweep(scene: Scene) -> None:
    version = await scene.publish(simple())
    for n in range(5):
        await scene.lead(f"lead-{n}")
        async with scene.store.write() as session:
            await enrolments.enrol(session, version, f"lead-{n}", by="test", now=scene.now)
    scene.now += 61 * SECOND

    found = await asyncio.gather(*(sweep(scene, "unstarted") for _ in range(6)))

    assert sum(found) == 5


def test_a_hurried_calendar_is_swept_more_often() -> None:
    hurried, calm = Settings(_env_file=None, speed="1d=1s"), Settings(_env_file=None)

    every = sweeps({}, RECORDER)

    assert {one.period(hurried) for one in every} == {SECOND}
    assert [one.period(calm) for one in every] == [one.every for one in every]


# --- scores that fade ---


async def test_a_lead_whose_score_fades_below_a_mark_enters_once(scene: Scene) -> None:
    cooled = (lead.score("interest") < 20) & (lead.score("interest") >= 1)
    await scene.publish(simple("wake-up", enters=[when(cooled)], reenters=always))
    await scene.lead()
    await scene.lead("bob")
    await scene.scores(80, half_life=10 * DAY)
    await scene.scores(80, "bob")
    await time_goes_by(scene, 20 * DAY)
    assert await scene.journeys() == []

    await time_goes_by(scene, DAY)

    assert [row.lead_id for row in await scene.journeys()] == ["ann"]


async def test_who_faded_out_of_a_condition_enters_when_it_comes_to_meet_it_again(scene: Scene) -> None:
    await scene.publish(simple("hot", enters=[when(lead.score("interest") >= 50)], reenters=always))
    await scene.lead()
    await scene.scores(80, half_life=10 * DAY)
    await scene.dispatch()
    [journey] = await scene.journeys()
    await scene.ends(journey.id)
    await time_goes_by(scene, 10 * DAY)

    await scene.scores(60, half_life=10 * DAY)
    await scene.dispatch()

    assert [row.run for row in await scene.journeys()] == [1, 2]


async def test_a_journey_hears_that_a_score_has_faded(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], exits=[when(~(lead.score("interest") >= 20))]))
    await time_goes_by(scene, DAY)
    await scene.lead()
    await scene.scores(80, half_life=10 * DAY)
    await scene.happens("signed_up")
    await time_goes_by(scene, 20 * DAY)
    assert scene.engine.heard == []

    await time_goes_by(scene, DAY)

    assert scene.engine.arms == ["exit:0"]


async def test_a_penalty_fades_as_well(scene: Scene) -> None:
    await scene.publish(simple("forgiven", enters=[when(lead.score("interest") >= -10)]))
    await scene.lead()
    await scene.scores(-40, half_life=10 * DAY)
    await time_goes_by(scene, 19 * DAY)
    assert await scene.journeys() == []

    await time_goes_by(scene, 2 * DAY)

    assert len(await scene.journeys()) == 1
