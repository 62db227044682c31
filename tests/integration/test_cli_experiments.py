"""Experiments, hold-outs and versions on the command line, in a repository with a database of its own."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nurture import Campaign, State, done, on, pick, send, split
from nurture.durations import days
from nurture.store import Store
from tests.integration.commands import run
from tests.integration.life import Life

GUIDE = Campaign(
    "guide",
    enters=[on("asked")],
    goal=on("order_paid"),
    holdout=20,
    states=[
        State(
            "parting",
            [split({"short": 1, "long": 1}, key="length", winner=pick(on("order_paid"), within=days(14), after=50))],
        ),
        State("short", [send("test/one"), done]),
        State("long", [send("test/two"), done]),
    ],
)

pytestmark = pytest.mark.usefixtures("repository")


async def a_life() -> None:
    store, ago = Store("sqlite:///nurture.db"), datetime.now(UTC).replace(hour=12) - timedelta(days=40)
    async with Life(store, ago) as life:
        await life.publish(GUIDE)
        for n in range(12):
            await life.lead(f"lead-{n}@example.com")
            await life.happens("asked", to=f"lead-{n}@example.com")
        await life.passes(days=1)
        await life.happens("order_paid", to="lead-1@example.com")
    await store.close()


@pytest.fixture
def life(repository: None) -> None:
    """Twelve leads came 40 days ago, and one of them bought."""
    asyncio.run(a_life())


@pytest.mark.usefixtures("life")
def test_the_report_tells_of_each_arm_and_what_is_missing() -> None:
    told = run("report", "experiments").output

    assert (
        "split 1 → short, 1 → long; the winner by order paid within 14 days, once 95% sure of 50 leads an arm" in told
    )
    assert "leads came into the arms in their shares" in told
    assert "not decided: short has measured" in told


@pytest.mark.usefixtures("life")
def test_the_report_is_there_for_programs() -> None:
    [told] = json.loads(run("report", "experiments", "length", "--json").output)

    assert [arm["arm"] for arm in told["arms"]] == ["short", "long"]
    assert sum(arm["converted"] for arm in told["arms"]) <= 1
    assert sum(arm["best"] for arm in told["arms"]) == pytest.approx(1)
    assert told["shares_hold"] is True
    assert told["decision"] is None


@pytest.mark.usefixtures("life")
def test_a_person_decides_and_the_report_says_so() -> None:
    assert run("experiments", "decide", "length", "long", "--because", "it reads better").output == "decided: long\n"

    assert "long: it reads better" in run("report", "experiments").output
    again = run("experiments", "decide", "length", "short")
    assert (again.exit_code, "is decided: long" in again.output) == (1, True)


def test_without_experiments_the_report_says_how_to_write_one() -> None:
    assert "write split(…, winner=pick(…))" in run("report", "experiments").output


@pytest.mark.usefixtures("life")
def test_the_lift_of_a_campaign_is_told_by_its_goal() -> None:
    told = run("report", "lift", "guide").output

    assert "order paid within 30d" in told
    assert told.count("leads won by it:") == 1
    sides = json.loads(run("report", "lift", "guide", "--json").output)
    assert sides["took_part"]["leads"] + sides["held_out"]["leads"] == 12
    assert sides["took_part"]["converted"] + sides["held_out"]["converted"] == 1


@pytest.mark.usefixtures("life")
def test_the_lift_of_the_programme_says_plainly_that_nobody_is_held_out() -> None:
    told = run("report", "lift").output

    assert "nothing can be said yet: there is no lead held out whose time to reach the goal is over" in told


@pytest.mark.usefixtures("life")
def test_the_versions_of_a_campaign_are_told_with_their_numbers() -> None:
    [told] = json.loads(run("report", "versions", "guide", "--json").output)

    assert (told["number"], told["messages"]) == (1, told["entered"])
    assert "published" in run("report", "versions", "guide").output


def test_a_simulation_walks_as_after_the_decision() -> None:
    Path("campaigns/parted.py").write_text(
        "from nurture import *\n"
        'rule = pick(on("order_paid"), within=days(14), after=500)\n'
        'campaign = Campaign("parted", enters=[on("asked")], states=[\n'
        '    State("parting", [split({"short": 1, "long": 1}, key="length", winner=rule)]),\n'
        '    State("short", [done]), State("long", [wait(days(3)), done])])\n',
        "utf-8",
    )

    told = run("simulate", "parted", "--leads", "20", "--winner", "length=long").output
    by_lot = run("simulate", "parted", "--leads", "20").output

    assert ("long" in told, "short" in told.split()) == (True, False)
    assert "short" in by_lot
