"""Experiments through the real dispatcher, store and walks: who is in which arm, what counts, and the winner, once."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest
from sqlmodel import select

from nurture import Campaign, State, always, days, done, on, pick, prop, split, wait
from nurture.errors import BadInput, NotFound
from nurture.experiments.pick import Pick
from nurture.experiments.verdict import Count
from nurture.intake.merging import merge
from nurture.settings import Settings
from nurture.steps import Split
from nurture.store import Store
from nurture.store.bulk import insert_all
from nurture.store.erasure import erase
from nurture.store.experiment_tables import ExperimentDecisionRow, ExperimentEntryRow
from nurture.store.experiments import counted, decide, pick_winners
from nurture.store.models import EventRow, LeadRow, MoveRow
from nurture.store.story import story_of
from nurture.sweeps import Sweep, run_sweep, winners_picked
from tests.integration.life import Life
from tests.integration.walking import Killed, Way, kill

RULE = pick(on("order_paid", prop("amount") >= 10), within=days(14), after=3)


def a_test(rule: Pick | None = RULE, **weights: float) -> Campaign:
    return Campaign(
        "guide",
        enters=[on("asked")],
        reenters=always,
        states=[
            State("parting", [split(weights or {"short": 50, "long": 50}, key="length", winner=rule)]),
            State("short", [wait(days(2)), done]),
            State("long", [wait(days(2))]),
        ],
    )


def the_split(campaign: Campaign) -> Split:
    step = campaign.states[0].steps[0]
    assert isinstance(step, Split)
    return step


SPLIT = the_split(a_test())


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        await life.publish(a_test())
        yield life


async def enters(life: Life, email: str) -> str:
    """The arm in which the lead is now."""
    await life.happens("asked", to=email)
    async with life.store.read() as session:
        told = (await story_of(session, await life.lead(email), life.now)).journeys[-1]
    return told.standing.state


async def counts(life: Life, step: Split = SPLIT) -> dict[str, tuple[int, int, int]]:
    assert step.winner is not None
    async with life.store.read() as session:
        return {one.arm: one[2:] for one in await counted(session, step, step.winner, life.now)}


async def rows(life: Life) -> list[ExperimentEntryRow]:
    async with life.store.read() as session:
        return list((await session.exec(select(ExperimentEntryRow))).all())


async def many(life: Life, **converted: tuple[int, int]) -> None:
    """For each arm so many leads that were measured, and so many of these that bought a day after."""
    leads, entries, events = [], [], []
    for arm, (measured, bought) in converted.items():
        for n in range(measured):
            lead_id, day = f"{arm}-{n}", days(1)
            leads.append(LeadRow(id=lead_id, created_at=life.now, updated_at=life.now))
            entries.append(
                {"experiment": "length", "design": SPLIT.design, "lead_id": lead_id, "arm": arm, "at": life.now,
                 "until": life.now + days(14)}
            )  # fmt: skip
            if n < bought:
                at = life.now + day
                events.append({"id": lead_id, "lead_id": lead_id, "name": "order_paid", "at": at, "received": at,
                               "properties": {"amount": 20}, "source": "api", "machine": False})  # fmt: skip
    async with life.store.write() as session:
        await insert_all(session, LeadRow, [one.model_dump() for one in leads])
        await insert_all(session, ExperimentEntryRow, entries)
        await insert_all(session, EventRow, events)
    await life.passes(days=15)


async def sweeps(life: Life) -> int:
    sweep = Sweep("winners picked", days(1), winners_picked)
    return await run_sweep(sweep, life.store, Settings(_env_file=None), life.now)


async def decided(life: Life) -> Sequence[ExperimentDecisionRow]:
    async with life.store.read() as session:
        return (await session.exec(select(ExperimentDecisionRow))).all()


async def test_a_lead_is_noted_in_the_arm_it_was_drawn_into(life: Life) -> None:
    arms = {email: await enters(life, email) for email in ("ann@example.com", "bob@example.com", "eve@example.com")}

    noted = await rows(life)
    assert Counter(one.arm for one in noted) == Counter(arms.values())
    assert {one.until - one.at for one in noted} == {days(14)}


async def test_what_a_lead_does_counts_within_its_time_and_once(life: Life) -> None:
    await life.happens("order_paid", amount=20)  # before it was in any arm
    arm = await enters(life, "ann@example.com")
    await life.passes(days=1)
    await life.happens("order_paid", amount=5)  # not what is meant
    await life.happens("order_paid", amount=20, machine=True)
    assert (await counts(life))[arm] == (1, 0, 0)

    await life.happens("order_paid", amount=20)
    await life.happens("order_paid", amount=30)
    assert (await counts(life))[arm] == (1, 0, 0)

    await life.passes(days=14)
    assert (await counts(life))[arm] == (1, 1, 1)


async def test_what_a_lead_does_after_its_time_does_not_count(life: Life) -> None:
    arm = await enters(life, "ann@example.com")
    await life.passes(days=15)
    await life.happens("order_paid", amount=20)

    assert (await counts(life))[arm] == (1, 1, 0)


async def test_a_test_lead_walks_on_and_blurs_nothing(life: Life) -> None:
    await life.lead("tess@example.com")
    async with life.store.write() as session:
        row = (await session.exec(select(LeadRow))).one()
        row.test = True
        session.add(row)

    assert await enters(life, "tess@example.com") in ("short", "long")
    assert await rows(life) == []


async def test_the_winner_is_picked_once_with_the_numbers_it_was_picked_by(life: Life) -> None:
    await many(life, short=(40, 4), long=(40, 30))

    assert [await sweeps(life), await sweeps(life)] == [1, 0]
    [row] = await decided(life)
    assert (row.winner, row.by) == ("long", "")
    assert [Count(**one) for one in row.counts] == [Count("short", 50, 40, 40, 4), Count("long", 50, 40, 40, 30)]


async def test_nothing_is_picked_when_leads_did_not_come_in_their_shares(life: Life) -> None:
    await many(life, short=(10, 1), long=(60, 50))

    assert await sweeps(life) == 0
    assert await decided(life) == []


async def test_nothing_is_picked_before_a_winner_is_sure(life: Life) -> None:
    await many(life, short=(40, 10), long=(40, 11))

    assert await sweeps(life) == 0


async def test_who_comes_after_the_decision_takes_the_winner_and_who_was_there_stays(life: Life) -> None:
    by_lot = {email: await enters(life, email) for email in (f"lead-{n}@example.com" for n in range(4))}
    winner = "long" if "short" in by_lot.values() else "short"
    await life.passes(days=3)  # their journeys are over

    async with life.store.write() as session:
        await decide(session, "length", winner, "ops", "", life.now)

    assert {await enters(life, f"late-{n}@example.com") for n in range(4)} == {winner}
    assert {email: await enters(life, email) for email in by_lot} == by_lot
    assert len(await rows(life)) == 4  # who took the winner measures nothing


async def test_the_story_tells_by_what_a_lead_came_into_its_arm(life: Life) -> None:
    await enters(life, "ann@example.com")
    await life.passes(days=3)
    await enters(life, "ann@example.com")
    async with life.store.write() as session:
        await decide(session, "length", "long", "ops", "it reads better", life.now)
    await enters(life, "bob@example.com")

    async with life.store.read() as session:
        moves = (await session.exec(select(MoveRow.values).where(MoveRow.move == "choose"))).all()
        told = await story_of(session, await life.lead("bob@example.com"), life.now)
    assert Counter(one.get("bound") for one in moves) == {None: 1, "before": 1, "winner": 1}
    assert [line.how for line in told.journeys[0].lines if line.kind == "decides"] == ["the winner"]


async def test_a_person_decides_once(life: Life) -> None:
    async with life.store.write() as session:
        await decide(session, "length", "short", "ops", "the long one was a mistake", life.now)

    [row] = await decided(life)
    assert (row.winner, row.by, row.reason) == ("short", "ops", "the long one was a mistake")
    async with life.store.write() as session:
        with pytest.raises(BadInput, match="is decided: short"):
            await decide(session, "length", "long", "ops", "", life.now)


async def test_what_is_no_experiment_or_no_arm_of_it_is_not_decided(life: Life) -> None:
    async with life.store.write() as session:
        with pytest.raises(NotFound, match="no experiment 'lenght': did you mean"):
            await decide(session, "lenght", "long", "ops", "", life.now)
        with pytest.raises(BadInput, match="no arm 'lang'"):
            await decide(session, "length", "lang", "ops", "", life.now)


async def test_other_weights_begin_another_experiment(life: Life) -> None:
    await many(life, short=(40, 4), long=(40, 30))
    await sweeps(life)
    changed = a_test(short=90, long=10)
    await life.publish(changed)

    await enters(life, "ann@example.com")

    assert sum(entered for entered, *_ in (await counts(life, the_split(changed))).values()) == 1


async def test_a_campaign_without_a_rule_decides_nothing(life: Life) -> None:
    await life.publish(a_test(None))
    await enters(life, "ann@example.com")

    assert await rows(life) == []
    async with life.store.write() as session:
        assert await pick_winners(session, life.now) == []


async def test_an_erased_lead_counts_in_no_arm(life: Life) -> None:
    await enters(life, "ann@example.com")

    async with life.store.write() as session:
        await erase(session, (await rows(life))[0].lead_id, "ops", life.now)

    assert await rows(life) == []


async def test_two_leads_made_one_are_in_one_arm(life: Life) -> None:
    arm = await enters(life, "ann@example.com")
    await enters(life, "anna@example.com")
    ids = [await life.lead("ann@example.com"), await life.lead("anna@example.com")]

    await merge(life.store, life.intake.recorder, ids[0], ids[1], by="ops", now=life.now)

    [row] = await rows(life)
    assert (row.lead_id, row.arm) == (ids[0], arm)


async def test_a_walk_that_dies_draws_the_same_arm_once_more(way: Way) -> None:
    walker = await way.begin(a_test())
    way.store.deeds["before commit 1"] = kill
    with pytest.raises(Killed):
        await walker.walk()
    way.store.deeds["after commit 1"] = kill
    with pytest.raises(Killed):
        await walker.walk()

    await walker.until_it_rests()

    async with way.store.read() as session:
        [row] = (await session.exec(select(ExperimentEntryRow))).all()
    assert row.arm == (await walker.row()).state
