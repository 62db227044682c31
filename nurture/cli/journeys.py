"""Journeys, by campaign and by lead: counted, entered, held, let go, ended."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, counted, in_store, out, seconds
from nurture.errors import BadInput, Refused
from nurture.faults import did_you_mean
from nurture.pace import speed as factor
from nurture.store import Session, campaigns, outbox
from nurture.store import journeys as stored
from nurture.store.journeys import Count
from nurture.store.leads import look_up
from nurture.store.models import JourneyRow, LeadRow, OutboxRow

SHOWN = 8
"""So many characters of a journey's id are shown in lists, and do to name it."""

STATUSES = ("starting", "active", "held", "ended", "holdout")


def journeys(
    campaign: Annotated[str | None, typer.Option(help="Only those of that campaign.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in that state.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only those that are so: {', '.join(STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="List so many, those that moved last.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; leads by their id.")] = False,
) -> None:
    """Count and list journeys."""
    if status is not None and status not in STATUSES:
        raise BadInput(f"no journey is {status!r}: {did_you_mean(status, STATUSES)}")

    async def work(here: Here) -> tuple[list[Count], list[tuple[JourneyRow, str | None, int]]]:
        async with here.store.read() as session:
            if campaign is not None:
                await campaigns.current(session, campaign)
            counts = await stored.counts(session, campaign)
            rows = await stored.newest(session, campaign, state, status, limit)
            numbers = await campaigns.numbers(session, {row.version for row, _ in rows})
        wanted = [one for one in counts if state in (None, one.state) and status in (None, one.status)]
        return wanted, [(row, email, numbers[row.version]) for row, email in rows]

    counts, listed = in_store(work)
    if as_json:
        typer.echo(_as_json(counts, [(row, number) for row, _, number in listed]))
    elif not counts:
        out.print("no such journeys" if campaign or state or status else "no journeys yet")
    else:
        out.print(_counts(counts))
        if listed:
            out.print()
            out.print(_list(listed))


def _counts(counts: Sequence[Count]) -> Table:
    table = Table("campaign", "status", "state", box=None, header_style="bold", pad_edge=False)
    table.add_column("journeys", justify="right")
    for one in counts:
        table.add_row(one.campaign, one.status, one.state, f"{one.journeys:,}")
    table.add_row("", "", "all", f"{sum(one.journeys for one in counts):,}", style="bold")
    return table


def _list(listed: Sequence[tuple[JourneyRow, str | None, int]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("journey", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("lead", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("campaign", no_wrap=True)
    table.add_column("where it stands", overflow="fold")
    for row, email, number in listed:
        campaign = f"{row.campaign} {number}" + (f" [{row.key}]" if row.key else "")
        table.add_row(row.id[:SHOWN], f"{row.updated_at:%m-%d %H:%M}", email or row.lead_id, campaign, _place(row))
    return table


def _place(row: JourneyRow) -> str:
    where = row.ending or "" if row.status == "ended" else row.state
    how = "" if row.status in ("ended", "active") else f", {row.status}"
    until = f", until {row.until:%Y-%m-%d %H:%M}" if row.until and row.status != "ended" else ""
    return f"{where}{how}{until}"


def _as_json(counts: Sequence[Count], listed: Sequence[tuple[JourneyRow, int]]) -> str:
    from pydantic_core import to_json

    fields = {"id", "lead_id", "campaign", "version", "key", "run", "status", "state", "until", "ending", "goal_at"}
    fields |= {"pace", "entered", "entered_by", "updated_at", "ended_at"}
    rows = [row.model_dump(mode="json", include=fields) | {"number": number} for row, number in listed]
    return to_json({"counts": [one._asdict() for one in counts], "journeys": rows}, indent=2).decode()


def enrol(
    campaign: Annotated[str, typer.Argument(help="The campaign's key.")],
    leads: Annotated[
        list[str] | None, typer.Argument(metavar="[LEAD]...", help="By id, address, external id or phone.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Instead of leads: everybody in that audience, page by page.")] = "",
    rate: Annotated[str, typer.Option(help="With --audience: so many leads at the most, as 50/s or 5000/h.")] = "",
    key: Annotated[
        str, typer.Option(help="What the journey is for, where a campaign has one for each of something.")
    ] = "",
    speed: Annotated[str, typer.Option(help="1d=1s: a day lasts a second; for development and test leads.")] = "",
) -> None:
    """Enter leads into a campaign by hand.

    Its rules of re-entry hold, but who was taken out by a person may be put back in by a person, though not with a whole
    audience.
    """
    if bool(leads) == bool(audience) or (audience and (key or speed)) or (rate and not audience):
        raise BadInput("name either leads, with --key and --speed, or an --audience, with --rate")
    if audience:
        from nurture.cli.bulk import enrol_audience

        enrol_audience(campaign, audience, rate)
        return
    if speed:
        factor(speed)

    async def work(here: Here) -> int:
        async with here.store.write() as session:
            await campaigns.current(session, campaign)
            rows = {row.id: row for row in [await look_up(session, one) for one in leads or ()]}
            if speed and here.settings.environment != "development":
                _only_test_leads(list(rows.values()))
            body = {"campaign": campaign, "key": key, "by": "by hand", "manual": True, "speed": speed or None}
            orders = [
                OutboxRow(lead_id=lead_id, kind="enrol", body=body, due_at=here.now, created_at=here.now)
                for lead_id in rows
            ]
            await outbox.put(session, orders)
            return len(orders)

    number = in_store(work)
    out.print(f"{counted(number, 'lead')} to be entered into {campaign}; nurture why LEAD tells what became of it")


def _only_test_leads(leads: Sequence[LeadRow]) -> None:
    real = [lead for lead in leads if not lead.test]
    if real:
        raise Refused(f"--speed is for development and for test leads, and {real[0].id} is none: leave --speed out")


def pause(campaign: Annotated[str, typer.Argument(help="The campaign's key.")]) -> None:
    """Hold a campaign's journeys where they are; nobody is dropped."""

    async def work(here: Here) -> bool:
        async with here.store.write() as session:
            return await campaigns.pause(session, campaign, here.now)

    new = in_store(work)
    out.print(
        f"{campaign} is paused: its journeys hold at their next move" if new else f"{campaign} was paused already"
    )


def resume(
    campaign: Annotated[str, typer.Argument(help="The campaign's key.")],
    over: Annotated[str, typer.Option(help="Let the held journeys go over that long: 10m; else 50 a second.")] = "",
) -> None:
    """Let a paused campaign go on."""
    spread = seconds(over, "--over") if over else None

    async def work(here: Here) -> tuple[bool, int]:
        async with here.store.write() as session:
            paused = await campaigns.paused(session, campaign)
            return paused, await campaigns.resume(session, campaign, here.now, spread)

    paused, held = in_store(work)
    if not paused and not held:
        out.print(f"{campaign} was not paused")
        return
    spreading = f", let go over {over}" if over else ""
    out.print(f"{campaign} goes on; {counted(held, 'journey')} held{spreading if held else ''}")


def stop(
    journey: Annotated[str, typer.Argument(help="The journey's id, or its beginning; or name a --lead.")] = "",
    lead: Annotated[str, typer.Option(help="All journeys of that lead, or those of one --campaign.")] = "",
    campaign: Annotated[str | None, typer.Option(help="With --lead: only in that campaign.")] = None,
    because: Annotated[str, typer.Option(help="The reason, kept with the journey.")] = "",
) -> None:
    """Take a lead out of a journey, for a reason that is kept.

    No automatic entry puts it back in; a person may, with nurture enrol.
    """
    if bool(journey) == bool(lead):
        raise BadInput("name either a journey or a --lead")
    if not because.strip():
        raise BadInput('give the reason: --because "asked by phone"')

    async def work(here: Here) -> int:
        async with here.store.write() as session:
            ids = [(await stored.look_up(session, journey)).id] if journey else await _running(session, lead, campaign)
            for one in ids:
                await stored.stop(session, one, because.strip(), here.now)
            return len(ids)

    number = in_store(work)
    out.print(f"{counted(number, 'journey')} to be stopped" if number else "it is in no such journey")


async def _running(session: Session, lead: str, campaign: str | None) -> list[str]:
    row = await look_up(session, lead)
    return [one.id for one in await stored.of_lead(session, row.id) if campaign in (None, one.campaign)]


def remove(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    because: Annotated[str, typer.Option(help="The reason, kept with the journeys.")] = "removed by hand",
) -> None:
    """Take a lead out of all its journeys."""

    async def work(here: Here) -> int:
        async with here.store.write() as session:
            row = await look_up(session, lead)
            return await stored.remove_lead(session, row.id, because, here.now)

    number = in_store(work)
    out.print(f"{counted(number, 'journey')} to be stopped" if number else "it is in no journey")
