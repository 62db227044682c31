"""`nurture report content`: which stages, objections and trust the messages speak to."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import catalogue, out
from nurture.content import TRUSTS, Coverage, Piece, coverage
from nurture.linting import letters_of
from nurture.message_variables import EVERY, usual
from nurture.settings import read_settings
from nurture.templates import Templates


def content(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Tell which stages of the life cycle have content, which objections it answers, and what it makes for trust in.

    By the tags at the heads of messages; notices to the team and documents are left out. Below stands what is missing:
    stages without content, messages without tags, and messages with tags that nobody sends.
    """
    settings = read_settings()
    templates = Templates([settings.templates], settings.language)
    senders = {template: tuple(sorted(letter.senders)) for template, letter in letters_of(catalogue(settings)).items()}
    keys = [key for key in templates.keys() if usual(key) is EVERY]  # noqa: SIM118  # it is no mapping
    pieces = [Piece(key, templates.tags(key), senders.get(key, ())) for key in keys]
    covered, gaps = coverage(pieces), _gaps(pieces)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json({"stages": [one._asdict() for one in covered], **gaps}, indent=2).decode())
        return
    out.print(_table(covered))
    bare = [one.stage for one in covered if not one.messages]
    for told, names in (("stages without content", bare), *((name.replace("_", " "), gaps[name]) for name in gaps)):
        if names:
            out.print(f"{told}: {', '.join(names)}", soft_wrap=True, style="yellow")


def _gaps(pieces: Sequence[Piece]) -> dict[str, list[str]]:
    return {
        "messages_without_a_stage": [one.template for one in pieces if not one.tags.stage],
        "messages_that_nobody_sends": [one.template for one in pieces if one.tags.stage and not one.campaigns],
    }


def _table(covered: Sequence[Coverage]) -> Table:
    objections = list(covered[0].objections)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage", no_wrap=True)
    for name in ("messages", *objections, *(f"trust in the {one}" for one in TRUSTS)):
        table.add_column(name, justify="right")
    table.add_column("sent by", overflow="fold")
    for one in covered:
        cells = (*one.objections.values(), *one.trust.values())
        figures = (f"{len(cell)}" if cell else "-" for cell in (one.messages, *cells))
        table.add_row(one.stage, *figures, ", ".join(one.campaigns))
    return table
