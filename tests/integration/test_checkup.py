"""The checkup against an engine that remembers, on each database in turn."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from nurture import checkup
from nurture.checkup import examine
from nurture.doctor import Findings
from nurture.errors import Unavailable
from nurture.store import bulk_runs, campaigns, outbox
from nurture.store.models import BreakerRow, DeadLetterRow, HandOffRow, JourneyRow, MessageRow, OutboxRow, new_id
from nurture.store.retarget_tables import RetargetDeliveryRow
from tests.integration.bulk import NEWS, ordered
from tests.integration.scene import Scene, simple

LATER = timedelta(minutes=30)


@dataclass
class Engine:
    """Runs what it is told to, and remembers in which stretches it was asked."""

    runs: set[str] = field(default_factory=set)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)
    runs_in_bulk: set[str] = field(default_factory=set)
    ticks: set[str] = field(default_factory=set)
    reachable: bool = True

    async def running(self, after: str, upto: str | None) -> AsyncIterator[str]:
        if not self.reachable:
            raise Unavailable("the engine is out of reach")
        self.asked.append((after, upto))
        for one in sorted(self.runs):
            if after < one and (upto is None or one <= upto):
                yield one

    async def failing(self) -> AsyncIterator[str]:
        for one in sorted(self.fails):
            yield one

    async def bulk_runs(self) -> AsyncIterator[str]:
        for one in sorted(self.runs_in_bulk):
            yield one

    async def ticking(self, after: str, upto: str | None) -> AsyncIterator[str]:
        for one in sorted(self.ticks):
            if after < one and (upto is None or one <= upto):
                yield one

    async def end(self, journey_id: str, reason: str) -> None:
        self.ended.append(journey_id)
        self.runs.discard(journey_id)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def told(findings: Findings) -> dict[str, tuple[int, int]]:
    """How many were found and how many mended, by word."""
    return {one.word.value: (one.count, one.mended) for one in findings.all}


async def under_way(scene: Scene, number: int) -> list[str]:
    await scene.publish(simple())
    for n in range(number):
        await scene.lead(f"lead-{n}")
        await scene.enrols("welcome", to=f"lead-{n}")
    await scene.dispatch()
    return sorted(row.id for row in await scene.journeys())


async def changes(scene: Scene, journey_id: str, **values: Any) -> None:
    async with scene.store.write() as session:
        row = await session.get_one(JourneyRow, journey_id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


async def add(scene: Scene, *rows: Any) -> None:
    async with scene.store.write() as session:
        session.add_all(rows)


async def test_both_sides_are_read_in_the_same_stretches(
    scene: Scene, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "PAGE", 3)
    ids = await under_way(scene, 8)
    engine.runs = {*ids} - {ids[0], ids[4], ids[7]}
    found = await examine(scene.store, engine, scene.now + LATER)

    assert told(found) == {"missing": (3, 0)}
    assert engine.asked == [("", ids[2]), (ids[2], ids[5]), (ids[5], None)]


async def test_what_is_missing_is_put_into_the_outbox_once_it_is_to_be_mended(scene: Scene, engine: Engine) -> None:
    ids = await under_way(scene, 2)
    scene.engine.running.clear()
    assert told(await examine(scene.store, engine, scene.now + LATER, fix=True)) == {"missing": (2, 2)}
    scene.now += LATER
    await scene.dispatch()

    assert sorted(scene.engine.running) == ids


async def test_a_journey_that_ends_while_the_engine_is_asked_is_not_missing(scene: Scene) -> None:
    [journey_id] = await under_way(scene, 1)

    class EndsIt(Engine):
        async def running(self, after: str, upto: str | None) -> AsyncIterator[str]:
            await scene.ends(journey_id)
            for one in list[str]():
                yield one

    assert told(await examine(scene.store, EndsIt(), scene.now + LATER)) == {}


async def test_a_journey_that_overslept_is_shown(scene: Scene, engine: Engine) -> None:
    [journey_id] = engine.runs = {*await under_way(scene, 1)}
    await changes(scene, journey_id, until=scene.now)

    assert told(await examine(scene.store, engine, scene.now + LATER, fix=True)) == {"overdue": (1, 0)}


async def test_a_journey_that_no_worker_can_carry_on_is_shown(scene: Scene, engine: Engine) -> None:
    [journey_id] = engine.runs = engine.fails = {*await under_way(scene, 1)}

    found = await examine(scene.store, engine, scene.now + LATER, fix=True)
    assert (told(found), found.all[0].examples) == ({"failing": (1, 0)}, [journey_id])


async def test_many_workflows_without_a_journey_are_judged_page_by_page(
    scene: Scene, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "PAGE", 3)
    ids = await under_way(scene, 4)
    engine.runs = {*ids, *(new_id() for _ in range(7))}
    for one in ids[:2]:
        await scene.ends(one)
        await changes(scene, one, updated_at=scene.now)

    assert told(await examine(scene.store, engine, scene.now + LATER, fix=True)) == {
        "leftover": (2, 2), "stranger": (7, 0),
    }  # fmt: skip
    assert sorted(engine.ended) == ids[:2]


async def test_a_bulk_run_whose_workflow_somebody_ended_is_woken_where_it_stands(scene: Scene, engine: Engine) -> None:
    ended, runs, paused, done, awaited = [
        await ordered(scene.store, scene.now, "mailing", mailing=NEWS) for _ in range(5)
    ]
    await scene.dispatch()
    async with scene.store.write() as session:
        await bulk_runs.pause(session, paused)
        await bulk_runs.finish(session, done, scene.now)
        await outbox.put(session, [bulk_runs.woken(awaited, scene.now + 2 * LATER)])
    engine.runs_in_bulk = {runs}
    assert told(await examine(scene.store, engine, scene.now)) == {}
    scene.engine.woken.clear()

    found = await examine(scene.store, engine, scene.now + LATER, fix=True)
    assert (told(found), found.all[0].examples) == ({"stranded": (1, 1)}, [ended])
    assert told(await examine(scene.store, engine, scene.now + LATER)) == {}, "it is about to be woken"
    scene.now += LATER
    await scene.dispatch()
    assert scene.engine.woken == [ended]


async def test_an_engine_out_of_reach_is_a_finding_beside_the_others(scene: Scene, engine: Engine) -> None:
    await under_way(scene, 1)
    await add(scene, DeadLetterRow(lead_id="ann", kind="enrol", reason="no such campaign", at=scene.now))
    engine.reachable = False

    assert told(await examine(scene.store, engine, scene.now + LATER)) == {"temporal": (1, 0), "buried": (1, 0)}


def message(now: datetime, **values: Any) -> MessageRow:
    about: dict[str, Any] = {"campaign": "c", "template": "c/one", "channel": "email", "purpose": "marketing"}
    row = {"occurrence": new_id(), "topic": "news", "message_id": "<m>", "due_at": now, "updated_at": now}
    return MessageRow(**{**about, **row, **values})


async def test_messages_that_nobody_came_back_to_are_owned_up_to(scene: Scene, engine: Engine) -> None:
    lapsed, held = scene.now, scene.now + LATER
    await add(
        scene,
        message(scene.now, status="committing", claimed_until=lapsed),
        message(scene.now, status="claimed", claimed_until=lapsed),
        message(scene.now, status="committing", claimed_until=held),
        message(scene.now, status="accepted", claimed_until=lapsed),
    )

    assert told(await examine(scene.store, engine, scene.now + LATER, fix=True)) == {"abandoned": (2, 1)}
    assert told(await examine(scene.store, engine, scene.now + LATER)) == {"unknown": (1, 0), "abandoned": (1, 0)}


async def test_what_lies_about_in_the_store_is_found(scene: Scene, engine: Engine) -> None:
    await scene.publish(simple("paused"))
    async with scene.store.write() as session:
        await campaigns.pause(session, "paused", scene.now)
    await add(
        scene,
        OutboxRow(lead_id="ann", kind="event", due_at=scene.now, created_at=scene.now),
        OutboxRow(lead_id="ann", kind="event", due_at=scene.now + LATER, created_at=scene.now),
        BreakerRow(provider="email", opened_at=scene.now, reason="no connection"),
        BreakerRow(provider="sms"),
    )
    found = await examine(scene.store, engine, scene.now + LATER)

    assert told(found) == {"late": (1, 0), "tripped": (1, 0), "paused": (1, 0)}
    assert found.all[1].examples == ["email: no connection"]


async def test_a_retargeting_list_that_its_hook_does_not_take_is_found_after_an_hour(
    scene: Scene, engine: Engine
) -> None:
    await add(scene, RetargetDeliveryRow(retarget="lookers", network="google", made_at=scene.now, due_at=scene.now,
                                         trouble="the webhook ads answers 503"))  # fmt: skip

    assert told(await examine(scene.store, engine, scene.now + LATER)) == {}
    found = await examine(scene.store, engine, scene.now + 3 * LATER)

    assert told(found) == {"untold": (1, 0)}
    assert found.all[0].examples == ["lookers, google: the webhook ads answers 503"]


# --- clocks of hand-offs ---


async def handed_over(scene: Scene, number: int, **values: Any) -> list[str]:
    """Open hand-offs, each of a lead of its own, made half an hour ago."""
    journeys = await under_way(scene, number)
    async with scene.store.read() as session:
        leads = {one: (await session.get_one(JourneyRow, one)).lead_id for one in journeys}
    made = scene.now - LATER
    rows = [
        HandOffRow(
            journey_id=journey, occurrence="sales/0/1", lead_id=lead, definition="ready", created_at=made,
            updated_at=made, dossier={}, clock={}, **{"due_at": scene.now, **values},
        )
        for journey, lead in leads.items()
    ]  # fmt: skip
    await add(scene, *rows)
    return sorted(row.id for row in rows)


async def test_open_hand_offs_without_a_clock_are_found_and_wound_again(
    scene: Scene, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "PAGE", 2)
    lost, *ticking = await handed_over(scene, 5)
    engine.runs, engine.ticks = {row.id for row in await scene.journeys()}, set(ticking)

    assert told(await examine(scene.store, engine, scene.now, fix=True)) == {"unwatched": (1, 1)}
    await scene.dispatch()
    assert scene.engine.wound == [lost]


@pytest.mark.parametrize("values", [{"status": "accepted", "due_at": None}, {"due_at": None}, {"status": "recycled"}])
async def test_a_hand_off_of_which_nothing_more_is_due_needs_no_clock(
    scene: Scene, engine: Engine, values: dict[str, Any]
) -> None:
    await handed_over(scene, 1, **values)
    engine.runs = {row.id for row in await scene.journeys()}

    assert told(await examine(scene.store, engine, scene.now)) == {}


async def test_a_hand_off_that_the_outbox_is_busy_with_is_no_finding(scene: Scene, engine: Engine) -> None:
    await handed_over(scene, 1)
    engine.runs = {row.id for row in await scene.journeys()}
    await scene.put("event", "lead-0", event=None, name=None, keys=[])

    assert told(await examine(scene.store, engine, scene.now)) == {}
