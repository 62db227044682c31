"""`nurture duplicates`: leads that may be one person."""

from typing import Annotated

import typer
from pydantic_core import to_json
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.duplicates import Pair
from nurture.store.duplicates import duplicates as look_for
from nurture.store.leads import get


def duplicates(
    at_least: Annotated[float, typer.Option(min=0, max=100, help="Only pairs so much alike, of 100.")] = 85,
    limit: Annotated[int, typer.Option(min=1, help="So many pairs, the likest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; leads by their id.")] = False,
) -> None:
    """Suggest leads that may be one person, with the reason.

    Names, companies, addresses and phone numbers are compared. Nothing is merged: that does nurture merge KEEP GONE.
    """

    async def work(here: Here) -> tuple[list[Pair], dict[str, str]]:
        async with here.store.read() as session:
            found = await look_for(session, at_least, limit)
            shown = [] if as_json else sorted({lead_id for pair in found for lead_id in pair[:2]})
            return found, {one: (await get(session, one)).email or one for one in shown}

    found, names = in_store(work)
    if as_json:
        typer.echo(to_json([pair._asdict() for pair in found], indent=2).decode())
        return
    if not found:
        out.print("no two leads are so much alike")
        return
    table = Table("alike", "one", "other", "why", box=None, pad_edge=False, header_style="bold")
    for pair in found:
        table.add_row(f"{pair.likeness:g}", names[pair.one], names[pair.other], ", ".join(pair.reasons))
    out.print(table)
