"""What the doctor found, shown."""

import typer
from rich.table import Table

from nurture.cli.context import out
from nurture.doctor import Finding, Findings


def show(findings: Findings, *, as_json: bool) -> None:
    """Show it as a table, or for programs."""
    if as_json:
        typer.echo(_as_json(findings))
    elif not findings.all:
        out.print("all is well")
    else:
        out.print(_table(findings.all))


def _table(findings: list[Finding]) -> Table:
    table = Table("finding", box=None, pad_edge=False, header_style="bold")
    table.add_column("how many", justify="right")
    if mended := any(one.mended for one in findings):
        table.add_column("mended", justify="right")
    for name in ("what it means", "what to do", "such as"):
        table.add_column(name, overflow="fold")
    for one in findings:
        words = one.ailment.meaning, one.ailment.remedy, "\n".join(one.examples)
        table.add_row(one.word, f"{one.count:,}", *([f"{one.mended:,}"] if mended else []), *words)
    return table


def _as_json(findings: Findings) -> str:
    from pydantic_core import to_json

    told = [
        {
            "finding": one.word,
            "count": one.count,
            "mended": one.mended,
            "grave": one.ailment.grave,
            "meaning": one.ailment.meaning,
            "remedy": one.ailment.remedy,
            "examples": one.examples,
        }
        for one in findings.all
    ]
    return to_json({"well": findings.well, "findings": told}, indent=2).decode()
