from datetime import timedelta

import pytest
from sqlmodel import select

from nurture.conditions import event
from nurture.enrolment import Enrolled, Refusal
from nurture.errors import NotFound, Refused
from nurture.journey import Journey, begin
from nurture.lead import lead
from nurture.store import enrolments, journeys, listeners
from nurture.store.models import ListenerRow
from nurture.triggers import On, When, on, when
from tests.integration.scene import Scene, simple

DAY = timedelta(days=1)


async def entered(scene: Scene, lead_id: str = "ann", **settings: object) -> str:
    version = await scene.publish(simple(**settings))  # type: ignore[arg-type]
    await scene.lead(lead_id)
    async with scene.store.write() as session:
        answer = await enrolments.enrol(session, version, lead_id, by="test", now=scene.now)
    assert isinstance(answer, Enrolled)
    return answer.journey_id


async def listening(scene: Scene) -> set[tuple[str, str, bool]]:
    async with scene.store.read() as session:
        return {(row.arm, row.key, row.timed) for row in (await session.exec(select(ListenerRow))).all()}


async def test_a_journey_begins_at_the_first_state_and_starts_once_committed(scene: Scene) -> None:
    journey_id = await entered(scene)

    async with scene.store.read() as session:
        row = await journeys.get(session, journey_id)
        order = await journeys.start_order(session, journey_id)
    assert (row.status, row.state, row.run, row.entered) == ("starting", "first", 1, scene.now)
    assert order is not None
    assert Journey.model_validate(row.position) == begin(order.version, scene.now) == order.position


async def test_it_listens_from_its_entry_on_by_every_key_of_what_it_listens_for(scene: Scene) -> None:
    busy = when((lead.score("interest") >= 70) & (event("visit").within(7 * DAY).count() >= 2), to="first")
    await entered(scene, goal=on("order_paid"), always=[busy], exits=[on("unsubscribed")])

    assert await listening(scene) == {
        ("exit:0", "event.unsubscribed", False),
        ("goal", "event.order_paid", False),
        ("always:0", "event.visit", True),
        ("always:0", "score.interest", True),
    }


async def test_a_wait_takes_the_place_of_the_one_before_and_leaves_the_rest(scene: Scene) -> None:
    journey_id = await entered(scene, goal=on("order_paid"))
    first: dict[str, On | When] = {"first/0/1:0": on("clicked"), "first/0/1:1": on("replied")}
    second: dict[str, On | When] = {"first/1/1:0": on("visited")}
    for arms in (first, first, second):
        async with scene.store.write() as session:
            await listeners.listen(session, journey_id, "ann", arms, scene.now)

    assert {arm for arm, _, _ in await listening(scene)} == {"goal", "first/1/1:0"}


async def test_a_journey_may_stop_to_listen(scene: Scene) -> None:
    journey_id = await entered(scene, goal=on("order_paid"), exits=[on("unsubscribed"), on("left")])

    async with scene.store.write() as session:
        await listeners.unlisten(session, journey_id)

    assert await listening(scene) == set()


async def test_only_those_who_listen_for_one_of_the_keys_are_found(scene: Scene) -> None:
    journey_id = await entered(scene, goal=on("order_paid"), always=[when(lead.country == "DE", to="first")])
    async with scene.store.read() as session:
        found = await listeners.listeners_for(session, ["ann"], ["event.order_paid", "event.visit"])
        nobody = await listeners.listeners_for(session, ["bob"], ["event.order_paid"])

    assert [(one.journey_id, one.arm, one.since) for one in found["ann"]] == [(journey_id, "goal", scene.now)]
    assert nobody == {}


async def test_an_unknown_lead_cannot_enter(scene: Scene) -> None:
    version = await scene.publish(simple())
    with pytest.raises(NotFound, match=r"no lead .nobody."):
        async with scene.store.write() as session:
            await enrolments.enrol(session, version, "nobody", by="test", now=scene.now)


async def test_the_newest_refusal_by_the_same_event_holds(scene: Scene) -> None:
    async with scene.store.write() as session:
        for reason in ("first", "second"):
            await enrolments.refuse(session, "ann", "welcome", Refusal(reason), "event-1", scene.now)
        await enrolments.refuse(session, "ann", "welcome", Refusal("third"), "event-2", scene.now)

    assert sorted(await scene.refusals()) == ["second", "third"]


async def test_journeys_are_counted_by_status_and_state(scene: Scene) -> None:
    ended = await entered(scene)
    for name in ("bob", "cleo"):
        await entered(scene, name)
    await scene.ends(ended)

    async with scene.store.read() as session:
        counts = await journeys.counts(session, "welcome")
        assert counts == await journeys.counts(session)
    assert [(one.status, one.state, one.journeys) for one in counts] == [
        ("ended", "first", 1),
        ("starting", "first", 2),
    ]


async def test_what_has_ended_is_not_run(scene: Scene) -> None:
    journey_id = await entered(scene)
    await scene.ends(journey_id)

    async with scene.store.read() as session:
        assert await journeys.start_order(session, journey_id) is None


async def test_a_second_stop_is_refused(scene: Scene) -> None:  # M-59
    journey_id = await entered(scene)
    await scene.ends(journey_id, "stopped: asked on the phone")

    with pytest.raises(Refused, match="ended already: stopped: asked on the phone"):
        async with scene.store.write() as session:
            await journeys.stop(session, journey_id, "again", scene.now)


async def test_a_hold_out_is_stopped_at_once(scene: Scene) -> None:
    journey_id = await entered(scene, holdout=100)
    async with scene.store.write() as session:
        await journeys.stop(session, journey_id, "asked on the phone", scene.now)

    [row] = await scene.journeys()
    assert (row.status, row.ending, await scene.pending()) == ("ended", "stopped: asked on the phone", 0)


async def test_a_lead_is_taken_out_of_all_its_journeys(scene: Scene) -> None:
    await scene.lead()
    for key in ("one", "two", "three"):
        version = await scene.publish(simple(key))
        async with scene.store.write() as session:
            await enrolments.enrol(session, version, "ann", by="test", now=scene.now)
    await scene.ends((await scene.journeys())[0].id)

    async with scene.store.write() as session:
        assert await journeys.remove_lead(session, "ann", "asked on the phone", scene.now) == 2
    await scene.dispatch()

    assert scene.engine.arms == ["stop", "stop"]
