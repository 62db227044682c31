"""`nurture unknown`: messages of which nobody knows whether they were sent, and what a person found out about one."""

from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.errors import BadInput
from nurture.ledger import Status
from nurture.store import messages
from nurture.store.models import MessageRow

unknown = typer.Typer(
    help="Messages handed over without an answer: list, settle.", no_args_is_help=True, rich_markup_mode=None,
    add_completion=False,
)  # fmt: skip


@unknown.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, help="List so many, the oldest first.")] = 50) -> None:
    """List them, each with the Message-ID by which the provider knows it."""

    async def work(here: Here) -> list[MessageRow]:
        async with here.store.read() as session:
            return await messages.unknown_ones(session, limit)

    rows = in_store(work)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("message", no_wrap=True, min_width=32)
    for name in ("template", "Message-ID", "handed over", "why"):
        table.add_column(name, overflow="fold")
    for row in rows:
        at = f"{row.committed_at:%Y-%m-%d %H:%M}" if row.committed_at else ""
        table.add_row(row.id, row.template, row.message_id, at, row.reason)
    out.print(table if rows else "no message is in doubt")


@unknown.command()
def settle(
    message: Annotated[str, typer.Argument(help="As nurture unknown list shows it.")],
    sent: Annotated[bool | None, typer.Option("--sent/--never-sent", help="What the provider's own log says.")] = None,
    because: Annotated[str, typer.Option(help="Where that is known from, kept with the message.")] = "",
) -> None:
    """Write down what became of a message; nothing is sent by it."""
    if sent is None or not because.strip():
        raise BadInput('say --sent or --never-sent, and where it is known from: --because "the relay\'s log"')

    async def work(here: Here) -> None:
        status = Status.ACCEPTED if sent else Status.REJECTED
        async with here.store.write() as session:
            await messages.settle(session, message, status, because.strip(), here.now)

    in_store(work)
    out.print(f"message {message} {'was sent' if sent else 'was never sent'}")
