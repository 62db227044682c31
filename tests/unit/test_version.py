"""Versions: named by the hash of their content, the same everywhere and always."""

import hashlib
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nurture import (
    Campaign,
    State,
    always,
    at_most,
    between,
    branch,
    call,
    clicked,
    days,
    done,
    escalate,
    event,
    go,
    lead,
    leave,
    on,
    on_audience,
    on_date,
    once_in,
    pick,
    quiet,
    send,
    set_field,
    split,
    survey,
    tag,
    task,
    wait,
    wait_for,
    weekdays,
    when,
)
from nurture.facts import Facts
from nurture.loader import load
from nurture.version import Version, frozen

ROOT = Path(__file__).parents[2]
ON_A_CLOCK = datetime(2026, 1, 31)  # noqa: DTZ001  # whose, the lead's zone says
EVERYTHING: dict[str, Any] = {
    "enters": [on("asked", key="id"), when(lead.country == "DE"), on_date(lead.custom("ends"), offset=-days(3)),
               on_audience("fair")],
    "reenters": once_in(days(30)),
    "goal": on("order_paid"),
    "exits": [on("objected", to=leave("objected"))],
    "always": [when(lead.score("interest") >= 70, to="two")],
    "quiet": quiet("21:00", "08:00"), "window": between("09:00", "18:00"), "cap": at_most(3, within=days(7)),
    "expires_after": days(2), "purpose": "transactional", "legal_basis": "contract",
    "states": [
        State("one", [
            send("hello", expires_after=days(1)), survey("nps"), task("Call", due_in=days(1)), call("shop", plan="pro", seats=3),
            set_field(lead.custom("sizes"), ("S", 9)), tag("vip"), wait(days(1), at=weekdays("10:00")),
            wait(until=date(2026, 1, 31)), wait(until=ON_A_CLOCK),
            wait(until=datetime(2026, 1, 31, 9, tzinfo=UTC)), wait(until=lead.custom("ends"), on_past="run"),
            wait_for(clicked("hello"), event("visit").where(page="price").count() >= 2, up_to=days(3)),
            branch(when(~(lead.nps >= 9) | lead.tags.has("vip"), to=done)), split({"two": 1, "one": 2.5}),
        ]),
        State("two", [escalate("director"), go("one")]),
    ],
}  # fmt: skip


def road(**changes: Any) -> Version:
    return frozen(Campaign("road", **(EVERYTHING | changes)))


def test_the_same_campaign_has_the_same_hash() -> None:
    assert road().hash == road().hash == hashlib.sha256(road().canonical().encode()).hexdigest()


def test_a_version_read_from_json_is_the_same_with_the_same_hash() -> None:
    restored = Version.model_validate_json(road().canonical())

    assert restored == road()
    assert (restored.canonical(), restored.hash) == (road().canonical(), road().hash)


@pytest.mark.parametrize("key", ["price-list", "webinar", "win-back"])
def test_the_examples_survive_being_stored(key: str) -> None:
    version = load(ROOT / "campaigns").campaigns[key]

    assert Version.model_validate_json(version.canonical()).hash == version.hash


def test_the_order_in_which_a_campaign_is_written_is_no_part_of_it() -> None:
    reversed_ = dict(reversed(EVERYTHING.items()))

    assert frozen(Campaign("road", **reversed_)).hash == road().hash


def test_the_order_of_filters_by_name_is_no_part_of_it() -> None:
    either, other = on("order", plan="pro", seats=3), on("order", seats=3, plan="pro")

    assert road(goal=either).hash == road(goal=other).hash


def test_another_process_finds_the_same_hash() -> None:
    program = (
        "import runpy; from nurture.version import frozen;"
        "print(frozen(runpy.run_path('campaigns/price_list.py')['campaign']).hash)"
    )
    command, environment = [sys.executable, "-c", program], {"PYTHONHASHSEED": "1"}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    assert found.strip() == load(ROOT / "campaigns").campaigns["price-list"].hash


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "The road"},
        {"priority": 4},
        {"reenters": always},
        {"goal": on("order_paid", plan="pro")},
        {"enters": [on("asked")]},
        {"window": between("09:00", "18:01")},
        {"states": [*EVERYTHING["states"], State("three", [done])]},
        {"states": list(reversed(EVERYTHING["states"]))},
        {"states": [State("one", [wait(days(1))]), State("two", [])]},
    ],
)
def test_whatever_changes_in_a_campaign_changes_its_hash(changed: dict[str, Any]) -> None:
    assert road(**changed).hash != road().hash


def test_a_version_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        road().campaign = Campaign("other", [])  # type: ignore[misc]


def test_what_is_no_part_of_a_version_is_refused() -> None:
    stored = road().canonical().replace('"format":1', '"format":2')

    with pytest.raises(ValidationError, match="format"):
        Version.model_validate_json(stored)


# --- finding one's way in it ---


def test_states_follow_each_other_in_their_order() -> None:
    following = road().after("one")

    assert following is not None
    assert (following.name, road().after("two"), road().step("two", 1).words()) == ("two", None, "go to one")


def test_exits_are_heard_before_the_goal_and_that_before_the_rest() -> None:
    assert [arm.key for arm in road().arms] == ["exit:0", "goal", "always:0"]


def test_a_goal_that_is_also_heard_at_any_time_is_heard_once_and_reached() -> None:
    arms = road(always=[on("order_paid", to="two"), on("visit", to="two")]).arms

    assert [(arm.key, arm.goal) for arm in arms] == [("exit:0", False), ("always:0", True), ("always:1", False)]


def test_an_exit_to_nowhere_leaves_with_what_was_heard_as_the_reason() -> None:
    [exit_, *_] = road(exits=[on("objected")]).arms

    assert exit_.trigger.to == leave("on objected")


def test_every_split_draws_by_a_name_of_its_own() -> None:
    halves = {"one": 1.0, "two": 1.0}
    states = [State("one", [split(halves), split(halves)]), State("two", [split(halves, key="draw")])]
    keys = [step.key for state in road(states=states).campaign.states for step in state.steps if step.kind == "split"]

    assert keys == ["road/one", "road/one/2", "draw"]


def test_a_condition_that_was_tested_is_written_as_before() -> None:
    complete = lead.bant.complete & (lead.nps >= 9)
    campaign = Campaign("one", enters=[when(complete)], states=[State("first", [wait(days(1))])])
    before = frozen(campaign).hash

    assert not complete.test(Facts(now=datetime(2026, 1, 5, tzinfo=UTC), lead={}))

    assert frozen(campaign).hash == before


def test_a_rule_for_the_winner_makes_another_version_and_no_rule_leaves_it_as_it_was() -> None:
    def parted(**rule: Any) -> Version:
        steps = [split({"a": 1, "b": 1}, **rule)]
        return frozen(Campaign("test", [State("one", steps), State("a", []), State("b", [])]))

    ruled = parted(winner=pick(on("order_paid"), within=days(14), after=500))

    assert "winner" not in parted().canonical()
    assert ruled.hash != parted().hash
    assert Version.model_validate_json(ruled.canonical()).hash == ruled.hash
