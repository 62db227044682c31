"""Ends the processes of a laptop stack once the one that started them is gone, however it went.

It reads `+PID` and `-PID` from its standard input, which closes when its parent ends, by SIGKILL too. Run as a file of its
own, it imports nothing of ours.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

PATIENCE = 5.0


def end(pids: Iterable[int]) -> None:
    """End these process groups: politely, and after a while not."""
    left = {pid for pid in pids if _told(pid, signal.SIGTERM)}
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = {pid for pid in left if _told(pid, 0)}
    for pid in left:
        _told(pid, signal.SIGKILL)


def _told(pid: int, sign: int) -> bool:
    """Whether there was anybody to be told."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sign)
        return True
    return False


def main() -> None:
    """Watch until the parent is gone."""
    alive: set[int] = set()
    for line in sys.stdin:
        (alive.add if line.startswith("+") else alive.discard)(int(line[1:]))
    end(alive)


if __name__ == "__main__":
    main()
