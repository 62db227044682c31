"""`nurture export` and `nurture erase`: what is known of a lead, given out or taken away."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from nurture.cli.context import Here, counted, in_store, out, user, write
from nurture.store.erasure import Erased
from nurture.store.erasure import erase as erase_lead
from nurture.store.export import Document
from nurture.store.export import export as export_lead
from nurture.store.leads import look_up


def export(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there, not to the screen.")
    ] = None,
) -> None:
    """Give out all that is known of a lead, as JSON.

    Its shape is described in docs/how-to/personal-data.md.
    """

    async def work(here: Here) -> Document:
        async with here.store.read() as session:
            row = await look_up(session, lead)
            return await export_lead(session, row.id, here.now)

    text = to_json(in_store(work), indent=2).decode()
    if file is None:
        typer.echo(text)
    else:
        write(file, text + "\n")
        out.print(f"written to {file}")


def erase(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who erases; the user of this machine unless given.")] = "",
) -> None:
    """Erase a lead for good: all its rows, its journeys and their histories.

    Its address stays suppressed, as a hash, and is not imported again. The histories are deleted by a worker, soon after.
    """
    if not yes:
        typer.confirm(f"Erase all that is known of {lead}? There is no way back", abort=True)

    async def work(here: Here) -> Erased:
        async with here.store.write() as session:
            row = await look_up(session, lead)
            return await erase_lead(session, row.id, by or user(), here.now)

    done = in_store(work)
    histories = f"; {counted(done.journeys, 'journey')} to be deleted by the worker" if done.journeys else ""
    out.print(f"erased: {counted(done.rows, 'row')}{histories}")
