"""`nurture backtest`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.backtest import Trial, Tried
from nurture.cli.context import Here, catalogue, counted, in_store, out
from nurture.definitions import Definition
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.scores import Score
from nurture.settings import read_settings
from nurture.store import declarations
from nurture.store.pasts import complete_since, pasts

MOST_LINES = 20


@dataclass(frozen=True)
class Compared:
    """What the version asked about found, and what the one in force did, if that is another."""

    tried: Tried
    in_force: Tried | None
    complete_since: datetime | None


def backtest(
    key: Annotated[str, typer.Argument(metavar="DEFINITION|SCORE", help="As written, unless a version is named.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Who came to it from that day on (UTC).")
    ] = None,
    version: Annotated[str, typer.Option(help="A published version, by the beginning of its hash.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell whom a definition or a score would have handed over, and compare with the one in force.

    Every lead is replayed by what was known of it at each moment. Precision is the share with a good outcome (sales
    accepted it, or it ordered) among those with any; recall the share of all good outcomes that were handed over first.
    """
    written = catalogue(read_settings())
    value = _written(written.definitions, written.scores, key)
    start = since.replace(tzinfo=UTC) if since else None

    async def work(here: Here) -> Compared:
        async with here.store.read() as session:
            model: Any = type(value)
            chosen = await declarations.named(session, model, key, version) if version else value
            current = (await declarations.in_force(session, model)).get(key)
            scores = await declarations.in_force(session, Score)
            other = current if current is not None and current.version != chosen.version else None
            trials = [Trial(chosen, (scores if version else written.scores).values(), start, here.now)]
            if other is not None:
                trials.append(Trial(other, scores.values(), start, here.now))
            async for one in pasts(session, frozenset().union(*(trial.replay.names for trial in trials))):
                for trial in trials:
                    trial.takes(one)
            known_since = await complete_since(session, here.now)
        found = [trial.found for trial in trials]
        return Compared(found[0], found[1] if found[1:] else None, known_since)

    found = in_store(work)
    if as_json:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False, indent=1))
    else:
        _print(found)


def _written(definitions: Mapping[str, Definition], scores: Mapping[str, Score], key: str) -> Definition | Score:
    found = definitions.get(key) or scores.get(key)
    if found is None:
        raise NotFound(f"there is no definition or score {key!r}: {did_you_mean(key, [*definitions, *scores])}")
    return found


def _plain(found: Compared) -> dict[str, Any]:
    history = found.complete_since.isoformat() if found.complete_since else None
    tried = [found.tried, *([found.in_force] if found.in_force else [])]
    return {
        "profiles_known_since": history,
        "tried": [
            {
                "key": one.key,
                "version": one.version,
                "leads": one.looked_at,
                "precision": one.precision,
                "recall": one.recall,
                "handed_over": [
                    {"lead": would.lead_id, "at": would.at.isoformat(), "outcome": would.outcome}
                    for would in sorted(one.would, key=lambda would: (would.at, would.lead_id))
                ],
            }
            for one in tried
        ],
    }


def _print(found: Compared) -> None:
    tried, before = found.tried, found.in_force
    table = Table("", "tried", *(["in force"] if before else []), box=None, header_style="bold", pad_edge=False)
    columns = [tried, *([before] if before else [])]
    table.add_row("version", *(one.version[:12] for one in columns))
    table.add_row("handed over", *(f"{len(one.would):,} of {one.looked_at:,}" for one in columns))
    table.add_row("precision", *(_share(one.precision) for one in columns))
    table.add_row("recall", *(_share(one.recall) for one in columns))
    out.print(table)
    if before is not None:
        only, lost = set(tried.leads) - set(before.leads), set(before.leads) - set(tried.leads)
        out.print(f"{counted(len(only), 'lead')} more, {counted(len(lost), 'lead')} fewer than in force")
    for would in sorted(tried.would, key=lambda one: (one.at, one.lead_id))[:MOST_LINES]:
        out.print(f"{would.at:%Y-%m-%d %H:%M}  {would.lead_id}  {would.outcome}", soft_wrap=True)
    if len(tried.would) > MOST_LINES:
        out.print(f"… and {len(tried.would) - MOST_LINES:,} more: --json gives all of them")
    if found.complete_since is not None:
        since = f"{found.complete_since:%Y-%m-%d %H:%M}"
        out.print(
            f"What profiles said is recorded since {since} UTC; before that it counts as unknown.", style="yellow"
        )


def _share(value: float | None) -> str:
    return "no outcome yet" if value is None else f"{value:.0%}"
