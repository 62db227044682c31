"""The demo as a new user runs it, with fewer people and shorter days."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NURTURE = Path(sys.executable).parent / "nurture"


@pytest.mark.slow
@pytest.mark.temporal
def test_the_audit_holds_though_the_worker_is_killed_again_and_again() -> None:
    command = [str(NURTURE), "demo", "--once", "--chaos", "--leads", "12", "--speed", "1d=0.3s"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)

    assert "The audit holds" in done.stdout, done.stdout + done.stderr
    assert "lost 0, twice 0" in done.stdout
    assert done.returncode == 0
