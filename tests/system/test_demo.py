"""The demo as a new user runs it, with fewer people and shorter days."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

NURTURE = Path(sys.executable).parent / "nurture"
PATIENCE = 170

pytestmark = [pytest.mark.slow, pytest.mark.temporal]


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    """The demo with 12 people and a day of 150 ms, run to its end from elsewhere."""
    command = [str(NURTURE), "demo", "--once", "--leads", "12", "--speed", "1d=0.15s", *options]
    env = {**os.environ, "NURTURE_ENVIRONMENT": "production", "TEMPORAL_ADDRESS": "nowhere.example:7233"}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=env)


def missing(words: Sequence[str], text: str) -> list[str]:
    return [one for one in words if one not in text]


def test_people_walk_the_campaigns_and_the_audit_holds_whatever_the_settings_of_the_machine() -> None:
    done = demo()

    assert not missing(["The audit holds: lost 0, twice 0", "price-list/greet", "clicked a link"], done.stdout), done
    assert (done.returncode, done.stderr) == (0, "")


def test_the_audit_holds_though_the_worker_is_killed_again_and_again() -> None:
    done = demo("--chaos", "--seed", "2")

    assert not missing(["The audit holds: lost 0, twice 0", "The worker was killed"], done.stdout), done
    assert (done.returncode, done.stderr) == (0, "")


def test_a_directory_that_holds_something_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()

    done = demo("--keep", str(tmp_path))

    assert done.stderr.strip().endswith("holds something already: name a new or empty directory with --keep")
    assert done.returncode == 1
