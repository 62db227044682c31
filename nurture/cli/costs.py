"""`nurture costs`: what sources cost, from a CSV file."""

from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from nurture.arrivals import channel_named, clean
from nurture.cli.context import Here, counted, in_store, out
from nurture.cli.sheet import Row, Sheet, read_sheet
from nurture.errors import BadInput
from nurture.store.capture_tables import CostRow
from nurture.store.costs import KEY, note

NEEDED, MORE = ("day", "channel", "amount"), ("placement", "creative", "offer")
ALSO_KNOWN_AS = {"date": "day", "cost": "amount", "spent": "amount", "utm_source": "channel", "utm_campaign": "placement",
                 "utm_content": "creative"}  # fmt: skip
WAYS_TO_WRITE_A_DAY = ("%Y-%m-%d", "%d.%m.%Y")

costs = typer.Typer(
    help="What sources cost: import.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@costs.callback()
def family() -> None:
    """Let `import` be a command of its own."""


@costs.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="With day, channel, amount; placement, creative, offer.")
    ],
    encoding: Annotated[str, typer.Option(help="Of the file; found out unless given.")] = "",
) -> None:
    """Import what sources cost on each day; a second run changes nothing, and a corrected file puts it right.

    All of the file is taken, or nothing: a line that cannot be used is told.
    """
    rows = costs_of(read_sheet(file, encoding), file.name)

    async def work(here: Here) -> None:
        async with here.store.write() as session:
            await note(session, rows)

    in_store(work)
    total = sum(row.amount for row in rows)
    out.print(f"{counted(len(rows), 'cost')} of {total:,.2f} in all", style="bold")


def costs_of(sheet: Sheet, file: str) -> list[CostRow]:
    """The costs of a file, those of the same day and source as one; every line that cannot be used is named."""
    names = {column: ALSO_KNOWN_AS.get(column.lower(), column.lower()) for column in sheet.columns}
    if missing := [name for name in NEEDED if name not in names.values()]:
        raise BadInput(f"{file}:1: there is no column {missing[0]}: give {', '.join((*NEEDED, *MORE))}")
    found: dict[tuple[object, ...], CostRow] = {}
    faults: list[str] = []
    for row in sheet.rows():
        try:
            cost = _cost(row, names)
        except BadInput as error:
            faults.append(f"{file}:{row.line}: {error}")
            continue
        before = found.setdefault(tuple(getattr(cost, name) for name in KEY), cost)
        if before is not cost:
            before.amount = round(before.amount + cost.amount, 2)
    if faults:
        raise BadInput("\n".join(faults))
    return list(found.values())


def _cost(row: Row, names: dict[str, str]) -> CostRow:
    if row.fault:
        raise BadInput(row.fault)
    cells = {names[column]: value.strip() for column, value in row.cells.items()}
    channel = channel_named(cells.get("channel", ""))
    if not channel:
        raise BadInput("channel: is missing")
    words = {name: clean(cells.get(name, "")) for name in MORE}
    return CostRow(day=_day(cells.get("day", "")), channel=channel, amount=_amount(cells.get("amount", "")), **words)


def _day(text: str) -> date:
    for written in WAYS_TO_WRITE_A_DAY:
        try:
            return datetime.strptime(text, written).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    raise BadInput(f"day: {text!r} is none: write 2026-11-23")


def _amount(text: str) -> float:
    digits = "".join(text.split()).replace(",", ".")
    try:
        amount = float(digits)
    except ValueError:
        amount = -1
    if not isfinite(amount) or amount < 0 or "_" in digits:
        raise BadInput(f"amount: {text!r} is none: write 1200 or 1200.50")
    return round(amount, 2)
