"""Operating: pause, resume, stop, remove, and API keys."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import fail, now, out, with_store
from nurture.pace import UNITS
from nurture.settings import Settings
from nurture.store import Store, api_keys, campaigns, journeys
from nurture.store.leads import look_up


def pause(campaign: str) -> None:
    """Hold all journeys of a campaign where they are; nobody is dropped."""

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            new = await campaigns.pause(session, campaign, now())
        out.print(f"{campaign} is paused" if new else f"{campaign} was paused already")

    with_store(work)


def resume(campaign: str, over: Annotated[str, typer.Option(help="Spread over that long: 10m.")] = "0s") -> None:
    """Let a paused campaign go on."""
    try:
        seconds = float(over[:-1]) * UNITS[over[-1]]
    except (ValueError, KeyError, IndexError):
        fail(f"--over {over!r} cannot be read: write 10m")

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            held = await campaigns.resume(session, campaign, now(), seconds)
        out.print(f"{campaign} goes on; {held} journeys were held")

    with_store(work)


def stop(journey: str, because: Annotated[str, typer.Option(help="The reason, kept with the journey.")]) -> None:
    """Take a lead out of one journey; no automatic entry puts it back."""

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            await journeys.stop(session, journey, because, now())
        out.print(f"journey {journey} is to stop")

    with_store(work)


def remove(lead: str, because: str = "removed") -> None:
    """Take a lead out of all its journeys."""

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            count = await journeys.remove_lead(session, (await look_up(session, lead)).id, because, now())
        out.print(f"{count} journeys are to stop")

    with_store(work)


def make_key(name: str, scope: Annotated[list[str], typer.Option(help=", ".join(api_keys.SCOPES))]) -> None:
    """Make an API key; it is shown this once."""

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            typer.echo(await api_keys.make_key(session, name, scope, now()))

    with_store(work)


def keys() -> None:
    """List the API keys."""

    async def work(store: Store, _: Settings) -> None:
        table = Table("id", "name", "scopes", "made", "revoked", box=None, header_style="bold")
        async with store.read() as session:
            for row in await api_keys.all_keys(session):
                table.add_row(
                    row.id,
                    row.name,
                    " ".join(row.scopes),
                    f"{row.created_at:%Y-%m-%d}",
                    "yes" if row.revoked_at else "",
                )
        out.print(table)

    with_store(work)


def revoke_key(key_id: str) -> None:
    """End an API key."""

    async def work(store: Store, _: Settings) -> None:
        async with store.write() as session:
            await api_keys.revoke(session, key_id, now())
        out.print(f"key {key_id} is revoked")

    with_store(work)


commands: list[Callable[..., None] | tuple[str, Callable[..., None]]] = [
    pause, resume, stop, remove, ("make-key", make_key), keys, ("revoke-key", revoke_key),
]  # fmt: skip
