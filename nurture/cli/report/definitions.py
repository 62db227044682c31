"""`nurture report definitions`: what sales made of the leads it was given."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.definition_report import Outcome, Taken, failures
from nurture.durations import in_words
from nurture.store.definition_reports import outcomes


def definitions(
    days: Annotated[int, typer.Option(min=1, help="Of what was handed over in so many days.")] = 90,
    want: Annotated[
        float | None, typer.Option(min=0, help="So many hand-offs a week are wanted of a definition.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what sales made of the leads it was given, by definition and version.

    Precision is the share of yes among the answers. Times are of the first answer, by the calendar and in working hours:
    the median, and what nine of ten took at most. Below stands what is wrong: too few come in, or they come in and are
    wasted.
    """
    period = timedelta(days=days)

    async def work(here: Here) -> list[Outcome]:
        async with here.store.read() as session:
            return await outcomes(session, here.now - period, here.now)

    found = in_store(work)
    whole = {key: list(group) for key, group in groupby(found, key=lambda one: one.definition)}
    wrong = {key: failures(group, period, want) for key, group in whole.items()}
    if as_json:
        typer.echo(_as_json(days, found, wrong))
        return
    if not found:
        out.print(f"nothing was handed over in the last {days} days, nor in those before")
        return
    out.print(_table(found))
    for key, faults in wrong.items():
        for fault in faults:
            out.print(f"{key}: {fault}", soft_wrap=True, style="bold")
        if not faults:
            out.print(f"{key}: nothing is wrong that the numbers tell", soft_wrap=True)


def _table(found: Sequence[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = (
        "definition",
        "handed over",
        "accepted",
        "rejected",
        "recycled",
        "overdue",
        "precision",
        "median, p90",
        "working",
    )
    for name in names:
        table.add_column(name, overflow="fold", justify="left" if name == "definition" else "right")
    for one in found:
        numbers = (one.handed_over, one.accepted, one.rejected, one.recycled, one.overdue)
        table.add_row(
            f"{one.definition} {one.version[:8]}", *map(str, numbers),
            "" if one.precision is None else f"{one.precision:.0%}", _times(one.wall), _times(one.worked),
        )  # fmt: skip
        for reason, number in one.reasons:
            table.add_row(f"  {reason}", "", "", str(number))
    return table


def _times(taken: Taken) -> str:
    if taken.median is None or taken.p90 is None:
        return ""
    return ", ".join(_short(seconds) for seconds in (taken.median, taken.p90))


def _short(seconds: float) -> str:
    """A length of time to the minute, below a minute to the second."""
    whole = round(seconds) if seconds < 60 else round(seconds / 60) * 60
    short = {" days": "d", " day": "d", " hours": "h", " hour": "h", " minutes": "min", " minute": "min"}
    words = in_words(timedelta(seconds=whole))
    for long, letter in {**short, " seconds": "s", " second": "s"}.items():
        words = words.replace(long, letter)
    return words


def _as_json(days: int, found: Sequence[Outcome], wrong: dict[str, list[str]]) -> str:
    from pydantic_core import to_json

    rows: list[dict[str, Any]] = [
        {**one._asdict(), "precision": one.precision, "wasted": one.wasted, "wall": one.wall._asdict(),
         "worked": one.worked._asdict(), "reasons": dict(one.reasons)}
        for one in found
    ]  # fmt: skip
    return to_json({"days": days, "definitions": rows, "failures": wrong}, indent=2).decode()
