"""`nurture merge`: two leads that are one person."""

from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, counted, in_store, out, user
from nurture.intake import Recorder
from nurture.intake.merging import Merged
from nurture.intake.merging import merge as merge_leads


def merge(
    keep: Annotated[str, typer.Argument(help="The lead to keep: by id, address, external id or phone.")],
    gone: Annotated[str, typer.Argument(help="The other one, whose history it is given.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would come of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who merges; the user of this machine unless given.")] = "",
) -> None:
    """Make two leads one; the history of both is kept.

    The newest value of each field wins, points add up to what one lead would have got, tags are joined, the no of either
    holds. The id of the lead that is gone goes on to mean the one that is kept. There is no way back.
    """

    async def work(here: Here) -> Merged:
        recorder = Recorder(catalogue(here.settings), here.settings)
        return await merge_leads(here.store, recorder, keep, gone, by=by or user(), now=here.now, rehearse=dry_run)

    if not dry_run and not yes:
        typer.confirm(f"Merge {gone} into {keep}? There is no way back", abort=True)
    merged = in_store(work)
    out.print(f"{merged.gone} {'would become' if dry_run else 'is now'} {merged.kept}", style="bold", soft_wrap=True)
    out.print(_told(merged))


def _told(merged: Merged) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    about = {
        "changed": ", ".join(key.partition(".")[2] for key in merged.changed),
        "stage": merged.stage,
        "scores": ", ".join(f"{name} {points:g}" for name, points in merged.scores.items()),
        "refused": ", ".join("all topics" if topic == "*" else topic for topic in merged.refused),
        "journeys": _journeys(merged),
        "rows moved": f"{merged.rows:,}",
    }
    for name, value in about.items():
        if value:
            table.add_row(name, value)
    return table


def _journeys(merged: Merged) -> str:
    if not merged.journeys:
        return ""
    ends = (
        f"; {counted(len(merged.ended), 'journey')} to be ended, as both were in the campaign" if merged.ended else ""
    )
    return f"{counted(len(merged.journeys), 'journey')} of the other go on under it{ends}"
