"""The rows of the table: what was measured, what is wanted, and whether it holds."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

HOLDS = {True: "holds", False: "does not hold", None: ""}


@dataclass(frozen=True)
class Row:
    """One measure; without `at_most` and `at_least` it is told and nothing is wanted of it."""

    what: str
    measured: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def wanted(self) -> str:
        """The bound in a reader's words."""
        if self.at_most is not None:
            return f"≤ {self.at_most:,g}"
        return "" if self.at_least is None else f"≥ {self.at_least:,g}"

    @property
    def holds(self) -> bool | None:
        """Whether the bound is kept; None where there is none."""
        if self.at_most is not None:
            return self.measured <= self.at_most
        return None if self.at_least is None else self.measured >= self.at_least


def as_table(found: Sequence[tuple[str, Row]]) -> None:
    """Print the rows, each with its benchmark's name."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("benchmark", "what"):
        table.add_column(title, overflow="fold")
    for title in ("measured", "wanted"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("")
    before = ""
    for name, row in found:
        shown = "" if name == before else name
        table.add_row(shown, row.what, figure(row.measured), row.wanted, row.unit, HOLDS[row.holds])
        before = name
    Console(width=140).print(table)


def as_json(found: Iterable[tuple[str, Row]]) -> None:
    """Print the rows as one JSON document."""
    rows = [{"benchmark": name, **asdict(row), "wanted": row.wanted, "holds": row.holds} for name, row in found]
    Console(soft_wrap=True, highlight=False).print(json.dumps(rows, ensure_ascii=False, indent=1), markup=False)


def figure(number: float) -> str:
    """A number with as many digits as say something."""
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:,.2f}" if abs(number) < 10 else f"{number:,.1f}"


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that so large a share does not exceed."""
    in_order = sorted(values)
    return in_order[min(len(in_order) - 1, int(len(in_order) * share))]
