"""Scores and definitions as published: versions, sign-offs, and what a new threshold means for those who have reached it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from nurture.catalogue import Catalogue
from nurture.definitions import Definition
from nurture.durations import days
from nurture.errors import BadInput, NotFound
from nurture.intake import Incoming, Intake
from nurture.lead import lead
from nurture.scores import Score, Threshold, gives
from nurture.settings import Settings
from nurture.store import Store, declarations
from nurture.store.models import CrossingRow, EventRow
from nurture.store.score_tables import DeclarationRow
from nurture.triggers import on

READY = Definition(key="ready", ready=lead.score("interest") >= 5)


def interest(*thresholds: Threshold, **more: Any) -> Score:
    return Score(key="interest", rules=(gives(1, on("visit")),), thresholds=thresholds, **more)


@dataclass
class House:
    store: Store
    now: datetime

    async def publishes(self, value: Score | Definition) -> declarations.Published:
        async with self.store.write() as session:
            return await declarations.publish(session, value, by="ann", now=self.now)

    async def visits(self, times: int, score: Score, email: str = "ann@example.org") -> None:
        intake = Intake(self.store, Catalogue(scores={score.key: score}), Settings())
        await intake.accept([Incoming(name="visit", lead={"email": email}) for _ in range(times)], self.now)
        await intake.close()

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        async with self.store.read() as session:
            return list((await session.exec(select(model))).all())

    async def fired(self) -> list[str]:
        events = [row for row in await self.rows(EventRow) if row.name == "score_reached"]
        return sorted(row.properties["threshold"] for row in events)


@pytest.fixture
def house(store: Store, now: datetime) -> House:
    return House(store, now)


async def test_versions_are_numbered_and_one_is_in_force(house: House) -> None:
    one, two = interest(title="one"), interest(title="two")
    made = [await house.publishes(score) for score in (one, two, two, one)]

    assert [(it.number, it.new) for it in made] == [(1, True), (2, True), (2, False), (1, True)]
    assert sorted((row.number, row.current) for row in await house.rows(DeclarationRow)) == [(1, True), (2, False)]
    async with house.store.read() as session:
        assert await declarations.in_force(session, Score) == {"interest": one}
        assert await declarations.named(session, Score, "interest", two.version[:8]) == two
        with pytest.raises(NotFound, match="no version"):
            await declarations.named(session, Score, "interest", "xyz")


async def test_both_sides_sign_a_version_and_another_version_is_not_signed(house: House) -> None:
    await house.publishes(READY.model_copy(update={"agreed_by": ("marketing: Ann",)}))
    async with house.store.write() as session:
        await declarations.sign(session, READY, "sales", "Bo", house.now)
        await declarations.sign(session, READY, "sales", "Cem", house.now)
    other = Definition(key="ready", ready=lead.score("interest") >= 6)

    async with house.store.read() as session:
        assert await declarations.signed_by(session, READY) == {"marketing": "Ann", "sales": "Bo"}
        assert await declarations.signed_by(session, other) == {}
        with pytest.raises(BadInput, match="marketing, sales"):
            await declarations.sign(session, READY, "legal", "Dan", house.now)
        with pytest.raises(NotFound, match="publish"):
            await declarations.sign(session, other, "sales", "Bo", house.now)


def test_to_sign_a_definition_or_to_leave_the_shadow_makes_it_no_other() -> None:
    signed = Definition(key="ready", ready=READY.ready, agreed_by=("sales: Bo",), shadow=True)

    assert signed.version == READY.version != Definition(key="ready", ready=READY.ready, title="Ready").version


async def test_of_two_thresholds_only_the_one_that_is_reached_fires_and_once_a_lead(house: House) -> None:  # M-85
    score = interest(Threshold(key="five", at=5), Threshold(key="six", at=6))
    await house.publishes(score)
    await house.visits(5, score)
    await house.visits(1, interest(*score.thresholds[:1]))

    assert await house.fired() == ["five"]


@pytest.mark.parametrize(("backfill", "fires"), [(True, ["five"]), (False, [])])
async def test_who_has_reached_a_new_threshold_fires_it_only_if_it_says_so(  # M-86
    house: House, backfill: bool, fires: list[str]
) -> None:
    await house.publishes(interest())
    await house.visits(6, interest())
    await house.visits(2, interest(), "bo@example.org")
    score = interest(Threshold(key="five", at=5, backfill=backfill))

    await house.publishes(score)
    await house.publishes(score)
    await house.visits(1, score)
    assert await house.fired() == fires

    await house.visits(3, score, "bo@example.org")
    assert await house.fired() == [*fires, "five"]


async def test_who_had_reached_it_fires_it_after_falling_below(house: House) -> None:
    fading = interest(half_life=days(5))
    await house.visits(6, fading)
    score = interest(Threshold(key="five", at=5), half_life=days(5))
    await house.publishes(score)
    house.now += days(10)
    await house.visits(4, score)

    assert await house.fired() == ["five"]
    assert sorted(row.n for row in await house.rows(CrossingRow)) == [0, 1]


async def test_a_score_in_the_shadow_notes_its_thresholds_and_tells_nobody(house: House) -> None:
    score = interest(Threshold(key="five", at=5), shadow=True)
    await house.visits(5, score)

    assert [(row.threshold, row.n) for row in await house.rows(CrossingRow)] == [("five", 1)]
    assert await house.fired() == []
