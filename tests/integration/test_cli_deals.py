"""Tasks, rewards and reports on the command line, in a repository with a database of its own."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from nurture.intake.incoming import Internal, Recommended
from nurture.rewards import Reward
from nurture.store import Store
from nurture.store.models import RequestRow
from nurture.store.recommendation_tables import RewardRow
from nurture.store.referrals import share_code
from nurture.triggers import on
from tests.integration.commands import run
from tests.integration.life import Life
from tests.integration.test_surveys import TEMPLATES, UNHAPPY

FRIEND = "bob@example.org"

pytestmark = pytest.mark.usefixtures("repository")


async def a_life() -> None:
    store, ago = Store("sqlite:///nurture.db"), datetime.now(UTC).replace(hour=12) - timedelta(days=2)
    month = Reward(key="month", when=on("order_paid"), points=100)
    async with Life(store, ago, rewards=[month], templates=TEMPLATES) as life:
        await life.publish(UNHAPPY)
        ann = await life.lead()
        await life.happens("asked")
        await life.happens("survey_answered", known={"nps": 2})
        async with store.write() as session:
            code = await share_code(session, ann, life.now)
        brought = Internal(name="recommended", lead={"email": FRIEND}, recommended=Recommended(code=code))
        await life.intake.accept([brought], life.now)
        await life.orders("paid", to=FRIEND)
    await store.close()


@pytest.fixture
def life(repository: None) -> None:
    """Ann has a task, and a reward for a friend."""
    asyncio.run(a_life())


def the(model: type[SQLModel], **like: Any) -> Any:
    async def read() -> list[Any]:
        store = Store("sqlite:///nurture.db")
        async with store.read() as session:
            found = list((await session.exec(select(model))).all())
        await store.close()
        return found

    (one,) = [one for one in asyncio.run(read()) if all(getattr(one, name) == value for name, value in like.items())]
    return one


def test_a_task_is_listed_and_done_once(life: None) -> None:
    task = the(RequestRow, kind="task")
    assert all(word in run("tasks", "list", "--overdue").output for word in (task.id, "Call them", "(overdue)"))
    assert [one["id"] for one in json.loads(run("tasks", "list", "--json").output)] == [task.id]
    assert run("tasks", "list", "--team", "marketing").output == "no tasks\n"

    assert run("tasks", "done", task.id, "--by", "bo").output == "done: Call them\n"

    again = run("tasks", "done", task.id)
    assert (again.exit_code, "is done already" in again.output) == (1, True)
    assert run("tasks", "list").output == "no tasks\n"


def test_a_reward_is_listed_and_paid_once(life: None) -> None:
    reward = the(RewardRow)
    assert all(word in run("rewards", "list").output for word in (reward.id, "month", "100 points", "granted"))

    assert run("rewards", "pay", reward.id).output == "paid: month\n"

    assert "only one that is granted is paid out" in run("rewards", "pay", reward.id).output
    assert run("rewards", "list", "--status", "granted").output == "no rewards\n"
    assert [one["status"] for one in json.loads(run("rewards", "list", "--json").output)] == ["paid"]
    assert "there are granted, voided, paid" in run("rewards", "list", "--status", "lost").output


def test_the_control_points_are_told_in_every_view(life: None) -> None:
    points = {one["stage"]: one for one in json.loads(run("report", "stages", "--json").output)}
    assert (points["need"]["came"], points["need"]["went_on"], points["need"]["conversion"]) == (2, 1, 0.5)
    assert (points["buy"]["now"], points["need"]["stuck"]) == (1, 0)

    assert "Account Management" in run("report", "stages", "--view", "lead", "--since", "30d").output
    assert json.loads(run("report", "stages", "--json", "--stuck", "1d").output)[0]["stuck"] == 1
    assert json.loads(run("report", "stages", "--json", "--since", "1d").output)[0]["came"] == 0
    assert "there are life-cycle" in run("report", "stages", "--view", "none").output
    assert "--since 'soon' cannot be read" in run("report", "stages", "--since", "soon").output


def test_how_customers_buy_is_told(life: None) -> None:
    assert "1 customer; 5 is best" in run("report", "rfm").output
    assert list(json.loads(run("report", "rfm", "--json").output).values()) == [
        {"recency": 5, "frequency": 5, "money": 5}
    ]


def test_an_import_brings_leads_to_their_stage() -> None:
    Path("leads.csv").write_text("email,stage\nann@example.com,learn\nbob@example.com,bought\n")

    told = run("import", "leads.csv")

    assert "1 new, 0 changed, 0 as they were, 1 bad" in told.output
    assert "lead.stage: is no stage of the life cycle" in told.output
    assert {one["stage"]: one["now"] for one in json.loads(run("report", "stages", "--json").output)}["learn"] == 1
