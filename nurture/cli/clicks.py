"""`nurture clicks`: who followed the links in messages, and what a person decides about it."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, in_store, out, user
from nurture.intake import Internal, Recorder
from nurture.intake.clicking import Clicking, Ruling
from nurture.store import clicks as stored
from nurture.store.leads import look_up
from nurture.store.plain import run
from nurture.store.tracking_tables import ClickRow
from nurture.tracking.clicks import TRAP, Sign, Verdict

clicks = typer.Typer(
    help="Links followed in messages, by people or machines: list, rule.", no_args_is_help=True, rich_markup_mode=None,
    add_completion=False,
)  # fmt: skip


@clicks.command("list")
def list_(
    lead: Annotated[str | None, typer.Option(help="Only those of that lead.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only those with that verdict.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="List so many, the newest first.")] = 50,
) -> None:
    """List them, each with its verdict and what that goes by."""

    async def work(here: Here) -> list[ClickRow]:
        async with here.store.read() as session:
            row = await look_up(session, lead) if lead is not None else None
            return await stored.listed(session, row.id if row else None, verdict, limit)

    rows = in_store(work)
    out.print(_table(rows) if rows else "no clicks")


def _table(rows: Sequence[ClickRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("click", "at"):
        table.add_column(name, no_wrap=True)
    for name in ("link", "from", "verdict", "because"):
        table.add_column(name, overflow="fold")
    for row in rows:
        link = "(the one that nobody sees)" if row.link == TRAP else row.url
        because = f"{row.ruled_by} decided so" if row.ruled else Sign(row.sign).words
        table.add_row(row.id, f"{row.at:%Y-%m-%d %H:%M:%S}", link, row.agent, row.verdict, because)
    return table


@clicks.command()
def rule(
    click: Annotated[str, typer.Argument(help="By id, as the list shows it.")],
    verdict: Annotated[Verdict, typer.Argument(help="person or machine.", show_choices=False)],
    by: Annotated[str, typer.Option(help="Who decides; the user of this machine unless given.")] = "",
) -> None:
    """Decide whether a click was a person's; points follow, and journeys hear a click that now counts.

    A branch that was taken already stays taken.
    """
    if verdict is Verdict.WAITING:
        raise typer.BadParameter("say person or machine")

    async def work(here: Here) -> ClickRow:
        recorder = Recorder(catalogue(here.settings), here.settings)
        async with here.store.write() as session:
            found = await stored.get(session, click)
            ruling = Ruling(click=click, verdict=verdict, by=by or user())
            clicking = Clicking(message=found.message_id, ruling=ruling)
            decided = Internal(lead={"id": found.lead_id}, clicks=clicking, source="link")
            await run(session, recorder.record_own, decided, here.now)
            return found

    out.print(f"the click in {in_store(work).url or 'the unseen link'} counts as a {verdict}'s")
