"""`nurture report stages` and `rfm`: the control points of the life cycle, and how customers buy."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, counted, in_store, moment, out, seconds
from nurture.errors import BadInput
from nurture.rfm import Rfm
from nurture.stages import VIEWS
from nurture.store import rfm as customers
from nurture.store.stage_report import ControlPoint, control_points

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def stages(
    view: Annotated[str, typer.Option(help=f"Which names the road goes by: {', '.join(VIEWS)}.")] = "life-cycle",
    since: Annotated[
        str, typer.Option(help="Count stays that began since a day (2026-01-31), or so long ago (30d).")
    ] = "",
    stuck: Annotated[str, typer.Option(help="Who has not moved for so long drops off.")] = "30d",
    as_json: Json = False,
) -> None:
    """Tell of each stage how many are in it, come to it, go on, stay how long, and drop off."""
    if view not in VIEWS:
        raise BadInput(f"--view {view!r} is none: there are {', '.join(VIEWS)}")

    async def work(here: Here) -> list[ControlPoint]:
        begin = moment(since, "--since", here.now) if since else None
        quiet = timedelta(seconds=seconds(stuck, "--stuck"))
        async with here.store.read() as session:
            return await control_points(session, here.now, view=view, since=begin, stuck=quiet)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([{**one._asdict(), "conversion": one.conversion} for one in found], indent=2).decode())
    else:
        out.print(_stages(found, stuck))


def _stages(found: Sequence[ControlPoint], stuck: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage", no_wrap=True)
    for name in ("now", "came", "went on", "conversion", "median stay", f"not moved for {stuck}"):
        table.add_column(name, justify="right")
    for one in found:
        share = f"{one.conversion:.0%}" if one.conversion is not None else "-"
        stay = f"{one.median_days:.1f} days" if one.median_days is not None else "-"
        figures = (f"{figure:,}" for figure in (one.now, one.came, one.went_on))
        table.add_row(one.stage, *figures, share, stay, f"{one.stuck:,}")
    return table


def rfm(as_json: Json = False) -> None:
    """Tell how recently, how often and for how much customers buy, each from 1 to 5 among all of them."""

    async def work(here: Here) -> dict[str, Rfm]:
        async with here.store.read() as session:
            return await customers.ratings(session, here.now)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json({lead_id: one._asdict() for lead_id, one in found.items()}, indent=2).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rating", no_wrap=True)
    for at in range(5, 0, -1):
        table.add_column(str(at), justify="right")
    for name in Rfm._fields:
        counts = Counter(getattr(one, name) for one in found.values())
        table.add_row(name, *(f"{counts[at]:,}" for at in range(5, 0, -1)))
    out.print(table if found else "no customers")
    out.print(f"\n{counted(len(found), 'customer')}; 5 is best", style="dim")
