from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from nurture import days, event, lead
from nurture.audiences import Audience
from nurture.conditions import Condition
from nurture.facts import Facts, Happening
from nurture.fading import points_now
from nurture.profile import facts_tree
from nurture.store import Store
from nurture.store.audiences import Members, members
from nurture.store.models import EventRow, LeadRow
from nurture.store.narrowing import narrowed

PROFILES: Mapping[str, dict[str, Any]] = {
    "ann": {"country": "DE", "tags": ["vip", "shop"], "company": {"name": "Ex", "turnover": 2_000_000}},
    "bob": {"country": "FR", "tags": [], "company": {"turnover": "2000000"}, "custom": {"plan": 7}},
    "cem": {"country": "de", "audiences": ["friends"], "custom": {"plan": "7", "seats": "7.0"}},
    "dan": {"job_title": 'the "vip" of 100%', "tags": ["vip lounge"], "nps": 9, "custom": {"plan": True}},
    "eva": {"email": "eva@example.com", "bant": {"budget": "10k", "authority": 1, "need": "x", "timing": "now"}},
    "fay": {},
}
STAGES = {"ann": "buy", "bob": "interest"}
SCORES: Mapping[str, dict[str, float]] = {
    "ann": {"interest": 70.0},
    "bob": {"interest": 40.0},
    "cem": {"fit": 10.0, "warmth": 80.0},
}
EVENTS = [("ann", "visit", 1, False), ("ann", "visit", 9, False), ("bob", "visit", 9, False), ("cem", "visit", 1, True)]

CONDITIONS: list[Condition] = [
    lead.country == "DE",
    lead.country != "DE",
    ~(lead.country == "DE"),
    lead.country.one_of("DE", "FR"),
    lead.country.unknown(),
    lead.email.known(),
    lead.company.name.known(),
    lead.company.name == "Ex",
    lead.company.turnover >= 1_000_000,
    lead.custom("plan") == "7",
    lead.custom("plan") == 7,
    lead.custom("seats") == "7",
    lead.custom("plan") == "true",
    lead.custom("plan").one_of("7", "x"),
    lead.job_title == 'the "vip" of 100%',
    lead.job_title.contains("VIP"),
    lead.tags.has("vip"),
    lead.tags.has("vip lounge"),
    lead.tags.has('"'),
    lead.tags.known(),
    lead.audiences.has("friends"),
    lead.stage == "buy",
    lead.stage.one_of("buy", "interest"),
    lead.stage.known(),
    lead.bant.complete,
    lead.nps >= 9,
    lead.score("interest") >= 40,
    lead.score("interest") >= 20,
    lead.score("warmth") >= 20,
    lead.score("warmth") < 21,
    lead.score("warmth") == 20,
    lead.score("interest") < 70,
    lead.score("fit").known(),
    event("visit").count() >= 1,
    event("visit").count() >= 2,
    event("visit").count() == 1,
    event("visit").count() < 2,
    event("visit").within(days(3)).count() >= 1,
    event("visit").absent(),
    event("visit").absent(days(3)),
    ~event("visit").absent(days(3)),
    event("visit").where(page="prices").count() >= 1,
    event("visit").where(page="prices").absent(),
    (lead.country == "DE") & (event("visit").count() >= 1),
    (lead.country == "FR") | lead.tags.has("vip lounge"),
    (lead.country == "FR") | (lead.nps >= 9),
    ~((lead.country == "FR") | (lead.nps >= 9)),
]


def fading(name: str, now: datetime) -> dict[str, list[float]]:
    """What fades of their scores: 80 points of ten days ago, halved every five."""
    ago = (now - timedelta(days=10)).timestamp()
    return {"warmth": [80.0, ago, 5 * 86_400.0]} if name == "cem" else {}


def audience(who: Condition) -> Audience:
    return Audience.model_validate({"key": "some", "who": who})


@pytest.fixture
async def people(store: Store, now: datetime) -> Store:
    async with store.write() as session:
        for name, profile in PROFILES.items():
            session.add(LeadRow(id=name, email=profile.get("email"), profile=profile, stage=STAGES.get(name, "need"),
                                scores=SCORES.get(name, {}), fading=fading(name, now), created_at=now,
                                updated_at=now))  # fmt: skip
        await session.flush()
        for n, (name, what, ago, machine) in enumerate(EVENTS):
            at, properties = now - timedelta(days=ago), {"page": "prices" if n == 1 else "home"}
            session.add(EventRow(id=f"e-{n}", lead_id=name, name=what, properties=properties, at=at, received=at,
                                 machine=machine))  # fmt: skip
    return store


def facts(name: str, now: datetime) -> Facts:
    did = [
        Happening(what, now - timedelta(days=ago), {"page": "prices" if n == 1 else "home"})
        for n, (who, what, ago, machine) in enumerate(EVENTS)
        if who == name and not machine
    ]
    scores = points_now(SCORES.get(name, {}), fading(name, now), now)
    tree = facts_tree(PROFILES[name], STAGES.get(name, "need"), scores)
    return Facts(now=now, lead=tree, happened={"visit": did})


async def test_an_audience_is_exactly_those_of_whom_its_condition_is_true(people: Store, now: datetime) -> None:
    for condition in CONDITIONS:
        async with people.read() as session:
            found = await members(session, audience(condition), "", 100, now)
        truly = [name for name in PROFILES if condition.test(facts(name, now))]
        assert (condition.words(), found.lead_ids) == (condition.words(), truly)


async def test_an_audience_without_a_condition_is_those_on_its_list(people: Store, now: datetime) -> None:
    async with people.read() as session:
        assert (await members(session, Audience(key="friends"), "", 100, now)).lead_ids == ["cem"]


async def test_an_audience_comes_page_by_page_in_order_of_ids(people: Store, now: datetime) -> None:
    everybody, after = audience(lead.stage.known()), ""
    pages: list[Members] = []
    async with people.read() as session:
        while not pages or not pages[-1].exhausted:
            pages.append(await members(session, everybody, after, 4, now))
            after = pages[-1].cursor

    assert [page.lead_ids for page in pages] == [["ann", "bob", "cem", "dan"], ["eva", "fay"]]


@pytest.mark.parametrize(
    ("condition", "worth_a_look"),
    [
        (lead.country == "DE", ["ann"]),
        (lead.tags.has("vip"), ["ann"]),
        (lead.score("interest") >= 70, ["ann"]),
        (event("visit").within(days(3)).count() >= 1, ["ann"]),
        (event("visit").absent(), ["cem", "dan", "eva", "fay"]),
        ((lead.country == "FR") & (lead.nps >= 9), ["bob"]),
        ((lead.country == "FR") | (lead.nps >= 9), list(PROFILES)),
    ],
)
async def test_the_database_leaves_out_whom_it_can(
    people: Store, now: datetime, condition: Condition, worth_a_look: list[str]
) -> None:
    async with people.read() as session:
        query = select(LeadRow.id).where(narrowed(condition, now)).order_by(LeadRow.id)
        assert (await session.exec(query)).all() == worth_a_look
