"""Measures what the product costs on this machine, and says which of the bounds of docs/benchmarks.md hold."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import (
    growth,
    hand_offs,
    history,
    importing,
    intake,
    journeys,
    latency,
    mail,
    rebuild,
    reports,
    simulating,
    timeline,
)
from tests.bench.rows import Row, as_json, as_table

BENCHMARKS: Mapping[str, Callable[[Path, float], Coroutine[Any, Any, list[Row]]]] = {
    "history": history.measure,
    "journeys": journeys.measure,
    "intake": intake.measure,
    "latency": latency.measure,
    "hand-offs": hand_offs.measure,
    "simulate": simulating.measure,
    "mail": mail.measure,
    "import": importing.measure,
    "timeline": timeline.measure,
    "rebuild": rebuild.measure,
    "reports": reports.measure,
    "growth": growth.measure,
}


def _measured(only: Sequence[str], scale: float | None) -> Iterator[tuple[str, Row]]:
    """The rows of each benchmark; among all the others growth is measured at a fifth of its size."""
    with tempfile.TemporaryDirectory(prefix="nurture-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own
        for name in only or BENCHMARKS:
            size = scale or (0.2 if name == "growth" and not only else 1.0)
            sys.stderr.write(f"measuring {name}\n")
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                rows = runner.run(BENCHMARKS[name](Path(folder) / name, size))
            yield from ((name, row) for row in rows)


def main() -> None:
    """Measure and print; a bound that does not hold is told, and is no failure."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="this benchmark; may be given several times"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--scale", type=float, help="so many times the usual size")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all that was started ends with it
    found = list(_measured(given.only or (), given.scale))
    (as_json if given.json else as_table)(found)


if __name__ == "__main__":
    main()
