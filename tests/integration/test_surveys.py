"""The pages of surveys, on each database in turn, and the tasks that come of bad answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import SQLModel, select

from nurture import (
    Campaign,
    State,
    Survey,
    branch,
    choice,
    days,
    done,
    lead,
    on,
    scale,
    survey,
    task,
    wait_for,
    when,
    words,
)
from nurture.catalogue import Catalogue
from nurture.errors import NotFound, Refused
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store, tasks
from nurture.store.models import EventRow, LeadRow, RequestRow
from nurture.sweeps import SWEEPS, run_sweep
from tests.integration.life import Life
from web.app import compose

TEMPLATES = Path(__file__).parents[2] / "templates"
SERVICE = Survey(
    key="service",
    title={"en": "How did we do?", "ru": "Как вам у нас?"},
    questions=(
        scale("speed", "How quick?"),
        choice("by", "By?", {"friend": "A friend", "net": "The net"}),
        words("why", "Why?"),
    ),
)
UNHAPPY = Campaign(
    "unhappy",
    enters=[on("asked")],
    states=[
        State("ask", [survey("nps"), wait_for(on("survey_answered"), up_to=days(7)),
                      branch(when(lead.nps <= 6, to="sorry"), otherwise=done)]),
        State("sorry", [task("Call them", due_in=days(1)), wait_for(on("task_done"), up_to=days(9), then=done)]),
    ],
)  # fmt: skip


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


async def answers(store: Store) -> list[dict[str, Any]]:
    return [row.properties for row in await rows(store, EventRow) if row.name == "survey_answered"]


@pytest.fixture
async def edge(client: httpx.AsyncClient, store: Store, now: datetime) -> AsyncIterator[httpx.AsyncClient]:
    """The pages with a survey of our own, and a lead `ann` to answer it."""
    async with store.write() as session:
        session.add(LeadRow(id="ann", created_at=now, updated_at=now))
    here = client._transport.app.state.nurture.settings  # type: ignore[attr-defined]
    app = compose(here, Catalogue(surveys={"service": SERVICE}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://nurture") as one,
    ):
        yield one


def link(survey: str = "service", message: str = "m") -> str:
    return Links("http://nurture", Settings().secrets).survey("ann", survey, message)


async def test_a_number_in_the_address_is_chosen_and_nothing_is_answered(edge: httpx.AsyncClient, store: Store) -> None:
    page = await edge.get(f"{link()}?speed=9&by=friend")

    assert 'value="9" checked' in page.text
    assert 'value="friend" checked' in page.text
    assert page.text.count("checked") == 2
    assert await answers(store) == []


async def test_one_event_holds_all_answers_and_the_first_ones_hold(edge: httpx.AsyncClient, store: Store) -> None:
    for speed in ("9", "1"):
        answer = await edge.post(link(), data={"speed": speed, "by": "net", "why": "quick"})
        assert answer.status_code == 200

    assert await answers(store) == [{"survey": "service", "speed": 9, "by": "net", "why": "quick"}]


async def test_each_message_is_answered_for_itself(edge: httpx.AsyncClient, store: Store) -> None:
    for message in ("m1", "m2"):
        await edge.post(link(message=message), data={"speed": "5", "by": "net"})

    assert len(await answers(store)) == 2


async def test_what_is_not_answered_is_asked_for_again_with_what_was(edge: httpx.AsyncClient, store: Store) -> None:
    answer = await edge.post(link(), data={"speed": "9", "why": "<quick>"})

    assert answer.status_code == 422
    assert 'value="9" checked' in answer.text
    assert "&lt;quick&gt;" in answer.text
    assert answer.text.count("Please answer this one") == 1
    assert await answers(store) == []


async def test_it_is_asked_in_the_readers_language(edge: httpx.AsyncClient) -> None:
    pages = [await edge.get(link(one), headers={"Accept-Language": "ru"}) for one in ("service", "nps")]

    assert ["Как вам у нас?" in pages[0].text, "Насколько вероятно" in pages[1].text] == [True, True]


# --- tasks ---


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    """Ann has answered, and is not content."""
    async with Life(store, now, templates=TEMPLATES) as life:
        await life.publish(UNHAPPY)
        await life.lead()
        await life.happens("asked")
        await life.happens("survey_answered", known={"nps": 3})
        yield life


async def late(life: Life) -> list[str]:
    """The overdue tasks that were told of, after a sweep."""
    sweep = next(one for one in SWEEPS if one.name == "tasks late")
    await run_sweep(sweep, life.store, life.settings, life.now)
    return [row.properties["title"] for row in await rows(life.store, EventRow) if row.name == "task_overdue"]


async def test_a_bad_answer_becomes_a_task_that_is_told_of_once_when_its_time_has_passed(life: Life) -> None:
    async with life.store.read() as session:
        (given,) = await tasks.listed(session)
    assert (given.body["title"], given.due_at is not None and given.due_at - life.now > timedelta(hours=23)) == (
        "Call them",
        True,
    )
    assert await late(life) == []

    await life.passes(days=1, minutes=1)

    assert [await late(life), await late(life)] == [["Call them"], ["Call them"]]


async def test_a_task_that_is_done_is_heard_and_never_late(life: Life) -> None:
    async with life.store.write() as session:
        (given,) = await tasks.listed(session, team="sales")
        await tasks.done(session, given.id, "bo", life.now)
    await life.passes(days=2)

    assert await late(life) == []
    assert [one.journey.ending for one in life.walkers.running.values()] == ["done"]
    async with life.store.write() as session:
        assert await tasks.listed(session) == []
        with pytest.raises(Refused, match="is done already"):
            await tasks.done(session, given.id, "bo", life.now)
        with pytest.raises(NotFound):
            await tasks.done(session, "none", "bo", life.now)


async def test_tasks_are_seen_and_done_by_the_api(client: httpx.AsyncClient, life: Life) -> None:
    (given,) = (await client.get("/v1/tasks")).json()["tasks"]
    answer = await client.post(f"/v1/tasks/{given['id']}/done", json={"by": "bo"})

    assert (given["title"], given["team"], answer.status_code, answer.json()["status"]) == (
        "Call them",
        "sales",
        200,
        "done",
    )
    assert (await client.get("/v1/tasks")).json() == {"tasks": []}
    (row,) = [one for one in await rows(life.store, RequestRow) if one.kind == "task"]
    assert row.body["done_by"] == "bo"
    assert datetime.fromisoformat(row.body["done_at"]).tzinfo == UTC
