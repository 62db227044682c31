"""`nurture keys`: the API keys of other systems."""

from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.store import api_keys
from nurture.store.models import ApiKeyRow

keys = typer.Typer(
    help="API keys: make, list, revoke.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@keys.command()
def make(
    name: Annotated[str, typer.Argument(help="Whose it is: shop.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do, each once: {', '.join(api_keys.SCOPES)}.")],
) -> None:
    """Make a key; it is shown this once."""

    async def work(here: Here) -> str:
        async with here.store.write() as session:
            return await api_keys.make_key(session, name, scope, here.now)

    typer.echo(in_store(work))


@keys.command("list")
def list_() -> None:
    """List the keys, without their secrets."""

    async def work(here: Here) -> list[ApiKeyRow]:
        async with here.store.read() as session:
            return await api_keys.all_keys(session)

    table = Table("id", "name", "scopes", "made", "revoked", box=None, header_style="bold", pad_edge=False)
    rows = in_store(work)
    for row in rows:
        revoked = f"{row.revoked_at:%Y-%m-%d}" if row.revoked_at else ""
        table.add_row(row.id, row.name, " ".join(row.scopes), f"{row.created_at:%Y-%m-%d}", revoked)
    out.print(table if rows else "no keys yet: nurture keys make NAME --scope events:write")


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As nurture keys list shows it.")]) -> None:
    """End a key."""

    async def work(here: Here) -> None:
        async with here.store.write() as session:
            await api_keys.revoke(session, key_id, here.now)

    in_store(work)
    out.print(f"key {key_id} is revoked")
