"""`nurture dead-letters`: what the dispatcher could not do, looked at, tried again or dropped."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeAlias

import structlog
import typer
from rich.table import Table

from nurture.cli.context import Here, counted, in_store, out
from nurture.errors import BadInput
from nurture.logs import set_up_logs
from nurture.store import Session
from nurture.store import dead_letters as stored
from nurture.store.models import DeadLetterRow

Deed: TypeAlias = Callable[[Session, Sequence[DeadLetterRow]], Awaitable[None]]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID...]", help="As nurture dead-letters list shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every one of them.")]

dead_letters = typer.Typer(
    help="What could not be done: list, retry, drop.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
log = structlog.get_logger()


@dead_letters.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="List so many, the oldest first.")] = 50,
    after: Annotated[int, typer.Option(help="Only those after that id.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List what could not be done, with the reason."""

    async def work(here: Here) -> tuple[int, list[DeadLetterRow]]:
        async with here.store.read() as session:
            return await stored.count(session), await stored.after(session, after, limit)

    number, letters = in_store(work)
    if as_json:
        typer.echo(_as_json(number, letters))
    elif not letters:
        out.print("no dead letters" if not number else f"no dead letters after {after}")
    else:
        out.print(_table(letters))
        out.print(f"\n{counted(number, 'dead letter')}; nurture dead-letters retry tries them again", style="dim")


def _table(letters: Sequence[DeadLetterRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", justify="right")
    for name in ("lead", "what", "about"):
        table.add_column(name, overflow="fold")
    table.add_column("at", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for one in letters:
        table.add_row(str(one.id), one.lead_id, one.kind, _about(one), f"{one.at:%m-%d %H:%M}", one.reason)
    return table


def _about(letter: DeadLetterRow) -> str:
    """What it was about, by its names: an event, a campaign, a journey."""
    named = (letter.body.get(name) for name in ("campaign", "journey", "event", "arm"))
    return " ".join(str(one) for one in named if one)


def _as_json(number: int, letters: Sequence[DeadLetterRow]) -> str:
    from pydantic_core import to_json

    return to_json(
        {"count": number, "dead_letters": [one.model_dump(mode="json") for one in letters]}, indent=2
    ).decode()


@dead_letters.command()
def retry(ids: Ids = None, every: All = False) -> None:
    """Put them back into the outbox, each where it stood; see first that their reason is gone."""

    async def work(here: Here) -> int:
        async def again(session: Session, letters: Sequence[DeadLetterRow]) -> None:
            await stored.retry(session, letters, here.now)

        return await _each(here, _asked(ids, every), again, "dead_letter.retried", "")

    number = in_store(work)
    out.print(f"{counted(number, 'dead letter')} to be tried again" if number else "no dead letters")


@dead_letters.command()
def drop(
    ids: Ids = None,
    every: All = False,
    because: Annotated[str, typer.Option(help="The reason, kept in the log.")] = "",
) -> None:
    """Take them away for good, for a reason that is written into the log."""
    if not because.strip():
        raise BadInput('give the reason: --because "the campaign is gone"')

    async def work(here: Here) -> int:
        return await _each(here, _asked(ids, every), stored.drop, "dead_letter.dropped", because.strip())

    number = in_store(work)
    out.print(f"{counted(number, 'dead letter')} dropped" if number else "no dead letters")


def _asked(ids: list[int] | None, every: bool) -> list[int] | None:
    """The ids that were asked for, None for every one."""
    if bool(ids) == every:
        raise BadInput("name the dead letters by their ids, or say --all")
    return ids or None


async def _each(here: Here, ids: list[int] | None, deed: Deed, action: str, because: str) -> int:
    """Do it to those letters, some at a time, and write each into the log; how many there were."""
    set_up_logs()
    done = last = 0
    while True:
        async with here.store.write() as session:
            letters = await (
                stored.after(session, last, stored.MOST_AT_ONCE) if ids is None else stored.named(session, ids)
            )
            await deed(session, letters)
        for one in letters:
            last = one.id or last
            log.info(action, row=one.id, lead=one.lead_id, kind=one.kind, **({"because": because} if because else {}))
        done += len(letters)
        if ids is not None or not letters:
            return done
