"""`nurture report sources` and `capture`: where leads come from, and how well forms capture them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.cli.report.days import day
from nurture.errors import BadInput
from nurture.stages import STAGES
from nurture.store import capture_counts
from nurture.store.capture_counts import Captures, Visitors
from nurture.store.sources import COLUMNS, By, Source, Touch, sources

USUAL_DAYS = 30
NOT_KNOWN = "(not known)"

Since = Annotated[str, typer.Option(metavar="DAY", help=f"From that day on (UTC); {USUAL_DAYS} days ago unless given.")]
Until = Annotated[str, typer.Option(metavar="DAY", help="To the end of that day; today unless given.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def of_sources(
    by: Annotated[By, typer.Option(help="What to compare.")] = "channel",
    touch: Annotated[Touch, typer.Option(help="Which touch of a lead counts.")] = "first",
    since: Since = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Compare sources: leads, how many are known, how far they came, what a lead and a customer cost.

    Costs are those of `nurture costs import`.
    """

    async def work(here: Here) -> list[Source]:
        async with here.store.read() as session:
            return await sources(session, by, touch, *period(here, since, until))

    found = in_store(work)
    if as_json:
        out.print(json.dumps([_source_as_json(one, by) for one in found], ensure_ascii=False, indent=2), soft_wrap=True)
        return
    out.print(_sources_as_table(found, by) if found else "nobody came in that time")


def _source_as_json(one: Source, by: By) -> dict[str, Any]:
    numbers = {"leads": one.leads, "known": one.known, "reached": one.reached, "customers": one.customers}
    costs = {"cost": one.cost, "per_lead": one.per_lead, "per_customer": one.per_customer}
    return {**dict(zip(COLUMNS[by], one.name, strict=True)), **numbers, **costs}


def _sources_as_table(found: Sequence[Source], by: By) -> Table:
    table = _table(*COLUMNS[by], "leads", "known", *STAGES[1:5], "customers", "cost", "a lead", "a customer")
    for one in found:
        stages = (f"{one.reached[stage]:,}" for stage in STAGES[1:5])
        customers = f"{one.customers:,} ({_share(one.customers, one.leads)})"
        costs = (f"{one.cost:,.2f}" if one.cost else "", _money(one.per_lead), _money(one.per_customer))
        named = (word or NOT_KNOWN if at == 0 else word for at, word in enumerate(one.name))
        table.add_row(*named, f"{one.leads:,}", f"{one.known:,}", *stages, customers, *costs)
    return table


def of_captures(since: Since = "", until: Until = "", as_json: AsJson = False) -> None:
    """Tell how forms do: seen, tried, filled in, by form, page and placement; and how many visitors are identified.

    What machines do is counted apart.
    """

    async def work(here: Here) -> tuple[list[Captures], Visitors]:
        times = period(here, since, until)
        async with here.store.read() as session:
            return await capture_counts.captures(session, *times), await capture_counts.visitors(session, *times)

    found, seen = in_store(work)
    if as_json:
        document = {"forms": [one._asdict() | {"rate": _rate(one)} for one in found], "visitors": seen._asdict()}
        out.print(json.dumps(document, ensure_ascii=False, indent=2), soft_wrap=True)
        return
    table = _table("form", "page", "placement", "seen", "tried", "filled in", "rate", "machines")
    for one in found:
        numbers = (f"{one.views:,}", f"{one.attempts:,}", f"{one.captures:,}", _share(one.captures, one.views))
        table.add_row(one.form, one.page, one.placement, *numbers, f"{one.machines:,}")
    out.print(table if found else "no form was seen in that time")
    out.print(f"visitors: {seen.all:,}, identified: {seen.identified:,} ({_share(seen.identified, seen.all)})")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        words = name in ("form", "page", "placement", "channel", "creative", "offer")
        table.add_column(name, justify="left" if words else "right", overflow="fold")
    return table


def _rate(one: Captures) -> float | None:
    return round(one.captures / one.views, 4) if one.views else None


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _money(amount: float | None) -> str:
    return f"{amount:,.2f}" if amount else ""


def period(here: Here, since: str, until: str) -> tuple[datetime, datetime]:
    """From the beginning of the one day to the end of the other."""
    end = day(until, "--until") if until else here.now.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = day(since, "--since") if since else end - timedelta(days=USUAL_DAYS)
    if begin > end:
        raise BadInput("--since is after --until: turn them round")
    return begin, end + timedelta(days=1)
