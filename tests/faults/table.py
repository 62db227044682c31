"""The table of a run, as docs/faults.md keeps it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from tests.faults.runner import Line

HEAD = "| fault | what is done | seeds | mails | lost | twice | unknown | sent again | latest (s) | recovered (s) | verdict |"
BEGIN, END = "<!-- table: made by ./dev faults -->", "<!-- end of table -->"


def table(lines: Iterable[Line]) -> str:
    """One row a scenario, over all seeds: sums, and the worst of the times."""
    by_scenario: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        by_scenario[line.fault, line.title].append(line)
    ordered = sorted(by_scenario.items(), key=lambda item: (int(item[0][0][1:]), item[0][1]))
    return "\n".join([HEAD, "|---" * 11 + "|", *(_row(fault, title, theirs) for (fault, title), theirs in ordered)])


def _row(fault: str, title: str, lines: Sequence[Line]) -> str:
    verdicts = [one for line in lines for one in line.verdicts]
    failed = [line.seed for line in lines if not line.holds]
    cells = [
        fault, title, len(lines), sum(one.mails for one in verdicts), sum(len(one.lost) for one in verdicts),
        sum(len(one.twice) for one in verdicts), sum(len(one.unknown) for one in verdicts),
        sum(len(one.again) for one in verdicts), f"{max(one.latest for one in verdicts):.1f}",
        f"{max(one.recovered for one in verdicts):.1f}",
        "pass" if not failed else f"**fail** (seeds {', '.join(map(str, failed))})",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def kept(page: Path, made: str, seeds: Sequence[int], scale: int, today: date) -> None:
    """Put the table into the page, in place of the one before."""
    before, _, rest = page.read_text().partition(BEGIN)
    said = f"{today.isoformat()}, seeds {seeds[0]} to {seeds[-1]}, scale {scale}, on 2 shared cores."
    page.write_text(f"{before}{BEGIN}\n\n{said}\n\n{made}\n\n{END}{rest.partition(END)[2]}")
