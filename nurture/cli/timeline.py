"""`nurture timeline`: all that happened to a lead, in one order."""

from collections.abc import Mapping
from typing import Annotated, Any, assert_never

import typer
from pydantic_core import to_json
from rich.table import Table
from rich.text import Text

from nurture.cli.context import Here, in_store, out
from nurture.store.leads import look_up
from nurture.store.timeline import MOST, Entry, Page
from nurture.store.timeline import timeline as timeline_of


def timeline(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="So many entries.")] = 50,
    before: Annotated[str, typer.Option(help="Those before a page, by what it said at its end.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show all that happened to a lead, the newest first.

    Events, messages, points, journeys entered and ended, hand-offs, consents and merges; times are UTC.
    """

    async def work(here: Here) -> Page:
        async with here.store.read() as session:
            row = await look_up(session, lead)
            return await timeline_of(session, row.id, before or None, limit)

    page = in_store(work)
    if as_json:
        entries = [entry._asdict() for entry in page.entries]
        typer.echo(to_json({"entries": entries, "before": page.before}, indent=2).decode())
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for entry in page.entries:
        table.add_row(
            Text(f"{entry.at:%Y-%m-%d %H:%M}", "dim"), Text(entry.kind.replace("_", "-"), "bold"), told(entry)
        )
    out.print(table if page.entries else "nothing happened to it yet")
    if page.before is not None:
        out.print(f"\nearlier: --before {page.before}", style="dim", soft_wrap=True)


def told(entry: Entry) -> str:
    """An entry in words."""
    about = entry.about
    match entry.kind:
        case "event":
            machine = " (by a machine)" if about["machine"] else ""
            return f"{about['name']}{_properties(about['properties'])}{machine}"
        case "message":
            return f"{about['template']}: {about['status']}{_because(about['reason'])}"
        case "points":
            return f"{about['points']:+g} {about['score']}: {about['rule']}"
        case "consent":
            topic = "all topics" if about["topic"] == "*" else about["topic"]
            return f"{'yes' if about['granted'] else 'no'} to {topic} ({about['source']})"
        case "entered":
            return f"{_campaign(about)} by {about['by']}"
        case "ended":
            return f"{_campaign(about)}: {about['ending']}"
        case "hand_off":
            return f"{about['definition']}: {about['status']}{_because(about['reason'])}"
        case "merge":
            return f"{entry.id} became this lead, by {about['by']}"
    assert_never(entry.kind)


def _properties(given: Mapping[str, Any]) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in given.items())})" if given else ""


def _campaign(about: Mapping[str, Any]) -> str:
    return f"{about['campaign']} for {about['key']}" if about["key"] else str(about["campaign"])


def _because(reason: str) -> str:
    return f", {reason}" if reason else ""
