from datetime import datetime

import pytest

from nurture.errors import BadInput, NotFound
from nurture.orders import StartOrder
from nurture.store import dead_letters
from tests.integration.scene import Scene, simple


async def buried(scene: Scene, campaign: str = "welcome") -> list[int]:
    """Two leads that are to enter a campaign which is not published."""
    for who in ("ann", "bob"):
        await scene.lead(who)
        await scene.enrols(campaign, to=who)
    await scene.dispatch()
    async with scene.store.read() as session:
        return [one.id or 0 for one in await dead_letters.after(session, 0, 10)]


async def retried(scene: Scene, ids: list[int], now: datetime) -> None:
    async with scene.store.write() as session:
        await dead_letters.retry(session, await dead_letters.named(session, ids), now)


async def test_a_letter_tried_again_is_done_once_its_reason_is_gone(scene: Scene) -> None:
    ids = await buried(scene)
    await scene.publish(simple())
    await retried(scene, ids, scene.now)
    await scene.dispatch()

    assert sorted(one.lead_id for one in await scene.journeys()) == ["ann", "bob"]
    assert await scene.dead_letters() == []


async def test_a_letter_tried_again_comes_before_what_came_later(scene: Scene) -> None:
    [first, _] = await buried(scene, "first")
    await scene.publish(simple("first"))
    await scene.publish(simple("second"))
    await scene.enrols("second", to="ann")
    await retried(scene, [first], scene.now)
    await scene.dispatch()

    assert [order.campaign for order in scene.engine.started] == ["first", "second"]


async def test_a_letter_tried_again_in_vain_is_buried_again(scene: Scene) -> None:
    ids = await buried(scene)
    await retried(scene, ids, scene.now)
    await scene.dispatch()

    async with scene.store.read() as session:
        assert [one.id for one in await dead_letters.after(session, 0, 10)] == ids


async def test_a_letter_whose_first_attempt_was_half_done_is_finished_and_not_begun_anew(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.publish(simple())
    for who in ("bob", "ann"):  # so that ann's row is not the first there ever was
        await scene.lead(who)
    await scene.enrols("welcome", to="bob")
    await scene.dispatch()

    async def never(order: StartOrder) -> None:
        raise BadInput("the engine will not have it")

    with monkeypatch.context() as broken:
        broken.setattr(scene.engine, "start", never)
        await scene.enrols("welcome", to="ann")
        await scene.dispatch()
    assert [one.lead_id for one in await scene.journeys()] == ["bob", "ann"]
    async with scene.store.read() as session:
        [letter] = await dead_letters.after(session, 0, 10)
    await retried(scene, [letter.id or 0], scene.now)
    await scene.dispatch()

    assert [order.lead_id for order in scene.engine.started] == ["bob", "ann"]
    assert len(await scene.journeys()) == 2


async def test_an_unknown_letter_is_named(scene: Scene) -> None:
    [first, _] = await buried(scene)
    async with scene.store.write() as session:
        with pytest.raises(NotFound, match="there is no dead letter 99: nurture dead-letters list"):
            await dead_letters.named(session, [first, 99])


async def test_a_page_begins_after_the_one_before(scene: Scene) -> None:
    first, second = await buried(scene)
    async with scene.store.read() as session:
        assert [one.id for one in await dead_letters.after(session, first, 10)] == [second]
        assert [one.id for one in await dead_letters.after(session, 0, 1)] == [first]
        assert await dead_letters.count(session) == 2
