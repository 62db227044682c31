"""Definitions in the shadow: whom they would hand over is noted once, with the facts, and nobody is handed over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from nurture import Campaign, State, days, escalate, event, lead, on, wait
from nurture.backtest import Replay, backtest
from nurture.catalogue import Catalogue
from nurture.definitions import Definition
from nurture.intake import Incoming, Intake
from nurture.scores import Score, gives
from nurture.settings import Settings
from nurture.store import Store, declarations
from nurture.store.models import HandOffRow
from nurture.store.pasts import pasts
from nurture.store.score_tables import ShadowRow
from tests.integration.walking import Way

INTEREST = Score(key="interest", half_life=days(30), rules=(gives(10, on("visit"), at_most=2, per=days(7)),))
READY = Definition(
    key="ready",
    shadow=True,
    ready=(lead.score("interest") >= 15) & (lead.country == "DE") & (event("asked").count() >= 1),
)
CATALOGUE = Catalogue(scores={"interest": INTEREST}, definitions={"ready": READY})
ROAD = Campaign("sales", enters=[on("asked")], states=[State("one", [escalate("ready"), wait(days(1))])])


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


async def takes(store: Store, items: Sequence[Incoming], now: datetime) -> None:
    intake = Intake(store, CATALOGUE, Settings())
    await intake.accept(items, now)
    await intake.close()


def did(name: str | None, who: str = "ann", **known: Any) -> Incoming:
    return Incoming(name=name, lead={"email": f"{who}@example.org", **known})


async def test_who_would_be_handed_over_is_noted_once_with_the_facts(store: Store, now: datetime) -> None:
    await takes(store, [did("visit"), did("visit"), did("visit", "bo"), did("asked")], now)
    await takes(store, [did(None, country="DE")], now + days(1))
    await takes(store, [did("visit", country="DE"), did("asked")], now + days(2))

    [row] = await rows(store, ShadowRow)
    assert (row.definition, row.version, row.at) == ("ready", READY.version, now + days(1))
    assert [(fact["value"], fact["holds"]) for fact in row.facts] == [("19.54", True), ("DE", True), ("1", True)]


async def test_a_back_test_finds_whom_the_shadow_found_and_when(store: Store, now: datetime) -> None:
    for day, (name, who, known) in enumerate(
        [
            ("visit", "ann", {}), ("visit", "ann", {"country": "DE"}), ("asked", "bo", {"country": "DE"}), ("asked", "ann", {}),
            ("visit", "bo", {}), ("visit", "bo", {}), ("visit", "cem", {"country": "DE"}), (None, "bo", {"country": "FR"}),
        ]
    ):  # fmt: skip
        await takes(store, [did(name, who, **known)], now + days(day))
    async with store.read() as session:
        history = [one async for one in pasts(session, Replay(READY, [INTEREST]).names)]
    found = backtest(READY, history, scores=[INTEREST])

    noted = sorted((row.lead_id, row.at) for row in await rows(store, ShadowRow))
    assert len(noted) == 2
    assert sorted((one.lead_id, one.at) for one in found.would) == noted


async def test_what_is_learnt_later_is_in_no_earlier_moment_of_a_past(store: Store, now: datetime) -> None:
    late = did("visit").model_copy(update={"at": now - days(3)})
    await takes(store, [did("asked", country="FR")], now)
    await takes(store, [late, did("visit", country="DE")], now + days(1))
    async with store.read() as session:
        [one] = [one async for one in pasts(session, Replay(READY, [INTEREST]).names)]

    first, second, third = one.moments
    assert (first.at, first.became["country"], first.event and first.event.name) == (now, "FR", "asked")
    assert (second.at, second.became, second.event and second.event.at) == (now + days(1), {}, now - days(3))
    assert third.became == {"country": "DE"}


async def test_a_definition_in_the_shadow_hands_nobody_over(way: Way) -> None:
    way.catalogue = Catalogue(definitions={"ready": Definition(key="ready", ready=lead.email.known(), shadow=True)})
    walker = await way.begin(ROAD)

    assert await walker.walk() == ["did", "parked"]
    assert (await walker.moves())[0].reply["note"] == "in the shadow: it was only noted"
    assert (await rows(way.store, HandOffRow), way.post.taken) == ([], [])
    assert [row.lead_id for row in await rows(way.store, ShadowRow)] == [(await walker.lead()).id]


@pytest.mark.parametrize("signs", [(), ("marketing",), ("marketing", "sales")])
async def test_where_sign_offs_are_required_a_version_hands_over_once_both_have_signed(
    way: Way, signs: tuple[str, ...]
) -> None:
    way.settings = way.settings.model_copy(update={"sign_offs": "required"})
    definition = way.catalogue.definitions["ready"]
    async with way.store.write() as session:
        await declarations.publish(session, definition, by="test", now=way.now)
        for side in signs:
            await declarations.sign(session, definition, side, "Ann", way.now)
    walker = await way.begin(ROAD)
    await walker.walk()

    missing = " and ".join(side for side in ("marketing", "sales") if side not in signs)
    note = f"not signed by {missing}: it was only noted" if missing else ""
    assert (await walker.moves())[0].reply["note"] == note
    assert len(await rows(way.store, HandOffRow)) == (not missing)


async def test_a_hand_off_names_the_version_and_the_facts_with_their_values(way: Way) -> None:
    way.catalogue = Catalogue(
        definitions={
            "ready": Definition(key="ready", ready=(lead.nps >= 5) | (event("asked").within(days(3)).count() >= 1))
        }
    )
    walker = await way.begin(ROAD, nps=7)
    await walker.walk()

    [hand_off] = await rows(way.store, HandOffRow)
    assert hand_off.dossier["why"]["definition_version"] == way.catalogue.definitions["ready"].version[:12]
    assert hand_off.dossier["why"]["facts"] == [
        {"words": "NPS is at least 5", "holds": True, "value": "7"},
        {"words": "asked has happened within 3 days", "holds": False, "value": "0"},
    ]
