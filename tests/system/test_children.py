import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from nurture.errors import Unavailable
from nurture.laptop.children import Children

PATIENCE = 20.0
SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
PARENT = """
import sys, time
from pathlib import Path
from nurture.laptop.children import Children
children = Children(Path(sys.argv[1]))
for name in ("one", "two"):
    children.start(name, [sys.executable, "-c", "import time; time.sleep(600)"], {}, Path("/"))
    print(children.pid(name), flush=True)
time.sleep(600)
"""


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"did not come about in {PATIENCE:.0f} s"
        time.sleep(0.05)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_a_parent_that_is_killed(tmp_path: Path, sign: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(psutil.pid_exists(pid) for pid in pids)

        parent.send_signal(sign)

    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_a_child_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("worker", [sys.executable, "-c", "raise SystemExit('no database')"], {}, tmp_path)

    until(lambda: psutil.Process(children.pid("worker")).status() == psutil.STATUS_ZOMBIE)

    with pytest.raises(Unavailable, match=r"worker ended with 1; the end of .*worker\.log:\nno database"):
        children.check()
    children.close()


def test_a_child_that_was_killed_can_be_started_again(tmp_path: Path) -> None:
    children = Children(tmp_path)
    for _ in range(2):
        children.start("worker", SLEEP, {}, tmp_path)
        until(lambda: children.said("worker", "awake"))
        children.kill("worker")

    children.check()
    children.close()


def test_what_an_earlier_one_said_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text("awake")
    children = Children(tmp_path)
    children.start("worker", [sys.executable, "-c", "import time; time.sleep(600)"], {}, tmp_path)

    assert not children.said("worker", "awake")
    children.close()
