"""`nurture score`: why a lead's score is what it is, and scores counted anew after their rules changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, NamedTuple

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, counted, in_store, out
from nurture.durations import in_words
from nurture.errors import NotFound
from nurture.explaining import Line, explained
from nurture.fading import points_now
from nurture.faults import did_you_mean
from nurture.intake.rebuilding import Rebuilt, rebuild_all
from nurture.rulebook import Rulebook
from nurture.scores import Score
from nurture.settings import read_settings
from nurture.store import leads
from nurture.store.facts import happenings
from nurture.store.plain import run
from nurture.store.score_changes import changes_of

score = typer.Typer(help="Scores: explain, rebuild.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)


class Told(NamedTuple):
    """What is to be told of a lead."""

    points: dict[str, float]
    lines: dict[str, list[Line]]


@score.command()
def explain(
    lead: Annotated[str, typer.Argument(help="By id, e-mail address, external id or phone number.")],
    key: Annotated[str | None, typer.Argument(metavar="[SCORE]", help="All unless named.")] = None,
) -> None:
    """Tell why a lead's scores are what they are: each change, what is left of it, and what a cap held back."""
    declared = catalogue(read_settings())
    chosen = _chosen(declared.scores, key)
    book = Rulebook(chosen)

    async def work(here: Here) -> Told:
        async with here.store.read() as session:
            row = await leads.look_up(session, lead)
            names = {name for one in chosen.values() for name in book.events(one)}
            did = (await run(session, happenings, [row.id], names)).get(row.id, [])
            changes = await changes_of(session, row.id)
        lines = {name: explained(one, changes.get(name, ()), did, here.now) for name, one in chosen.items()}
        return Told(points_now(row.scores, row.fading, here.now), lines)

    told = in_store(work)
    for name, one in chosen.items():
        fades = f", halved every {in_words(one.half_life)}" if isinstance(one.half_life, timedelta) else ""
        out.print(f"{name}: {told.points.get(name, 0):g}{fades}", style="bold")
        _print(told.lines[name])
    for grade in declared.grades.values():
        out.print(f"grade {grade.key}: {grade.of(told.points)}", style="bold")


def _print(lines: list[Line]) -> None:
    if not lines:
        out.print("  nothing has given or taken points")
        return
    table = Table(
        "when (UTC)", "points", "left", "rule", "cause", "version", box=None, header_style="bold", pad_edge=False
    )
    for line in lines:
        points = "held back" if line.held else f"{line.points:+g}"
        left = "" if line.held else f"{line.left:g}"
        table.add_row(f"{line.dated:%Y-%m-%d %H:%M}", points, left, line.rule, line.cause, line.version[:12])
    out.print(table)


@score.command()
def rebuild(
    key: Annotated[str | None, typer.Option("--score", help="One score; all unless named.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
    fire: Annotated[bool, typer.Option("--fire", help="Thresholds that are newly reached fire.")] = False,
) -> None:
    """Count scores anew from all events, by the rules as they are written now.

    Page by page: when it is broken off, the same command goes on where it was. Thresholds that have fired do not fire again.
    """
    declared = catalogue(read_settings())
    chosen = _chosen(declared.scores, key)

    async def work(here: Here) -> Rebuilt:
        return await rebuild_all(here.store, declared.scores, chosen, here.now, dry=dry_run, fire=fire)

    done = in_store(work)
    changed, reached = counted(done.changed, "lead"), counted(done.reached, "threshold")
    verb = "would change" if dry_run else "changed"
    fired = "fired" if fire and not dry_run else "reached, and not fired" if not dry_run else "to be reached"
    out.print(f"{counted(done.leads, 'lead')} counted: {verb} {changed}; {reached} newly {fired}")


def _chosen(scores: Mapping[str, Score], key: str | None) -> dict[str, Score]:
    if key is not None and key not in scores:
        raise NotFound(f"there is no score {key!r}: {did_you_mean(key, scores)}")
    return {name: one for name, one in sorted(scores.items()) if key in (None, name)}
