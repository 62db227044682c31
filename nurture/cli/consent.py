"""`nurture consent`: what a lead said yes and no to, with the proof of each answer."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.store import consents
from nurture.store.leads import look_up
from nurture.store.models import ConsentRow
from nurture.topics import ALL


def consent(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every answer a lead gave, with its proof, and which answers hold.

    The proof of an answer is its words, source, time and address, of which a hash is kept: that of the address which took
    mail then. What was said on forms is kept there in full, and `nurture export` gives it out.
    """

    async def work(here: Here) -> tuple[list[ConsentRow], set[int | None]]:
        async with here.store.read() as session:
            row = await look_up(session, lead)
            held = await consents.held_by(session, row.id, here.now)
            return await consents.proofs(session, row.id), {one.id for one in held}

    rows, held = in_store(work)
    if as_json:
        from pydantic_core import to_json

        found = [{**row.model_dump(mode="json"), "holds": row.id in held} for row in rows]
        typer.echo(to_json(found, indent=2).decode())
    else:
        out.print(_table(rows, held) if rows else "nothing said")


def _table(rows: Sequence[ConsentRow], held: set[int | None]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("at", "topic", "answer", "holds"):
        table.add_column(name, no_wrap=True)
    for name in ("until", "source", "words", "address"):
        table.add_column(name, overflow="fold")
    for row in rows:
        topic = "all topics" if row.topic == ALL else row.topic
        until = f"{row.expires_at:%Y-%m-%d}" if row.expires_at is not None else ""
        answer, holds = "yes" if row.granted else "no", "yes" if row.id in held else ""
        at = f"{row.at:%Y-%m-%d %H:%M}"
        table.add_row(at, topic, answer, holds, until, row.source, row.text, row.address_hash[:12])
    return table
