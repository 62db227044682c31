"""A lead's timeline, on each database in turn: everything once, in one order, page by page, by way of an index."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from nurture import Campaign, State, clicked, days, done, escalate, on, send, wait_for
from nurture.errors import BadInput
from nurture.intake import Incoming
from nurture.intake.merging import merge
from nurture.permission import HouseRules
from nurture.store import Store
from nurture.store.timeline import Entry, page_query, timeline
from tests.integration.life import Life

ROAD = Campaign(
    "road",
    enters=[on("price_list_downloaded")],
    states=[
        State("greet", [send("test/one"), wait_for(clicked("test/one"), up_to=days(3), then="sales", otherwise=done)]),
        State("sales", [escalate("ready"), done]),
    ],
)  # fmt: skip
ANN = "ann@example.com"


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now, rules=HouseRules(quiet=None, caps=())) as life:
        await life.publish(ROAD)
        yield life


async def whole(life: Life, lead_id: str, limit: int) -> list[Entry]:
    """All pages."""
    entries: list[Entry] = []
    before = None
    while True:
        async with life.store.read() as session:
            page = await timeline(session, lead_id, before, limit)
        entries += page.entries
        assert len(page.entries) == limit or page.before is None
        if (before := page.before) is None:
            return entries


async def lives(life: Life) -> str:
    ann = await life.lead(ANN)
    await life.passes(minutes=1)
    await life.happens("price_list_downloaded", to=ANN)
    await life.passes(minutes=1)
    await life.lead("bob@example.com", {"ads": False})
    await life.passes(minutes=1)
    await merge(life.store, life.intake.recorder, ANN, "bob@example.com", by="ops", now=life.now)
    await life.passes(minutes=1)
    await life.clicks("test/one", to=ANN)
    return ann


async def test_everything_that_happened_is_told_the_newest_first(life: Life) -> None:
    ann = await lives(life)

    told = [(one.kind, *list(one.about.values())[:1]) for one in await whole(life, ann, 50)]

    assert told == [
        ("ended", "road"),
        ("hand_off", "ready"),
        ("event", "handed_over"),
        ("event", "message_clicked"),
        ("event", "unsubscribed"),
        ("consent", "ads"),
        ("merge", "ops"),
        ("event", "unsubscribed"),
        ("consent", "ads"),
        ("message", "test/one"),
        ("entered", "road"),
        ("points", "interest"),
        ("event", "price_list_downloaded"),
        ("consent", "news"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_page_by_page_it_is_the_same_and_nothing_comes_twice(life: Life, limit: int) -> None:
    ann = await lives(life)
    same_moment = [
        Incoming(id=f"e/{n}~{n % 3}", name="page_viewed", lead={"email": ANN}, at=life.now) for n in range(7)
    ]
    await life.intake.accept(same_moment, life.now)

    at_once = await whole(life, ann, 100)

    assert await whole(life, ann, limit) == at_once
    assert len({(one.kind, one.id) for one in at_once}) == len(at_once) == 21


async def test_a_page_that_nobody_gave_is_refused(life: Life) -> None:
    ann = await life.lead(ANN)
    async with life.store.read() as session:
        for before in ("nonsense", "é", ""):
            with pytest.raises(BadInput, match="before"):
                await timeline(session, ann, before)
        with pytest.raises(BadInput, match="limit"):
            await timeline(session, ann, None, 0)


async def test_it_is_shown_over_http(client: httpx.AsyncClient) -> None:
    await client.post(
        "/v1/events", json={"id": "e1", "name": "visit", "lead": {"email": ANN}, "properties": {"page": "/"}}
    )
    await client.post("/v1/events", json={"id": "e2", "name": "visit", "lead": {"email": ANN}})

    first = (await client.get(f"/v1/leads/{ANN}/timeline?limit=1")).json()
    second = (await client.get(f"/v1/leads/{ANN}/timeline?limit=1&before={first['before']}")).json()

    assert [one["id"] for one in (*first["entries"], *second["entries"])] == ["e2", "e1"]
    about = {"name": "visit", "source": "api", "machine": False, "properties": {"page": "/"}}
    assert second["entries"][0]["about"] == about
    assert second["before"] is None
    assert (await client.get("/v1/leads/nobody/timeline")).status_code == 404
    assert (await client.get(f"/v1/leads/{ANN}/timeline?before=x")).status_code == 422


async def test_no_page_reads_a_whole_table(life: Life) -> None:
    ann = await lives(life)
    async with life.store.read() as session:
        before = (await timeline(session, ann, None, 3)).before
        connection = await session.connection()
        query, given = page_query(ann, before, 50)
        literal = query.params(given).compile(connection.sync_engine, compile_kwargs={"literal_binds": True})
        if not life.store.sqlite:
            # Of so few rows it would rather read all and sort them, as its statistics happen to be.
            for way in ("seqscan", "bitmapscan", "sort"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        explained = await connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if life.store.sqlite else ''}{literal}")
        plan = [str(row[-1]) for row in explained]

    tables = ("events", "messages", "score_changes", "journeys", "hand_offs", "consents", "merges")
    whole_tables = [f"SCAN {one}" if life.store.sqlite else f"Seq Scan on {one}" for one in tables]
    assert [line for line in plan if any(one in line for one in whole_tables)] == []
    assert any("ix_events_lead_at" in line for line in plan)
    assert any("ix_score_changes_lead_at" in line for line in plan)
