"""Scores counted anew: by the rules as they are now, page by page, and nothing fires twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlmodel import SQLModel, select

from nurture.catalogue import Catalogue
from nurture.durations import days
from nurture.fading import points_now
from nurture.intake import Incoming, Intake, Internal
from nurture.intake.rebuilding import Rebuilt, rebuild_all
from nurture.lead import lead
from nurture.scores import Change, Score, Threshold, fold, gives
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.facts import happenings
from nurture.store.models import CrossingRow, EventRow, LeadRow, OutboxRow, ScoreChangeRow
from nurture.store.plain import run
from nurture.store.score_tables import FadingRow, RebuildRow
from nurture.triggers import on, when

Done = TypeVar("Done")


def interest(points: float = 10, threshold: float = 25, **more: Any) -> Score:
    rules = (gives(points, on("visit"), at_most=2, per=days(7)), gives(-5, on("complaint")))
    return Score(key="interest", rules=rules, thresholds=(Threshold(key="warm", at=threshold),), **more)


FIT = Score(key="fit", rules=(gives(30, when(lead.country == "DE")),))
OTHER_FIT = Score(key="fit", rules=(gives(7, when(lead.country == "DE")), gives(1, on("visit"))))


@dataclass
class House:
    store: Store
    now: datetime

    async def takes(self, items: list[Incoming], *scores: Score) -> None:
        intake = Intake(self.store, catalogue_of(*scores), Settings())
        await intake.accept(items, self.now)
        await intake.close()

    async def rebuilds(self, *scores: Score, dry: bool = False, fire: bool = False) -> Rebuilt:
        known = catalogue_of(*scores).scores
        return await rebuild_all(self.store, known, known, self.now, dry=dry, fire=fire)

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        async with self.store.read() as session:
            return list((await session.exec(select(model))).all())

    async def points(self) -> dict[str, dict[str, float]]:
        found = await self.rows(LeadRow)
        return {row.profile["email"][0]: points_now(row.scores, row.fading, self.now) for row in found}

    async def fired(self) -> int:
        return [row.name for row in await self.rows(EventRow)].count("score_reached")


def catalogue_of(*scores: Score) -> Catalogue:
    return Catalogue(scores={score.key: score for score in scores})


def did(name: str = "visit", who: str = "a", **more: Any) -> Incoming:
    return Incoming(name=name, lead={"email": f"{who}@example.org", **more.pop("lead", {})}, **more)


@pytest.fixture
def house(store: Store, now: datetime) -> House:
    return House(store, now)


async def test_what_was_follows_the_new_rules(house: House) -> None:
    visits = [did(id=f"v{n}", at=house.now - days(n), lead={"country": "DE"}) for n in range(4)]
    gift = Internal(id="g", lead={"email": "a@example.org"}, points=(Change("interest", "campaign road", 3),))
    await house.takes([*visits, gift], interest(), FIT)

    told = await house.rebuilds(interest(4, half_life=days(30)), OTHER_FIT)

    assert told == (1, 1, 0)
    counted = {"interest": round(3 + sum(4 * 2 ** (-n / 30) for n in (3, 2)), 2), "fit": 11}
    assert await house.points() == {"a": counted}
    rows = [(row.score, row.points, row.cause) for row in await house.rows(ScoreChangeRow) if row.score == "interest"]
    assert sorted(rows) == [("interest", 3, "g"), ("interest", 4, "v2"), ("interest", 4, "v3")]
    assert [row.score for row in await house.rows(FadingRow)] == ["interest"]


async def test_by_the_same_rules_nothing_changes(house: House) -> None:
    await house.takes([did(lead={"country": "DE"}), did(who="b"), did("complaint", "b")], interest(), FIT)
    before = [row.model_dump() for row in await house.rows(ScoreChangeRow)]

    assert await house.rebuilds(interest(), FIT) == (2, 0, 0)
    assert [row.model_dump() for row in await house.rows(ScoreChangeRow)] == before


async def test_a_dry_run_tells_and_changes_nothing(house: House) -> None:
    await house.takes([did(), did()], interest())
    before = [row.model_dump() for row in [*await house.rows(LeadRow), *await house.rows(ScoreChangeRow)]]

    assert await house.rebuilds(interest(20), dry=True, fire=True) == (1, 1, 1)
    assert [row.model_dump() for row in [*await house.rows(LeadRow), *await house.rows(ScoreChangeRow)]] == before
    assert (await house.rows(CrossingRow), await house.rows(RebuildRow), await house.fired()) == ([], [], 0)


async def test_what_has_fired_does_not_fire_again_and_what_is_new_only_when_told_to(house: House) -> None:
    await house.takes([did(), did(), did(who="b")], interest(15))  # a reaches 30
    assert await house.fired() == 1

    assert await house.rebuilds(interest(30)) == (2, 2, 1)
    assert await house.fired() == 1
    await house.takes([did(who="b", at=house.now - days(20))], interest(30))
    assert await house.fired() == 1

    await house.takes([did(who="c")], interest(20))
    before = len(await house.rows(OutboxRow))
    assert await house.rebuilds(interest(40), fire=True) == (3, 3, 1)
    assert await house.rebuilds(interest(40), fire=True) == (3, 0, 0)
    assert await house.fired() == 2
    assert len(await house.rows(OutboxRow)) == before + 4  # three scores that changed, one threshold


async def test_a_threshold_that_the_new_rules_leave_is_armed_again(house: House) -> None:
    await house.takes([did(), did()], interest(15))
    await house.rebuilds(interest(2))
    await house.takes([did(at=house.now - days(20)), did(at=house.now - days(30))], interest(15))

    assert await house.fired() == 2


class GoesDown(Exception):
    """The machine goes down."""


class Fragile(Store):
    """A store that goes down after so many transactions."""

    lasts = 0

    async def at_once(self, work: Callable[[Connection], Done]) -> Done:
        if self.lasts == 0:
            raise GoesDown
        self.lasts -= 1
        return await super().at_once(work)


async def test_one_that_was_broken_off_goes_on_where_it_was(house: House, database_url: str) -> None:
    await house.takes([did(who=who) for who in "abcde"], interest())
    scores, fragile = catalogue_of(interest(4)).scores, Fragile(database_url)
    fragile.lasts = 3  # it begins, and takes two pages
    with pytest.raises(GoesDown):
        await rebuild_all(fragile, scores, scores, house.now, page=2)
    await fragile.close()
    [row] = await house.rows(RebuildRow)
    assert sum(lead_.id <= row.cursor for lead_ in await house.rows(LeadRow)) == 4

    assert (await house.rebuilds(interest(4))).leads == 1
    assert [points["interest"] for points in (await house.points()).values()] == [4] * 5
    assert await house.rows(RebuildRow) == []


async def test_one_by_other_rules_begins_anew(house: House, database_url: str) -> None:
    await house.takes([did(who=who) for who in "abcde"], interest())
    scores, fragile = catalogue_of(interest(4)).scores, Fragile(database_url)
    fragile.lasts = 2
    with pytest.raises(GoesDown):
        await rebuild_all(fragile, scores, scores, house.now, page=2)
    await fragile.close()

    assert await house.rebuilds(interest(3)) == (5, 5, 0)


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["visit", "visit", "complaint", "other"]),
        st.sampled_from([{}, {"country": "DE"}, {"country": None}]),
        st.integers(0, 20),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(story=STORIES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_counted_anew_it_is_the_fold(store: Store, now: datetime, story: list[Any]) -> None:
    house = House(store, now + days(30))
    items = [
        did(name, "x", at=now + timedelta(days=day, minutes=n), machine=machine, lead=says)
        for n, (name, says, day, machine) in enumerate(story)
    ]
    await house.takes(items, interest(), FIT)
    scores = interest(4, half_life=days(10)), OTHER_FIT
    await house.rebuilds(*scores)
    async with store.read() as session:
        rows = (await session.exec(select(LeadRow))).all()
        did_ = await run(session, happenings, [row.id for row in rows], ["visit", "complaint"])
        for row in rows:
            truth = fold(scores, did_.get(row.id, []), row.profile, house.now)
            found = {"interest": 0, "fit": 0} | points_now(row.scores, row.fading, house.now)
            assert found == pytest.approx(truth, abs=0.011)
