"""`nurture tasks`: what journeys gave to people to do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out, user
from nurture.store import tasks as stored
from nurture.store.models import RequestRow

tasks = typer.Typer(help="Tasks that journeys gave to people: list, done.", no_args_is_help=True, rich_markup_mode=None)


@tasks.command("list")
def list_(
    team: Annotated[str | None, typer.Option(help="Only those of that team.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose time has passed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="List so many, the one due first first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the tasks that are not done."""

    async def work(here: Here) -> tuple[datetime, list[RequestRow]]:
        async with here.store.read() as session:
            return here.now, await stored.listed(session, team, limit=limit)

    now, found = in_store(work)
    found = [one for one in found if not overdue or (one.due_at is not None and one.due_at <= now)]
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one.model_dump(mode="json") for one in found], indent=2).decode())
    elif not found:
        out.print("no tasks")
    else:
        out.print(_table(found, now))


def _table(found: Sequence[RequestRow], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    for name in ("task", "team", "lead"):
        table.add_column(name, overflow="fold")
    table.add_column("due", no_wrap=True)
    for one in found:
        late = " (overdue)" if one.due_at is not None and one.due_at <= now else ""
        due = f"{one.due_at:%Y-%m-%d %H:%M}{late}" if one.due_at is not None else ""
        table.add_row(one.id, str(one.body.get("title", "")), str(one.body.get("team", "")), one.lead_id, due)
    return table


@tasks.command()
def done(
    task: Annotated[str, typer.Argument(help="By id, as the list shows it.")],
    by: Annotated[str, typer.Option(help="Who did it; the user of this machine unless given.")] = "",
) -> None:
    """Note that a task is done; its lead's journeys hear it as `task_done`."""

    async def work(here: Here) -> RequestRow:
        async with here.store.write() as session:
            return await stored.done(session, task, by or user(), here.now)

    out.print(f"done: {in_store(work).body.get('title', '')}")
