"""`nurture retarget`: leads as advertising networks take them, hashed; how the lists stand, and files of them."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, counted, err, in_store, out, write
from nurture.errors import BadInput, NotFound
from nurture.faults import did_you_mean
from nurture.retargeting.files import Person, lines
from nurture.retargeting.networks import KINDS, NETWORKS, KindOfKey
from nurture.settings import read_settings
from nurture.store.retargets import Standing, page, standings

retarget = typer.Typer(
    help="Lists for advertising networks: list, export.", no_args_is_help=True, rich_markup_mode=None
)


@retarget.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List what the networks have of each list that is kept in step, and what is on its way there and out."""
    declared = catalogue(read_settings()).retargets

    async def work(here: Here) -> list[Standing]:
        async with here.store.read() as session:
            return await standings(session)

    found = in_store(work)
    there = {(one.retarget, one.network) for one in found}
    found += [
        Standing(key, network, 0, 0, 0, "" if one.hook else "no hook: files only")
        for key, one in declared.items()
        for network in one.networks
        if (key, network) not in there
    ]
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one._asdict() for one in sorted(found)], indent=2).decode())
    elif not found:
        out.print("no lists: declare a Retarget")
    else:
        out.print(_table(sorted(found), {*declared}))


def _table(found: list[Standing], declared: set[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("list", "network"):
        table.add_column(name, no_wrap=True)
    for name in ("there", "to add", "to remove"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for one in found:
        note = one.trouble if one.retarget in declared else "no longer declared: nobody keeps it in step"
        table.add_row(one.retarget, one.network, *(f"{number:,}" for number in one[2:5]), note)
    return table


@retarget.command()
def export(
    key: Annotated[str, typer.Argument(help="A Retarget by its key.")],
    network: Annotated[str, typer.Option("--for", help=f"Whose format: {', '.join(NETWORKS)}.")],
    only: Annotated[str, typer.Option(help="email or phone alone; VK takes one of them at a time.")] = "",
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Into that file; to the screen unless given.")] = None,
) -> None:
    """Write the list as the network takes it: hashed, and of those alone who agreed and have not left.

    A file is a copy: who leaves after that is only taken off by the next one.
    """
    if network not in NETWORKS:
        raise BadInput(f"--for {network!r} is no network: there are {', '.join(NETWORKS)}")
    kinds = [kind for kind in KINDS if only in ("", kind)]
    wanted = NETWORKS[network]
    if not kinds or (not wanted.columns and len(kinds) > 1):
        raise BadInput(f"--only {only!r}: say email or phone" + ("" if wanted.columns else ", one file for each"))
    text, left_out = _exported(key, network, kinds)
    if to is None:
        typer.echo(text, nl=False)
    else:
        write(to, text)
    people = text.count("\n") - bool(wanted.columns)
    reasons = "".join(f"\nleft out: {number:,} ({reason})" for reason, number in left_out.most_common())
    few = f"\n{network} asks for at least {wanted.least:,}" if people < wanted.least else ""
    err.print(f"{counted(people, 'line')}{few}{reasons}", soft_wrap=True)


def _exported(key: str, network: str, kinds: list[KindOfKey]) -> tuple[str, Counter[str]]:
    """The file, and why leads of the audience are not in it."""

    async def work(here: Here) -> tuple[list[Person], Counter[str]]:
        known = catalogue(here.settings)
        if key not in known.retargets:
            raise NotFound(f"there is no Retarget {key!r}: {did_you_mean(key, known.retargets)}")
        declared = known.retargets[key]
        audience = known.audiences[declared.audience]
        people: list[Person] = []
        left_out: Counter[str] = Counter()
        cursor, exhausted = "", False
        async with here.store.read() as session:
            while not exhausted:
                found = await page(session, declared, audience, cursor, here.now)
                people += found.people
                left_out += found.left_out
                cursor, exhausted = found.cursor, found.exhausted
        return people, left_out

    people, left_out = in_store(work)
    return "".join(f"{line}\n" for line in lines(NETWORKS[network], people, kinds)), left_out
