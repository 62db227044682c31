"""Scenarios B-01, B-17, D-01, D-02, D-05, D-07, D-08, M-53, M-55, M-56, M-58, N-08, and the loss of the engine (F7, F8)."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import select

from nurture.audiences import Audience
from nurture.campaign import AudienceEntry, DateEntry, always, once_in
from nurture.conditions import event
from nurture.errors import Unavailable
from nurture.journey import Heard
from nurture.lead import lead
from nurture.orders import StartOrder
from nurture.settings import Settings
from nurture.steps import WaitFor
from nurture.store import campaigns, enrolments, journeys, listeners
from nurture.store.models import EventRow, JourneyRow, OutboxRow
from nurture.triggers import leave, on, when
from tests.integration.scene import SECOND, Scene, simple

DAY = timedelta(days=1)


async def test_an_event_enters_the_lead_and_starts_its_journey(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    cause = await scene.happens("signed_up")

    await scene.dispatch()

    [journey] = await scene.journeys()
    assert (journey.status, journey.entry_event, journey.entered) == ("active", cause, await scene.received(cause))
    assert [order.journey_id for order in scene.engine.started] == [journey.id]
    assert await scene.pending() == 0


async def test_a_start_order_carries_ids_and_a_position_and_nothing_of_the_person(scene: Scene) -> None:
    version = await scene.publish(simple(enters=[on("signed_up")], priority=2))
    await scene.lead(first_name="Ann")
    await scene.happens("signed_up")

    await scene.dispatch()

    [order] = scene.engine.started
    assert (order.lead_id, order.campaign, order.priority, order.version) == ("ann", "welcome", 2, version)
    assert (order.position.state, order.pace.factor, order.pace.origin) == ("first", 1, order.position.entered)


async def test_an_event_that_nobody_waits_for_wakes_nobody(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("page_seen")

    assert await scene.dispatch() == 1
    assert (scene.engine.started, scene.engine.heard, await scene.pending()) == ([], [], 0)


async def test_only_an_event_that_passes_the_filters_enters(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up", plan="pro")]))
    await scene.lead()
    await scene.happens("signed_up", plan="free")
    await scene.dispatch()
    assert await scene.journeys() == []

    await scene.happens("signed_up", plan="pro")
    await scene.dispatch()
    assert len(await scene.journeys()) == 1


async def test_what_machines_did_enters_and_wakes_nobody(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("message_clicked")]))
    await scene.lead()
    cause = await scene.happens("message_clicked")
    async with scene.store.write() as session:
        row = await session.get_one(EventRow, cause)
        row.machine = True
        session.add(row)

    await scene.dispatch()

    assert (await scene.journeys(), await scene.pending()) == ([], 0)


async def test_a_lead_who_enters_again_while_in_it_is_refused_and_stalls_nobody(scene: Scene) -> None:  # B-01
    await scene.publish(simple(enters=[on("signed_up")], reenters=always))
    for name in ("ann", "bob"):
        await scene.lead(name)
        await scene.happens("signed_up", to=name)
    await scene.dispatch()

    await scene.happens("signed_up")
    await scene.happens("signed_up", to="bob")
    await scene.dispatch()

    assert len(await scene.journeys()) == 2
    assert await scene.refusals() == ["already in it", "already in it"]
    assert (await scene.pending(), await scene.dead_letters()) == (0, [])


async def test_of_two_equal_triggers_that_race_one_enters(scene: Scene) -> None:  # B-17
    version = await scene.publish(simple(enters=[on("signed_up")], reenters=always))
    await scene.lead()

    async def enters() -> object:
        async with scene.store.write() as session:
            return await enrolments.enrol(session, version, "ann", by="race", now=scene.now)

    await asyncio.gather(*(enters() for _ in range(8)))

    assert len(await scene.journeys()) == 1
    assert await scene.refusals() == ["already in it"]


async def test_a_row_that_is_tried_again_enters_nobody_twice(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], reenters=always))
    await scene.lead()
    await scene.happens("signed_up")
    scene.engine.reachable = False
    for _ in range(3):
        with pytest.raises(Unavailable):
            await scene.dispatch()
    assert [row.status for row in await scene.journeys()] == ["starting"]

    scene.engine.reachable = True
    await scene.dispatch()

    assert [row.status for row in await scene.journeys()] == ["active"]
    assert (len(scene.engine.started), await scene.refusals()) == (1, [])


async def test_the_same_appointment_twice_is_one_journey(scene: Scene) -> None:  # D-01
    await scene.publish(simple(enters=[on("appointment", key="id")], reenters=always))
    await scene.lead()
    await scene.happens("appointment", id=1)
    await scene.happens("appointment", id=1)

    await scene.dispatch()

    assert [row.key for row in await scene.journeys()] == ["1"]


async def test_numeric_keys_are_the_same_however_they_are_written(scene: Scene) -> None:  # D-05
    await scene.publish(simple(enters=[on("appointment", key="id")], reenters=always))
    await scene.lead()
    for value in (1, 1.0, "1", 2, "2.5", 2.5):
        await scene.happens("appointment", id=value)

    await scene.dispatch()

    assert sorted(row.key for row in await scene.journeys()) == ["1", "2", "2.5"]


async def test_each_appointment_has_its_own_journey(scene: Scene) -> None:  # D-02
    await scene.publish(simple(enters=[on("appointment", key="id")]))
    await scene.lead()
    await scene.happens("appointment", id="a-1")
    await scene.happens("appointment", id="a-2")

    await scene.dispatch()

    assert sorted(row.key for row in await scene.journeys()) == ["a-1", "a-2"]
    assert len(scene.engine.started) == 2


async def test_an_appointment_without_its_key_is_refused_with_the_reason(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("appointment", key="id")]))
    await scene.lead()
    await scene.happens("appointment")

    await scene.dispatch()

    assert await scene.refusals() == ["the event has no usable id, which is this campaign's key"]


async def test_a_campaign_that_may_be_run_again_runs_again_with_its_history_kept(scene: Scene) -> None:  # D-07, M-55
    await scene.publish(simple(enters=[on("signed_up")], reenters=always))
    await scene.lead()
    for _ in range(2):
        await scene.happens("signed_up")
        await scene.dispatch()
        await scene.ends((await scene.journeys())[-1].id)

    assert [(row.run, row.status) for row in await scene.journeys()] == [(1, "ended"), (2, "ended")]
    assert len(scene.engine.started) == 2


async def test_a_campaign_that_may_not_be_run_again_runs_once(scene: Scene) -> None:  # D-08
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    for _ in range(2):
        await scene.happens("signed_up")
        await scene.dispatch()
        await scene.ends((await scene.journeys())[-1].id)

    assert len(scene.engine.started) == 1
    assert await scene.refusals() == ["it has been in it: a lead enters once only"]


async def test_a_lead_enters_again_when_its_last_entry_is_long_enough_ago(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], reenters=once_in(180 * DAY)))
    await scene.lead()
    for wait in (0 * DAY, 179 * DAY, 2 * DAY):
        scene.now += wait
        await scene.happens("signed_up")
        await scene.dispatch()
        await scene.ends((await scene.journeys())[-1].id)

    assert [row.run for row in await scene.journeys()] == [1, 2]


async def test_whom_a_person_took_out_only_a_person_puts_back(scene: Scene) -> None:  # M-56, M-58
    await scene.publish(simple(enters=[on("signed_up")], reenters=always))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    await scene.ends((await scene.journeys())[0].id, "stopped: asked on the phone")

    await scene.happens("signed_up")
    await scene.enrols("welcome")
    await scene.dispatch()
    assert set(await scene.refusals()) == {"a person took it out: only a person may put it back"}

    await scene.enrols("welcome", manual=True)
    await scene.dispatch()
    assert [(row.run, row.entered_by) for row in await scene.journeys()] == [(1, "event signed_up"), (2, "cli")]


async def test_two_events_of_one_instant_are_both_delivered_in_order(scene: Scene) -> None:  # N-08
    await scene.publish(simple(enters=[on("signed_up")], always=[on("a", to="first"), on("b", to="first")]))
    await scene.lead()
    for name in ("signed_up", "a", "b"):
        await scene.happens(name)

    await scene.dispatch()

    assert scene.engine.arms == ["always:0", "always:1"]


async def test_what_is_always_listened_for_is_heard_from_the_entry_on(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("order_paid")], goal=on("order_paid"), reenters=always))
    await scene.lead()
    await scene.happens("order_paid")
    await scene.dispatch()
    assert scene.engine.heard == []

    cause = await scene.happens("order_paid")
    await scene.dispatch()

    [(_, heard)] = scene.engine.heard
    assert (heard.arm, heard.event, heard.at) == ("goal", cause, await scene.received(cause))


async def test_a_journey_hears_one_thing_of_an_event_and_an_exit_comes_first(scene: Scene) -> None:
    await scene.publish(
        simple(enters=[on("signed_up")], always=[on("order_paid", to="first")], exits=[on("order_paid")])
    )
    await scene.lead()
    await scene.happens("signed_up")
    await scene.happens("order_paid")

    await scene.dispatch()

    assert scene.engine.arms == ["exit:0"]


async def test_what_was_heard_is_not_told_again(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], always=[on("order_paid", to="first")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    async with scene.store.write() as session:
        [row] = await scene.journeys()
        row.position = {**row.position, "heard": ["always:0"]}
        session.add(row)

    await scene.happens("order_paid")
    await scene.dispatch()

    assert scene.engine.heard == []


async def test_a_condition_is_heard_when_a_change_makes_it_true(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], always=[when(lead.score("interest") >= 70, to="first")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.scores(40)
    await scene.dispatch()
    assert scene.engine.heard == []

    await scene.scores(75)
    await scene.dispatch()

    assert scene.engine.arms == ["always:0"]


async def test_a_condition_that_an_event_made_true_is_heard_as_of_that_event(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], exits=[when(event("visit").count() >= 2, to=leave("busy"))]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.happens("visit")
    second = await scene.happens("visit")
    scene.now += 5 * SECOND

    await scene.dispatch()

    assert [(heard.event, heard.at) for _, heard in scene.engine.heard][-1] == (second, await scene.received(second))


async def test_a_wait_hears_what_it_waits_for_and_no_other_wait_does(scene: Scene) -> None:
    steps = [WaitFor(arms=(on("clicked"),), up_to=3 * DAY), WaitFor(arms=(on("clicked"), on("replied")), up_to=3 * DAY)]
    version = await scene.publish(simple(steps=steps, enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    [journey] = await scene.journeys()
    async with scene.store.write() as session:
        arms = {f"first/1/1:{at}": arm for at, arm in enumerate(version.step("first", 1).arms)}  # type: ignore[union-attr]
        await listeners.listen(session, journey.id, "ann", arms, journey.entered)

    await scene.happens("replied")
    await scene.happens("clicked")
    await scene.dispatch()

    assert scene.engine.arms == ["first/1/1:1", "first/1/1:0"]


async def test_a_condition_on_the_profile_enters_each_time_it_comes_true(scene: Scene) -> None:
    await scene.publish(simple(enters=[when(lead.country == "DE")], reenters=always))
    await scene.lead()
    for country in ("DE", "FR", "DE"):
        await scene.changes(country=country)
        await scene.dispatch()
        for row in await scene.journeys():
            await scene.ends(row.id)
    await scene.changes(city="Bonn", country="DE")
    await scene.dispatch()

    assert [row.run for row in await scene.journeys()] == [1, 2]


async def test_joining_an_audience_enters(scene: Scene) -> None:
    await scene.publish(simple(enters=[AudienceEntry(audience="trial")]))
    await scene.lead()
    await scene.changes(audiences=["other"])
    await scene.changes(audiences=["other", "trial"])
    await scene.dispatch()

    assert [row.entered_by for row in await scene.journeys()] == ["condition"]


async def test_an_audience_by_condition_is_joined_when_the_condition_comes_true(scene: Scene) -> None:
    await scene.publish(simple(enters=[AudienceEntry(audience="germans")]))
    await scene.lead()
    germans = Audience(key="germans", who=lead.country == "DE")
    await scene.changes(country="DE")

    scene.audiences = {"germans": germans}
    await scene.dispatch(scene.another_dispatcher())

    assert len(await scene.journeys()) == 1


async def test_a_date_that_is_set_to_today_enters_today(scene: Scene) -> None:
    await scene.publish(simple(enters=[DateEntry(field=("custom", "trial_ends"))], reenters=always))
    await scene.lead()
    for date in ("2026-11-22", "2026-11-24", "2026-11-23"):
        await scene.changes(custom={"trial_ends": date})
        await scene.dispatch()

    assert len(await scene.journeys()) == 1


async def test_an_event_is_one_entry_whatever_else_it_makes_true(scene: Scene) -> None:
    enters = [on("signed_up"), when(event("signed_up").count() >= 1)]
    await scene.publish(simple(enters=enters, reenters=always))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()

    assert (len(await scene.journeys()), await scene.refusals()) == (1, [])


async def test_one_event_enters_every_campaign_that_it_opens(scene: Scene) -> None:
    for key in ("one", "two", "three"):
        await scene.publish(simple(key, enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")

    await scene.dispatch()

    assert sorted(order.campaign for order in scene.engine.started) == ["one", "three", "two"]


async def test_the_newest_version_takes_new_leads_and_the_old_one_keeps_its_own(scene: Scene) -> None:
    first = await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()

    second = await scene.publish(simple(enters=[on("signed_up")], title="Welcome!"))
    await scene.lead("bob")
    await scene.happens("signed_up", to="bob")
    await scene.dispatch()

    assert [row.version for row in await scene.journeys()] == [first.hash, second.hash]


async def test_the_hold_out_is_recorded_and_never_starts(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], holdout=100))
    await scene.lead()
    await scene.lead("tess", test=True)
    await scene.happens("signed_up")
    await scene.happens("signed_up", to="tess")

    await scene.dispatch()

    assert {row.lead_id: row.status for row in await scene.journeys()} == {"ann": "holdout", "tess": "active"}
    assert [order.lead_id for order in scene.engine.started] == ["tess"]


async def test_outside_development_only_a_test_lead_may_hurry(scene: Scene) -> None:
    secret = SecretStr("0123456789" * 4)
    scene.settings = Settings(_env_file=None, environment="production", secrets=[secret])
    await scene.publish(simple())
    await scene.lead()
    await scene.lead("tess", test=True)
    for name in ("ann", "tess"):
        await scene.enrols("welcome", to=name, speed="1d=1s")

    await scene.dispatch(scene.another_dispatcher())

    assert [(row.lead_id, row.pace) for row in await scene.journeys()] == [("tess", 86400)]
    assert await scene.refusals() == ["outside development only a test lead may run at another speed"]


async def test_a_lead_is_enrolled_by_hand_once_however_often_the_row_is_tried(scene: Scene) -> None:
    await scene.publish(simple(reenters=always))
    await scene.lead()
    await scene.enrols("welcome", key=7)
    scene.engine.reachable = False
    with pytest.raises(Unavailable):
        await scene.dispatch()

    scene.engine.reachable = True
    await scene.dispatch()

    assert [(row.key, row.run, row.status) for row in await scene.journeys()] == [("7", 1, "active")]
    assert await scene.refusals() == []


async def test_an_unknown_campaign_is_a_dead_letter_with_the_remedy(scene: Scene) -> None:
    await scene.lead()
    await scene.enrols("welcom")
    await scene.happens("visit")

    await scene.dispatch()

    assert await scene.dead_letters() == ["campaign 'welcom' is not published: publish it with nurture publish"]
    assert await scene.pending() == 0


async def test_an_event_that_is_gone_is_a_dead_letter_and_its_neighbours_go_on(scene: Scene) -> None:  # M-68
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.put("event", event="gone", name="signed_up", keys=["event.signed_up"])
    await scene.happens("signed_up")

    await scene.dispatch()

    assert await scene.dead_letters() == ["event gone is no longer in the store"]
    assert len(scene.engine.started) == 1


async def test_a_row_that_fails_is_tried_again_later_and_its_lead_waits_in_order(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], goal=on("order_paid")))
    await scene.lead()
    await scene.lead("bob")
    await scene.happens("signed_up")
    await scene.dispatch()
    scene.engine.running.clear()
    scene.engine.starts = False
    await scene.happens("order_paid")
    await scene.happens("order_paid")
    await scene.happens("signed_up", to="bob")
    await scene.dispatch()
    assert await scene.pending() == 2

    scene.engine.starts = True
    await scene.dispatch()

    assert scene.engine.arms == ["goal", "goal"]
    assert await scene.pending() == 0


async def test_what_fails_again_and_again_becomes_a_dead_letter(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")], goal=on("order_paid")))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    scene.engine.running.clear()
    scene.engine.starts = False
    await scene.happens("order_paid")
    for _ in range(20):
        await scene.dispatch()
        scene.now += 60 * SECOND

    [reason] = await scene.dead_letters()
    assert reason.endswith("was started and does not run, after 20 attempts")


async def test_an_outage_of_the_engine_counts_against_no_row(scene: Scene) -> None:  # F7
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    scene.engine.reachable = False
    for _ in range(50):
        with pytest.raises(Unavailable):
            await scene.dispatch()

    [row] = await scene.rows(OutboxRow)
    assert (row.attempts, row.claimed_by) == (0, None)


async def test_a_journey_that_the_engine_lost_runs_again_from_where_it_stands_and_then_hears(
    scene: Scene,
) -> None:  # F8
    await scene.publish(simple(enters=[on("signed_up")], goal=on("order_paid")))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    scene.engine.running.clear()

    await scene.happens("order_paid")
    await scene.dispatch()

    assert len(scene.engine.started) == 2
    assert scene.engine.arms == ["goal"]


async def test_a_word_for_a_journey_that_has_ended_is_dropped(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    [journey] = await scene.journeys()
    async with scene.store.write() as session:
        await journeys.stop(session, journey.id, "asked on the phone", scene.now)
    await scene.ends(journey.id)

    await scene.dispatch()

    assert (scene.engine.heard, len(scene.engine.started), await scene.pending()) == ([], 1, 0)


async def test_a_person_stops_a_journey_and_the_engine_is_not_told_why(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    [journey] = await scene.journeys()
    async with scene.store.write() as session:
        await journeys.stop(session, journey.id, "asked on the phone", scene.now)

    await scene.dispatch()

    [(journey_id, heard)] = scene.engine.heard
    assert (journey_id, heard) == (journey.id, Heard(at=heard.at, arm="stop"))


async def test_resuming_a_campaign_spreads_the_load_and_holds_up_no_event(scene: Scene) -> None:  # F30, M-61
    await scene.publish(simple(enters=[on("signed_up")], goal=on("order_paid")))
    for name in (names := [f"lead-{n}" for n in range(10)]):
        await scene.lead(name)
        await scene.happens("signed_up", to=name)
    await scene.dispatch()
    async with scene.store.write() as session:
        await session.exec(update(JourneyRow).values(status="held"))
        await campaigns.pause(session, "welcome", scene.now)
    async with scene.store.write() as session:
        assert await campaigns.resume(session, "welcome", scene.now, spread=100) == 10

    counts = []
    for _ in range(10):
        before = len(scene.engine.heard)
        await scene.dispatch()
        scene.now += 10 * SECOND
        counts.append(len(scene.engine.heard) - before)
    await scene.dispatch()
    await scene.happens("order_paid", to=names[0])
    await scene.dispatch()

    assert max(counts) <= 2
    assert scene.engine.arms == ["resume"] * 10 + ["goal"]


async def test_a_crowd_that_is_resumed_goes_at_fifty_a_second_unless_told_otherwise(scene: Scene) -> None:  # F30
    await scene.publish(simple(enters=[on("signed_up")]))
    for name in [f"lead-{n}" for n in range(120)]:
        await scene.lead(name)
        await scene.happens("signed_up", to=name)
    await scene.dispatch()
    async with scene.store.write() as session:
        await session.exec(update(JourneyRow).values(status="held"))
        await campaigns.resume(session, "welcome", scene.now)
        due = [one - scene.now for one in (await session.exec(select(OutboxRow.due_at))).all()]

    assert len(due) == 120
    assert [sum(n * SECOND <= one < (n + 1) * SECOND for one in due) for n in range(3)] == [50, 50, 20]


async def test_two_dispatchers_share_the_work_and_double_nothing(scene: Scene) -> None:  # F33
    await scene.publish(simple(enters=[on("signed_up")], goal=on("order_paid")))
    for n in range(20):
        await scene.lead(f"lead-{n}")
        await scene.happens("signed_up", to=f"lead-{n}")
        await scene.happens("order_paid", to=f"lead-{n}")

    await asyncio.gather(scene.dispatch(), scene.dispatch(scene.another_dispatcher()))
    await scene.dispatch()

    assert (len(scene.engine.started), len(scene.engine.heard), await scene.pending()) == (20, 20, 0)


async def test_what_a_killed_dispatcher_left_behind_is_taken_over(scene: Scene) -> None:  # F1
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatcher._claim(scene.now)
    other = scene.another_dispatcher()
    assert await other.run_once(scene.now) == 0

    scene.now += 31 * SECOND
    await scene.dispatch(other)

    assert len(scene.engine.started) == 1


async def test_it_runs_until_it_is_told_to_stop_and_is_woken_at_once(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    stop, running = asyncio.Event(), asyncio.Event()
    start = scene.engine.start

    async def started(order: StartOrder) -> None:
        await start(order)
        running.set()

    scene.engine.start = started  # type: ignore[method-assign]
    work = asyncio.create_task(scene.dispatcher.run(stop))
    await scene.happens("signed_up")
    scene.dispatcher.wake()
    await asyncio.wait_for(running.wait(), 5)
    stop.set()
    await asyncio.wait_for(work, 5)

    assert await scene.pending() == 0


async def test_a_state_that_is_gone_from_a_version_is_not_listened_for(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    await scene.dispatch()
    [journey] = await scene.journeys()
    async with scene.store.write() as session:
        await listeners.listen(session, journey.id, "ann", {"gone/0/1:0": on("clicked")}, journey.entered)

    await scene.happens("clicked")
    await scene.dispatch()

    assert (scene.engine.heard, await scene.dead_letters()) == ([], [])


async def test_what_is_wrong_with_one_lead_harms_no_other(scene: Scene) -> None:  # F21
    await scene.publish(simple(enters=[on("signed_up")]))
    for n in range(10):
        await scene.lead(f"lead-{n}")
        await scene.happens("signed_up", to=f"lead-{n}")
    await scene.put("event", "lost", event="gone", name="signed_up", keys=["event.signed_up"])
    await scene.put("dance", "strange")
    await scene.put("event", "broken")

    await scene.dispatch()

    assert len(scene.engine.started) == 10
    assert [row.lead_id for row in await scene.rows(OutboxRow)] == ["broken"]
    assert {reason.split(":")[0] for reason in await scene.dead_letters()} == {
        "event gone is no longer in the store",
        "an outbox row of kind 'dance' is unknown",
    }


async def test_it_goes_on_by_itself_when_the_engine_is_back(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("signed_up")]))
    await scene.lead()
    await scene.happens("signed_up")
    tried, started, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    start, scene.engine.reachable = scene.engine.start, False

    async def watched(order: StartOrder) -> None:
        tried.set()
        await start(order)
        started.set()

    scene.engine.start = watched  # type: ignore[method-assign]
    work = asyncio.create_task(scene.dispatcher.run(stop))
    await asyncio.wait_for(tried.wait(), 5)
    assert not started.is_set()
    scene.engine.reachable = True
    await asyncio.wait_for(started.wait(), 5)
    stop.set()
    await asyncio.wait_for(work, 5)

    assert (len(scene.engine.started), await scene.pending()) == (1, 0)


# --- bulk runs ---


async def test_a_bulk_run_is_woken(scene: Scene) -> None:
    await scene.put("bulk", to="run-1", run="run-1")
    await scene.dispatch()
    assert (scene.engine.woken, await scene.pending()) == (["run-1"], 0)


async def test_a_bulk_run_is_woken_once_the_engine_can_be_reached(scene: Scene) -> None:
    await scene.put("bulk", to="run-1", run="run-1")
    scene.engine.reachable = False
    with pytest.raises(Unavailable):
        await scene.dispatch()
    scene.engine.reachable = True
    await scene.dispatch()
    assert scene.engine.woken == ["run-1"]


# --- clocks of hand-offs ---


async def test_a_clock_is_wound_once_the_engine_is_back(scene: Scene) -> None:
    await scene.lead()
    await scene.put("hand_off", hand_off="h-1")
    scene.engine.reachable = False
    with pytest.raises(Unavailable):
        await scene.dispatch()
    assert (await scene.pending(), scene.engine.wound) == (1, [])

    scene.engine.reachable = True
    await scene.dispatch()
    assert (await scene.pending(), scene.engine.wound) == (0, ["h-1"])
