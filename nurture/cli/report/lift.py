"""`nurture report lift`: what a campaign, or all marketing, brings over what would have come without it."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out, seconds
from nurture.cli.report.days import day
from nurture.errors import BadInput
from nurture.experiments.comparison import Comparison
from nurture.store import campaigns
from nurture.store.hold_outs import Goal, of_campaign, of_programme
from nurture.triggers import On, on
from nurture.version import Version

USUAL_DAYS = 180
PAID = "order_paid"


def lift(
    campaign: Annotated[str, typer.Argument(help="A campaign by its key; all marketing unless given.")] = "",
    goal: Annotated[str, typer.Option(help="The event to be reached; a campaign's own goal unless given.")] = "",
    within: Annotated[str, typer.Option(help="So long after it came a lead is measured.")] = "30d",
    since: Annotated[
        str,
        typer.Option(metavar="DAY", help=f"Leads that came from that day on (UTC); {USUAL_DAYS} days unless given."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare leads that took part with those held out: how many reach the goal, and by how much that is more.

    Intervals hold 95 % of what the true value may be. A campaign holds out by `holdout=`, the programme by `holdout` of
    NURTURE_RULES.
    """
    period = timedelta(seconds=seconds(within, "--within"))

    async def work(here: Here) -> tuple[On, Comparison]:
        start = day(since, "--since") if since else here.now - timedelta(days=USUAL_DAYS)
        async with here.store.read() as session:
            version = await campaigns.current(session, campaign) if campaign else None
            event = on(goal) if goal else _goal_of(version)
            return event, await _compared(here, session, version, Goal(event, period), start)

    event, found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json(_plain(event, found), indent=2).decode())
        return
    out.print(_table(event, within, found))
    if found.took_part.measured and found.held_out.measured:
        low, high = found.lift
        out.print(
            f"lift: {low:+.1%} … {high:+.1%}; leads won by it: {round(found.more.low):+,} … {round(found.more.high):+,}"
        )
    out.print(found.words(), style="bold", soft_wrap=True)


async def _compared(here: Here, session: Any, version: Version | None, goal: Goal, start: datetime) -> Comparison:
    percent = here.settings.rules.holdout
    if version is None:
        return await of_programme(session, percent, goal, start, here.now)
    return await of_campaign(session, version.campaign.key, goal, start, here.now, percent)


def _goal_of(version: Version | None) -> On:
    if version is None:
        return on(PAID)
    if isinstance(version.campaign.goal, On):
        return version.campaign.goal
    raise BadInput(f"campaign {version.campaign.key} has no event as its goal: say which counts by --goal {PAID}")


def _table(event: On, within: str, found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="")
    table.title = f"{event.heard()} within {within}"
    table.add_column("leads", no_wrap=True)
    for name in ("came", "measured", "converted", "rate", "interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, one in (("took part", found.took_part), ("held out", found.held_out)):
        rate = "" if one.rate is None else f"{one.rate:.2%}"
        between = f"{one.between.low:.2%} … {one.between.high:.2%}"
        table.add_row(name, *(f"{number:,}" for number in one), rate, between)
    return table


def _plain(event: On, found: Comparison) -> dict[str, Any]:
    measured = found.took_part.measured and found.held_out.measured
    sides = {
        name: {**one._asdict(), "rate": one.rate, "interval": one.between}
        for name, one in (("took_part", found.took_part), ("held_out", found.held_out))
    }
    return {
        "goal": event.heard(), **sides, "expected_held_out": found.expected, "shares_hold": found.shares_hold,
        "lift": found.lift if measured else None, "more": found.more if measured else None, "says": found.words(),
    }  # fmt: skip
