"""A team's own repository, from nothing to its campaign walked on this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

NURTURE = Path(sys.executable).parent / "nurture"
PATIENCE = 90.0
FREE = [f"--{name}-port=0" for name in ("web", "inbox", "smtp", "temporal", "temporal-ui")]
ENV = {name: value for name, value in os.environ.items() if not name.startswith("NURTURE_")}
ENV["TEMPORAL_NAMESPACE"] = "of-another-server"

pytestmark = [pytest.mark.slow, pytest.mark.temporal]


def nurture(folder: Path, *words: str) -> str:
    """The output of a command that succeeds."""
    done = subprocess.run([NURTURE, *words], cwd=folder, env=ENV, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@contextmanager
def dev(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`nurture dev` on free ports, once it runs, and what it said until then; ended at the end."""
    with subprocess.Popen([NURTURE, "dev", *FREE], cwd=folder, env=ENV, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            said = ""
            while "Press Ctrl-C" not in said:
                line = running.stdout.readline()
                assert line, said
                said += line
            yield running, said
        finally:
            running.send_signal(signal.SIGTERM)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def test_a_new_repository_runs_its_own_campaign_and_none_of_the_examples(tmp_path: Path) -> None:
    nurture(tmp_path, "init", "shop")
    shop = tmp_path / "shop"
    assert nurture(shop, "check") == "1 campaign, 6 templates: no faults\n"

    with dev(shop) as (running, said):
        web, inbox = found(r"API docs +(\S+)/docs", said), found(r"Inbox +(\S+)/", said)
        key = found(r"API key +(nk_\S+)", said)
        with httpx.Client(base_url=web, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:
            ann = {"email": "ann@example.com", "time_zone": zone_in_which_it_is_noon()}
            client.post("/v1/leads", json={"lead": ann, "consents": {"*": True}}).raise_for_status()
            statuses = [
                client.post("/v1/journeys", json={"campaign": name, "lead": ann}).status_code
                for name in ("welcome", "price-list")
            ]
        caught = mails(inbox)
    assert statuses == [202, 404]
    assert caught == 1
    assert running.returncode == 128 + signal.SIGTERM


def zone_in_which_it_is_noon() -> str:
    """So that the window of the campaign is open, whenever this runs."""
    return f"Etc/GMT{time.gmtime().tm_hour - 12:+}"


def mails(inbox: str) -> int:
    """How many mails there are, as soon as there is one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        count = int(httpx.get(f"{inbox}/api/count", trust_env=False).json()["count"])
        if count:
            return count
        time.sleep(0.1)
    return 0
