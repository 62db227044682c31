"""`nurture report campaign`: what came of a campaign, state by state."""

from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, moment, out
from nurture.store import campaigns
from nurture.store.campaign_report import Count, counts, share


def campaign(
    key: Annotated[str, typer.Argument(help="The campaign by its key.")],
    since: Annotated[str, typer.Option(help="Entered since a day (2026-01-31), or so long ago (30d).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell of each state who came, what they were sent and did there, who went to sales, and how it ended."""

    async def work(here: Here) -> list[Count]:
        async with here.store.read() as session:
            version = await campaigns.current(session, key)
            return await counts(session, version.campaign, moment(since, "--since", here.now) if since else None)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([{**one._asdict(), "share": share(one, found)} for one in found], indent=2).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("state", "what"):
        table.add_column(name, overflow="fold")
    for name in ("journeys", "of those entered"):
        table.add_column(name, justify="right")
    last = ""
    for one in found:
        part = share(one, found)
        table.add_row(
            one.state if one.state != last else "",
            one.what,
            f"{one.journeys:,}",
            "-" if part is None else f"{part:.0%}",
        )
        last = one.state
    out.print(table)
