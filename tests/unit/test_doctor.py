"""How the doctor judges, without any world."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nurture.doctor import AILMENTS, Findings, Past, Standing, Word, diagnosis, of_workflow

LONG = timedelta(days=3)
TEXT = Path(__file__).parents[2] / "docs/how-to/operations.md"


def standing(now: datetime, **different: object) -> Standing:
    """A journey that has waited for days, and will for days."""
    return Standing("j", "ann", "active", now + LONG, now - LONG, False)._replace(**different)  # type: ignore[arg-type]


def test_a_journey_that_runs_is_well(now: datetime) -> None:
    assert diagnosis(standing(now), True, now) is None


@pytest.mark.parametrize(
    ("status", "word"), [("active", Word.MISSING), ("held", Word.MISSING), ("starting", Word.UNSTARTED)]
)
def test_a_journey_that_does_not_run_is_missing_or_was_never_begun(status: str, word: Word, now: datetime) -> None:
    assert diagnosis(standing(now, status=status), False, now) is word


def test_a_journey_that_moved_a_moment_ago_or_is_awaited_may_be_on_its_way(now: datetime) -> None:
    assert diagnosis(standing(now, updated_at=now - timedelta(seconds=50)), False, now) is None
    assert diagnosis(standing(now, awaited=True), False, now) is None


def test_a_wait_that_is_long_over_is_overdue_unless_the_journey_is_held(now: datetime) -> None:
    over = now - timedelta(minutes=11)

    assert diagnosis(standing(now, until=over), True, now) is Word.OVERDUE
    assert diagnosis(standing(now, until=over, status="held"), True, now) is None
    assert diagnosis(standing(now, until=now - timedelta(minutes=9)), True, now) is None
    assert diagnosis(standing(now, until=None), True, now) is None


def test_a_workflow_without_a_journey_under_way_is_left_over_or_a_stranger(now: datetime) -> None:
    assert of_workflow(Past("ended", now - LONG), now) is Word.LEFTOVER
    assert of_workflow(Past("ended", now), now) is None
    assert of_workflow(Past("starting", now - LONG), now) is None
    assert of_workflow(None, now) is Word.STRANGER


def test_however_much_is_found_a_few_examples_are_kept() -> None:
    findings = Findings()
    for n in range(1000):
        findings.add(Word.MISSING, f"journey {n}")

    assert (findings.all[0].count, findings.all[0].examples) == (1000, ["journey 0", "journey 1", "journey 2"])


def test_a_paused_campaign_is_told_and_all_is_well_nevertheless() -> None:
    findings = Findings()
    findings.add(Word.PAUSED, "price-list")
    assert findings.well

    findings.add(Word.BURIED, "7")
    assert not findings.well


@pytest.mark.parametrize("word", Word)
def test_every_finding_says_what_it_means_and_what_to_do_and_is_documented(word: Word) -> None:
    assert AILMENTS[word].meaning
    assert AILMENTS[word].remedy
    assert f"| `{word}` |" in TEXT.read_text()
