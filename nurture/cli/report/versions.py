"""`nurture report versions`: the numbers of each version of a campaign, before a change and after it."""

from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.store import campaigns
from nurture.store.version_report import Numbers, numbers

COUNTS = ("entered", "goal", "ended", "messages", "clicked", "unsubscribed", "complained")


def versions(
    campaign: Annotated[str, typer.Argument(help="By its key.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell of each version of a campaign what became of its journeys and messages.

    Clicks, unsubscriptions and complaints are messages that people answered so. Test leads and hold-outs are left out.
    """

    async def work(here: Here) -> list[Numbers]:
        async with here.store.read() as session:
            await campaigns.current(session, campaign)
            return await numbers(session, campaign)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one._asdict() for one in found], indent=2).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("version", "published", "by"):
        table.add_column(name, no_wrap=True)
    for name in COUNTS:
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        shares = [_share(one, name) for name in COUNTS]
        table.add_row(f"{one.number} {one.hash[:8]}", f"{one.published_at:%Y-%m-%d}", one.published_by, *shares)
    out.print(table)


def _share(one: Numbers, name: str) -> str:
    """A count, and its part of the journeys or of the messages."""
    number = int(getattr(one, name))
    whole = {"goal": one.entered, "ended": one.entered, "entered": 0, "messages": 0}.get(name, one.messages)
    return f"{number:,} ({number / whole:.0%})" if whole else f"{number:,}"
