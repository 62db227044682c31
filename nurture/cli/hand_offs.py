"""`nurture hand-offs`: leads with sales, looked at, answered for somebody, or given to somebody else."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.catalogue import Catalogue
from nurture.cli.context import Here, catalogue, in_store, out, user
from nurture.errors import BadInput, NotFound
from nurture.faults import did_you_mean
from nurture.intake import Recorder
from nurture.sales import Answer, Said, a_reason, answer, answered_so
from nurture.settings import read_settings
from nurture.store import hand_offs as stored
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import HandOffRow
from nurture.teams import LEAD, Team

hand_offs = typer.Typer(
    help="Leads with sales: list, show, answer, reassign.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Which = Annotated[str, typer.Argument(metavar="HAND_OFF", help="Its id, or how it begins.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@hand_offs.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="open, accepted, rejected or recycled.")] = None,
    person: Annotated[str | None, typer.Option("--with", help="Only those with that salesperson.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many, the newest.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List leads that were handed to sales, the newest first."""

    async def work(here: Here) -> list[HandOffRow]:
        async with here.store.read() as session:
            return await stored.listed(session, status=status, person=person, limit=limit)

    rows = in_store(work)
    if as_json:
        typer.echo(_as_json([row.model_dump(mode="json", exclude={"dossier", "clock"}) for row in rows]))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("hand-off", no_wrap=True)
    for name in ("lead", "definition", "with", "status", "handed over"):
        table.add_column(name, overflow="fold")
    for row in rows:
        at = f"{row.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            row.id[:12], _who(row), row.definition, row.assigned_to or "the lead of the team", _state(row), at
        )
    out.print(table if rows else "none")


def _who(row: HandOffRow) -> str:
    who: Mapping[str, Any] = row.dossier.get("who", {})
    return str(who.get("email") or row.lead_id)


def _state(row: HandOffRow) -> str:
    if row.status == "open":
        return "open" if row.stage == "assigned" else f"open, {row.stage}"
    return f"{row.status}{f': {row.reason}' if row.reason else ''}"


@hand_offs.command()
def show(which: Which, as_json: AsJson = False) -> None:
    """Show one: who has it and why, all that was done about it, and what sales said."""

    async def work(here: Here) -> tuple[HandOffRow, list[HandOffDeedRow]]:
        async with here.store.read() as session:
            row = await stored.look_up(session, which)
            return row, await stored.deeds(session, row.id)

    row, deeds = in_store(work)
    if as_json:
        about = row.model_dump(mode="json") | {"deeds": [one.model_dump(mode="json") for one in deeds]}
        typer.echo(_as_json(about))
        return
    out.print(f"hand-off {row.id}: {_who(row)}, as {row.definition}", soft_wrap=True, style="bold")
    out.print(f"with {row.assigned_to or 'the lead of the team'} of {row.team}: {row.because}", soft_wrap=True)
    if row.due_at is not None:
        out.print(f"next is done at {row.due_at:%Y-%m-%d %H:%M} UTC", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("at", "what", "whom", "told", "note"):
        table.add_column(name, overflow="fold")
    for one in deeds:
        told = f"{one.told_at:%H:%M:%S}" if one.told_at else "not yet"
        table.add_row(f"{one.at:%Y-%m-%d %H:%M:%S}", one.deed, one.person or "lead of the team", told, one.note)
    out.print(table)
    if row.answered_at is not None:
        out.print(f"it {answered_so(row)}", soft_wrap=True)


@hand_offs.command("answer")
def answer_(
    which: Which,
    accept: Annotated[bool, typer.Option("--accept", help="Sales takes the lead.")] = False,
    reject: Annotated[str | None, typer.Option("--reject", metavar="REASON", help="Sales does not, because.")] = None,
    by: Annotated[str, typer.Option(help="Who says so; you, unless told.")] = "",
) -> None:
    """Answer for somebody who told you; journeys hear it at once."""
    if accept == (reject is not None):
        raise BadInput('say --accept, or --reject "the reason"')
    settings = read_settings()
    known = catalogue(settings)
    said: Answer = "accepted" if accept else "rejected"

    async def work(here: Here) -> tuple[HandOffRow, bool]:
        async with here.store.write() as session:
            row = await stored.look_up(session, which)
            reasons = () if accept else _team(known, here, row).reasons
            words = Said(said, a_reason(reject or "", reasons), by or user(), "cli")
            fresh = await answer(session, Recorder(known, settings), row.id, words, here.now)
            return await stored.get(session, row.id), fresh

    row, fresh = in_store(work)
    out.print(f"hand-off {row.id[:12]} {'' if fresh else 'already '}{answered_so(row)}", soft_wrap=True)


@hand_offs.command()
def reassign(
    which: Which,
    to: Annotated[str, typer.Option(help="The key of the salesperson, or lead for the lead of the team.")],
) -> None:
    """Give one to somebody else, who is told; their time begins anew."""
    known = catalogue(read_settings())

    async def work(here: Here) -> HandOffRow:
        async with here.store.write() as session:
            row, _ = await stored.locked(session, (await stored.look_up(session, which)).id)
            team = _team(known, here, row)
            people = {one.key for one in team.people}
            if to != "lead" and to not in people:
                raise NotFound(f"nobody of {team.key} goes by {to!r}: {did_you_mean(to, [*people, 'lead'])}")
            await stored.put_with(session, row, LEAD if to == "lead" else to, f"by {user()}", here.now)
            return row

    row = in_store(work)
    out.print(f"hand-off {row.id[:12]} is now with {row.assigned_to or 'the lead of the team'}", soft_wrap=True)


def _team(known: Catalogue, here: Here, row: HandOffRow) -> Team:
    return known.team(row.team, here.settings.teams)


def _as_json(value: Any) -> str:
    from pydantic_core import to_json

    return to_json(value, indent=2).decode()
