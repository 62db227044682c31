"""`nurture rewards`: what leads are owed for friends that they brought."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.errors import BadInput
from nurture.store import rewards as stored
from nurture.store.recommendation_tables import RewardRow

STATUSES = ("granted", "voided", "paid")
rewards = typer.Typer(help="Rewards of those who recommend: list, pay.", no_args_is_help=True, rich_markup_mode=None)


@rewards.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only granted, voided or paid ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="List so many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the rewards."""
    if status is not None and status not in STATUSES:
        raise BadInput(f"--status {status!r} is none: there are {', '.join(STATUSES)}")

    async def work(here: Here) -> Sequence[RewardRow]:
        async with here.store.read() as session:
            return await stored.listed(session, status, limit)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one.model_dump(mode="json") for one in found], indent=2).decode())
    elif not found:
        out.print("no rewards")
    else:
        out.print(_table(found))


def _table(found: Sequence[RewardRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    for name in ("reward", "to", "for"):
        table.add_column(name, overflow="fold")
    table.add_column("worth", justify="right", no_wrap=True)
    for name in ("status", "at"):
        table.add_column(name, no_wrap=True)
    table.add_column("note", overflow="fold")
    for one in found:
        worth = f"{one.amount} {one.currency}" if one.amount is not None else f"{one.points} points"
        at = f"{one.granted_at:%Y-%m-%d}"
        table.add_row(one.id, one.reward, one.referrer_id, one.friend_id, worth, one.status, at, one.reason)
    return table


@rewards.command()
def pay(reward: Annotated[str, typer.Argument(help="By id, as the list shows it.")]) -> None:
    """Note that a reward is paid out; a refund after that leaves it so."""

    async def work(here: Here) -> RewardRow:
        async with here.store.write() as session:
            return await stored.pay(session, reward, here.now)

    out.print(f"paid: {in_store(work).reward}")
