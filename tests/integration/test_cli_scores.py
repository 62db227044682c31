"""Scores and definitions from the command line: published, signed, explained, rebuilt, tried on what was."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from nurture.cli.context import out
from nurture.cli.main import app
from nurture.intake import Incoming, Intake, Internal
from nurture.loader import load
from nurture.scores import Change
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.migrate import upgrade

Answer = TypeVar("Answer")
NOW = datetime.now(UTC).replace(microsecond=0)
SCORES = """
from nurture import Definition, Score, Threshold, days, gives, lead, on, when

interest = Score(
    key="interest",
    half_life=days(30),
    rules=(gives(POINTS, on("visit"), at_most=2, per=days(7)),),
    thresholds=(Threshold(key="warm", at=15),),
)
fit = Score(key="fit", rules=(gives(30, when(lead.country == "DE")),))
ready = Definition(key="ready", ready=(lead.score("interest") >= LEAST) & (lead.country == "DE"))
"""


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team's repository with scores and a definition, and a database."""
    monkeypatch.setattr(out, "width", 140)
    monkeypatch.delenv("NURTURE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    for folder in ("campaigns", "templates"):
        Path(folder).mkdir()
    written()
    upgrade("sqlite:///nurture.db")


def written(points: int = 10, least: int = 15) -> None:
    text = SCORES.replace("POINTS", str(points)).replace("LEAST", str(least))
    Path("campaigns/scores.py").write_text(text)


def said(*arguments: str, fails: bool = False, **env: str) -> str:
    told = CliRunner().invoke(app, arguments, env=env)
    assert told.exit_code == (1 if fails else 0), told.output
    return told.output


def in_store(work: Callable[[Store], Coroutine[Any, Any, Answer]]) -> Answer:
    async def run() -> Answer:
        store = Store("sqlite:///nurture.db")
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def takes(items: Sequence[Incoming], days_ago: float = 0) -> None:
    async def work(store: Store) -> None:
        intake = Intake(store, load(Path("campaigns")), Settings())
        await intake.accept(items, NOW - timedelta(days=days_ago))
        await intake.close()

    in_store(work)


def visit(n: int, who: str = "ann", **known: Any) -> Incoming:
    return Incoming(id=f"{who}{n}", name="visit", lead={"email": f"{who}@example.org", "external_id": who, **known})


def lived() -> None:
    """Ann comes from Germany from the start, Bo is found to do so when his visits have faded; sales took Ann."""
    takes([visit(1, country="DE"), visit(1, "bo")], 60)
    takes([visit(2), visit(2, "bo"), visit(3)], 59)
    accepted = Internal(name="sales_accepted", lead={"external_id": "ann"})
    takes([accepted], 50)
    takes([Incoming(lead={"external_id": "bo", "country": "DE"})], 1)


# --- back-test ---


def test_a_definition_is_tried_on_what_was_known_then() -> None:
    lived()
    found = json.loads(said("backtest", "ready", "--json"))

    assert found["profiles_known_since"] is None
    [tried] = found["tried"]
    assert (tried["leads"], tried["precision"], tried["recall"]) == (2, 1.0, 1.0)
    [would] = tried["handed_over"]
    assert (would["at"], would["outcome"]) == ((NOW - timedelta(days=59)).isoformat(), "good")


def test_it_is_compared_with_the_one_in_force() -> None:
    lived()
    said("publish")
    written(least=5)

    told = said("backtest", "ready")
    assert told_lines(told)[1].split() == ["handed", "over", "2", "of", "2", "1", "of", "2"]
    assert "1 lead more, 0 leads fewer than in force" in told
    assert said("backtest", "ready", "--since", f"{NOW - timedelta(days=30):%Y-%m-%d}").count("unknown") == 1


def test_a_score_and_a_published_version_are_tried_as_well() -> None:
    lived()
    version = said("publish").split("definition ready version 1 (")[1][:12]
    written(points=1, least=100)

    assert json.loads(said("backtest", "interest", "--json"))["tried"][0]["handed_over"] == []
    assert len(json.loads(said("backtest", "ready", "--version", version, "--json"))["tried"][0]["handed_over"]) == 1
    assert "did you mean" in said("backtest", "redy", fails=True)


def told_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()][1:]


# --- explain, rebuild ---


def test_a_score_is_explained_by_its_changes_and_by_what_was_held_back() -> None:
    lived()
    takes([Internal(lead={"external_id": "ann"}, points=(Change("interest", "campaign road", 4),))], 30)

    lines = said("score", "explain", "ann", "interest").splitlines()

    assert lines[0].startswith("interest: ")
    assert lines[0].endswith(", halved every 30 days")
    words = [" ".join(line.split()[2:]) for line in lines[2:]]
    assert [line.split()[0] for line in words] == ["+10", "+10", "held", "+4"]
    assert words[2] == "held back 10 points on visit, at most 2 times within 7 days ann3"
    assert words[3].startswith("+4 2 campaign road")


def test_all_scores_are_told_unless_one_is_named() -> None:
    lived()
    told = said("score", "explain", "bo@example.org")

    assert [line.split(":")[0] for line in told.splitlines() if not line.startswith((" ", "2", "when"))] == [
        "fit",
        "interest",
    ]
    assert "did you mean" in said("score", "explain", "ann", "intrest", fails=True)


def test_scores_are_counted_anew_by_the_rules_as_they_are() -> None:
    lived()
    written(points=20)

    assert said("score", "rebuild", "--dry-run") == (
        "2 leads counted: would change 2 leads; 0 thresholds newly to be reached\n"
    )
    assert said("score", "rebuild", "--score", "interest").startswith("2 leads counted: changed 2 leads;")
    assert said("score", "rebuild").startswith("2 leads counted: changed 0 leads;")


# --- definitions ---


def test_a_definition_is_published_then_signed_by_both_sides() -> None:
    assert "publish, then sign" in said("definitions", "sign", "ready", "--as", "sales", "--by", "Bo", fails=True)
    said("publish")
    for side, name in (("marketing", "Ann"), ("sales", "Bo")):
        assert f"is signed for {side} by {name}" in said("definitions", "sign", "ready", "--as", side, "--by", name)

    assert said("definitions", "list").splitlines()[1].split()[2:] == ["yes", "Ann", "Bo", "0", "0"]
    written(least=20)
    assert "not signed" in said("definitions", "list")
    assert "did you mean" in said("definitions", "sign", "redy", "--as", "sales", "--by", "Bo", fails=True)


def test_publishing_tells_of_scores_and_definitions_too() -> None:
    told = [line.split(" (")[0] for line in said("publish").splitlines()]

    assert told == ["score interest version 1", "score fit version 1", "definition ready version 1"]
    assert said("publish").count(": unchanged") == 3
