"""Scores in the store: what intake has added up equals the fold of what was recorded, and each change is a row."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel, select

from nurture.catalogue import Catalogue
from nurture.conditions import event
from nurture.durations import days
from nurture.fading import points_now
from nurture.intake import Incoming, Intake, Internal
from nurture.lead import lead
from nurture.scores import Change, Score, Threshold, fold, gives
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.facts import happenings
from nurture.store.leads import look_up
from nurture.store.models import CrossingRow, EventRow, LeadRow, OutboxRow, ScoreChangeRow
from nurture.store.plain import run
from nurture.store.score_tables import FadingRow, ProfileChangeRow
from nurture.triggers import on, when

SCORES = (
    Score(
        key="warmth",
        half_life=days(30),
        rules=(
            gives(5, on("visit"), at_most=2, per=days(7)),
            gives(40, on("download"), at_most=2),
            gives(-20, on("unsubscribed")),
        ),
        thresholds=(Threshold(key="warm", at=40),),
    ),
    Score(key="fit", rules=(gives(30, when(lead.country == "DE")), gives(5, when(event("visit").count() >= 2)))),
    Score(key="all", rules=(gives(3, when(lead.score("fit") >= 30)),)),
)
CATALOGUE = Catalogue(scores={score.key: score for score in SCORES})
ANN = "ann@example.org"


def did(name: str = "visit", email: str = ANN, **more: Any) -> Incoming:
    return Incoming(name=name, lead={"email": email, **more.pop("lead", {})}, **more)


async def takes(store: Store, items: Sequence[Incoming], now: datetime) -> None:
    intake = Intake(store, CATALOGUE, Settings())
    await intake.accept(items, now)
    await intake.close()


async def rows(store: Store, model: type[SQLModel]) -> Sequence[Any]:
    async with store.read() as session:
        return (await session.exec(select(model))).all()


async def points(store: Store, now: datetime, email: str = ANN) -> dict[str, float]:
    async with store.read() as session:
        row = await look_up(session, email)
        return points_now(row.scores, row.fading, now)


async def truth(store: Store, now: datetime, email: str = ANN) -> dict[str, float]:
    """The fold of the events that are stored."""
    names = ["visit", "download", "unsubscribed"]
    async with store.read() as session:
        row = await look_up(session, email)
        happened = (await run(session, happenings, [row.id], names)).get(row.id, [])
        return fold(SCORES, happened, row.profile, now)


async def test_a_cap_in_a_period_goes_by_when_things_happened(store: Store, now: datetime) -> None:
    for n, day in enumerate([20, 21, 22, 19, 40]):  # the 19th comes late
        await takes(store, [did(id=f"v{n}", at=now + days(day))], now + days(50 + n))

    gave = [(row.cause, row.points, row.dated) for row in await rows(store, ScoreChangeRow) if row.score == "warmth"]
    assert sorted(gave) == [(f"v{n}", 5, now + days(day)) for n, day in ((0, 20), (3, 19), (4, 40))]
    assert await points(store, now + days(60)) | {"all": 0} == await truth(store, now + days(60))


async def test_a_score_fades_with_time_alone_and_its_change_names_the_version(store: Store, now: datetime) -> None:
    await takes(store, [did("download", id="d")], now)

    assert [(await points(store, now + days(day)))["warmth"] for day in (0, 30, 60)] == [40, 20, 10]
    assert [row.version for row in await rows(store, ScoreChangeRow)] == [SCORES[0].version]


async def test_leaving_a_topic_takes_the_points_that_its_rule_says(store: Store, now: datetime) -> None:
    await takes(store, [did("download", id="d")], now)
    leaves = Internal(id="bye", name="unsubscribed", lead={"email": ANN}, consents={"news": False})
    await takes(store, [leaves, leaves], now + timedelta(seconds=1))

    assert (await points(store, now + timedelta(seconds=2)))["warmth"] == 20
    announced = [row.body for row in await rows(store, OutboxRow) if row.body["name"] == "unsubscribed"]
    assert [body["keys"] for body in announced] == [["event.unsubscribed", "score.warmth"]]


async def test_what_an_anonymous_visitor_earned_counts_once_with_what_it_turns_out_to_have(
    store: Store, now: datetime
) -> None:
    known = [did("download", id=f"k{n}", at=now + days(n)) for n in range(2)]
    visitor = [
        Incoming(id=f"c{n}", name=name, lead={"cookie": "c"}, at=now + days(3 + n))
        for n, name in enumerate(["visit", "download"])
    ]
    await takes(store, [*known, *visitor], now + days(10))
    await takes(store, [did(id="here", lead={"cookie": "c"}, at=now + days(11))], now + days(11))

    assert len(await rows(store, LeadRow)) == 1
    assert (await points(store, now + days(12)))["warmth"] == (await truth(store, now + days(12)))["warmth"]
    assert sorted(row.cause for row in await rows(store, ScoreChangeRow) if row.points == 40) == ["k0", "k1"]


async def test_a_duplicate_that_tells_who_a_visitor_is_counts_what_the_visitor_did(store: Store, now: datetime) -> None:
    visitor = Incoming(id="c", name="visit", lead={"cookie": "c"})
    await takes(store, [did(id="e"), visitor], now)
    await takes(store, [did(id="e", lead={"cookie": "c"})], now + days(1))

    assert len(await rows(store, LeadRow)) == 1
    assert await points(store, now + days(1)) == {"warmth": 9.77, "fit": 5}


async def test_a_threshold_fires_once_though_ten_tell_of_it_at_once(store: Store, now: datetime) -> None:
    intakes = [Intake(store, CATALOGUE, Settings()) for _ in range(4)]
    calls = [one.accept([did("download", id=f"d{n % 2}")], now) for n in range(10) for one in intakes]
    await asyncio.gather(*calls)
    for one in intakes:
        await one.close()

    assert [row.n for row in await rows(store, CrossingRow)] == [1]
    assert [row.name for row in await rows(store, EventRow)].count("score_reached") == 1


async def test_a_threshold_fires_again_when_time_took_the_score_below_it(store: Store, now: datetime) -> None:
    await takes(store, [did("download", id="d0")], now)
    await takes(store, [did("download", id="d1")], now + days(90))
    crossings = sorted(await rows(store, CrossingRow), key=lambda row: row.n)

    assert [(row.n, row.points) for row in crossings] == [(1, 40), (2, 45)]
    assert crossings[0].rearmed_at == now + days(90)


async def test_points_that_a_campaign_gives_fade_like_all_others(store: Store, now: datetime) -> None:
    gift = Internal(id="g", lead={"email": ANN}, points=(Change("warmth", "campaign road", 8),))
    await takes(store, [gift], now)

    assert (await points(store, now + days(30)))["warmth"] == 4
    assert [(row.rule, row.version) for row in await rows(store, ScoreChangeRow)] == [("campaign road", "")]


async def test_what_fades_is_noted_for_the_sweep(store: Store, now: datetime) -> None:
    await takes(store, [did("download", id="d")], now)
    await takes(store, [did("visit", id="v")], now + days(1))

    [row] = await rows(store, FadingRow)
    [ann] = await rows(store, LeadRow)
    assert (row.lead_id, row.score, row.half_life, row.negative) == (ann.id, "warmth", 30 * 86_400, False)


async def test_what_became_of_the_profile_is_kept_with_its_time(store: Store, now: datetime) -> None:
    await takes(store, [did(id="a", lead={"country": "DE"})], now)
    await takes(store, [did(id="b", lead={"country": "DE"})], now + days(1))
    await takes(store, [did(id="c", lead={"country": None, "company": {"turnover": 5}})], now + days(2))

    assert [(row.received, row.became) for row in await rows(store, ProfileChangeRow)] == [
        (now, {"country": "DE", "email": ANN}),
        (now + days(2), {"country": None, "company": {"turnover": 5}}),
    ]


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["visit", "visit", "download", "other"]),
        st.sampled_from([{}, {"country": "DE"}, {"country": "FR"}, {"country": None}]),
        st.integers(0, 20),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=8,
)


@given(story=STORIES, data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_intake_in_any_order_with_duplicates_and_machines_equals_the_fold(
    store: Store, now: datetime, story: list[Any], data: st.DataObject
) -> None:
    tag, size = data.draw(st.uuids()).hex, data.draw(st.integers(1, 4))
    told = [(n, *one) for n, one in enumerate(story)]
    retold = data.draw(st.permutations(told + told[: data.draw(st.integers(0, len(told)))]))
    late = now + days(60)
    for email, order in ((f"a{tag}@example.org", told), (f"b{tag}@example.org", retold)):
        items = [
            did(name, email, id=f"{email}-{n}", at=now + timedelta(days=day, minutes=n), machine=machine, lead=says)
            for n, name, says, day, machine in order
        ]
        for start in range(0, len(items), size):
            await takes(store, items[start : start + size], now + days(30) + timedelta(hours=start))
        counted = dict.fromkeys(CATALOGUE.scores, 0.0) | await points(store, late, email)
        assert counted == pytest.approx(await truth(store, late, email), abs=0.011)
