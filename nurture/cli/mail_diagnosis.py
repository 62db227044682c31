"""What receivers make of our mail, looked at and shown."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import typer
from rich.table import Table
from rich.text import Text

from nurture.cli.context import catalogue, out
from nurture.deliverability.examination import Examination
from nurture.deliverability.line import Line, Verdict
from nurture.deliverability.relay import look
from nurture.deliverability.resolver import Resolved
from nurture.settings import read_settings

COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAULT: "bold red", Verdict.UNASKED: "red"}


def examined(sender: str | None) -> list[Line]:
    """The examination of all that is sent here, or of that one address."""
    settings = read_settings()
    relay = partial(look, settings.smtp_host, settings.smtp_port, at_once=settings.smtp_security == "tls")
    examination = Examination(settings, catalogue(settings), Resolved(), relay, datetime.now(UTC))
    return asyncio.run(examination.lines(sender))


def show(lines: Sequence[Line], *, as_json: bool) -> None:
    """Show it as a table with the records to publish below it, or for programs."""
    if as_json:
        typer.echo(_as_json(lines))
        return
    table = Table("check", "of", "", box=None, pad_edge=False, header_style="bold")
    table.add_column("what was seen", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for line in lines:
        table.add_row(line.check, line.about, Text(line.verdict, COLOURS[line.verdict]), line.seen, line.remedy)
    out.print(table)
    for record in dict.fromkeys(line.record for line in lines if line.record):
        out.print(Text("\nto publish: ", "bold"), end="")
        out.print(record, soft_wrap=True)


def _as_json(lines: Sequence[Line]) -> str:
    from pydantic_core import to_json

    told = [line._asdict() for line in lines]
    return to_json({"well": not any(line.grave for line in lines), "lines": told}, indent=2).decode()
