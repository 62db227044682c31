"""Whatever comes first, events or merges, and whoever is kept: three leads that are one person come to one result."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from nurture.catalogue import Catalogue
from nurture.conditions import event
from nurture.fading import points_now
from nurture.intake import Incoming, Intake
from nurture.intake.merging import merge
from nurture.lead import lead
from nurture.scores import Score, Threshold, gives
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.leads import look_up
from nurture.store.models import ScoreChangeRow, new_id
from nurture.triggers import on, when

INTEREST = Score(
    key="interest",
    rules=(
        gives(10, on("price_list_downloaded"), at_most=2),
        gives(1.1, on("page_viewed")),
        gives(30, when(lead.job_title.contains("director"))),
        gives(15, when(event("page_viewed").count() >= 3)),
    ),
    thresholds=(Threshold(key="warm", at=10), Threshold(key="hot", at=40, rearm=20)),
)
RECENT = Score(
    key="recent",
    rules=(gives(10, on("price_list_downloaded"), at_most=2, per=timedelta(minutes=2)), gives(3, on("page_viewed"))),
    thresholds=(Threshold(key="keen", at=12),),
    half_life=timedelta(hours=6),
)
SCORES = {one.key: one for one in (INTEREST, RECENT)}
PEOPLE = ("a", "b", "c")
NAMES = st.sampled_from(["price_list_downloaded", "page_viewed"])
SAID = st.fixed_dictionaries(
    {},
    optional={
        "job_title": st.sampled_from(["director", "clerk"]),
        "company": st.fixed_dictionaries({}, optional={"size": st.integers(1, 3), "city": st.just("Bonn")}),
        "tags": st.fixed_dictionaries({"add": st.lists(st.sampled_from("xyz"), max_size=2)}),
    },
)


@dataclass(frozen=True)
class Did:
    """Somebody did something, a while ago."""

    who: str
    name: str
    said: dict[str, Any]
    minutes: int


@dataclass(frozen=True)
class Same:
    """Two of them are the same person."""

    keep: str
    gone: str


DEEDS = st.lists(st.builds(Did, st.sampled_from(PEOPLE), NAMES, SAID, st.integers(0, 4)), min_size=1, max_size=8)
ANSWERS = st.dictionaries(st.sampled_from(PEOPLE), st.dictionaries(st.sampled_from(["news", "*"]), st.booleans()))
MERGES = st.permutations(PEOPLE).flatmap(lambda them: st.sampled_from([
    [Same(them[0], them[1]), Same(them[0], them[2])],
    [Same(them[0], them[1]), Same(them[1], them[2])],
    [Same(them[1], them[0]), Same(them[2], them[1])],
]))  # fmt: skip


async def outcome(
    store: Store, now: datetime, tag: str, answers: dict[str, dict[str, bool]], story: list[tuple[int, Did | Same]]
) -> tuple[Any, ...]:
    """What is known in the end of the one person that they are."""
    intake = Intake(store, Catalogue(scores=SCORES), Settings())
    first = [
        Incoming(lead={"email": f"{who}{tag}@example.org"}, consents=dict(answers.get(who, {})), at=now)
        for who in PEOPLE
    ]
    await intake.accept(first, now + timedelta(hours=1))
    for n, deed in story:
        at = now + timedelta(hours=2 + n)
        if isinstance(deed, Same):
            keep, gone = (f"{who}{tag}@example.org" for who in (deed.keep, deed.gone))
            await merge(store, intake.recorder, keep, gone, by="test", now=at)
            continue
        known = {"email": f"{deed.who}{tag}@example.org", **deed.said}
        happened = now + timedelta(minutes=deed.minutes)
        [result] = await intake.accept([Incoming(id=f"{tag}-{n}", name=deed.name, lead=known, at=happened)], at)
        assert result.error is None
    await intake.close()
    async with store.read() as session:
        found = await look_up(session, f"a{tag}@example.org")
        changes = (await session.exec(select(ScoreChangeRow).where(ScoreChangeRow.lead_id == found.id))).all()
        consents = await current_consents(session, found.id, datetime.now(UTC))
    given = [one.points for one in changes if one.score == "interest"]
    assert round(sum(given), 6) == found.scores.get("interest", 0)
    lists = {"tags": sorted(found.profile.get("tags", [])), "email": str(found.email).replace(tag, "")}
    return points_now(found.scores, found.fading, now + timedelta(days=2)), {**found.profile, **lists}, consents


@given(deeds=DEEDS, answers=ANSWERS, merges=st.tuples(MERGES, MERGES), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_of_events_and_merges_comes_to_one_result(
    store: Store, now: datetime, deeds: list[Did], answers: dict[str, dict[str, bool]], merges: Any, data: st.DataObject
) -> None:
    tag = new_id()
    story: list[tuple[int, Did | Same]] = list(enumerate([*deeds, *merges[0]]))
    events, others = story[: len(deeds)], list(enumerate(merges[1], start=len(deeds)))
    retold = data.draw(st.permutations(events))
    places = sorted(data.draw(st.lists(st.integers(0, len(events)), min_size=2, max_size=2)))
    mixed = [*retold[: places[0]], others[0], *retold[places[0] : places[1]], others[1], *retold[places[1] :]]

    told = await outcome(store, now, f"1{tag}", answers, story)

    assert await outcome(store, now, f"2{tag}", answers, mixed) == told
