"""`nurture report experiments`: what the arms of splits with a winner tell so far, and what is still missing for one."""

from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.errors import NotFound
from nurture.experiments.beliefs import Interval
from nurture.experiments.verdict import Arm, Verdict, verdict
from nurture.faults import did_you_mean
from nurture.steps import Split
from nurture.store import campaigns
from nurture.store.experiment_tables import ExperimentDecisionRow
from nurture.store.experiments import counted, decision, experiments_of


class Found(NamedTuple):
    """An experiment with what it tells and how it was decided, if it was."""

    split: Split
    verdict: Verdict
    decision: ExperimentDecisionRow | None


def experiments(
    experiment: Annotated[str, typer.Argument(help="Only that one, by the key of its split.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what the arms of experiments tell so far: rates, which is best and how surely, and what is missing for a winner.

    A lead is measured when its time to reach the goal is over. Intervals hold 95 % of what the true value may be.
    """

    async def work(here: Here) -> list[Found]:
        async with here.store.read() as session:
            known = experiments_of(await campaigns.all_current(session))
            if experiment and experiment not in known:
                raise NotFound(f"there is no experiment {experiment!r}: {did_you_mean(experiment, known)}")
            splits = [one for key, same in sorted(known.items()) if experiment in ("", key) for one in same]
            found = []
            for split in splits:
                assert split.winner is not None  # that makes it an experiment
                counts = await counted(session, split, split.winner, here.now)
                found.append(Found(split, verdict(split.winner, counts), await decision(session, split)))
            return found

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([_plain(one) for one in found], indent=2).decode())
    elif not found:
        out.print("no campaign has a split with a winner to be picked: write split(…, winner=pick(…))")
    for at, one in enumerate(found if not as_json else ()):
        out.print(f"{chr(10) if at else ''}{one.split.key}", style="bold")
        out.print(one.split.words(), soft_wrap=True)
        out.print(_table(one.verdict))
        for line in _said(one):
            out.print(line, soft_wrap=True)


def _table(given: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("arm", no_wrap=True)
    for name in ("entered", "measured", "converted", "rate", "interval", "best", f"over {given.arms[0].counted.arm}"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in given.arms:
        numbers = (f"{number:,}" for number in one.counted[2:])
        rate = "" if one.rate is None else f"{one.rate:.2%}"
        table.add_row(one.counted.arm, *numbers, rate, _between(one.between), f"{one.best:.1%}", _lift(one))
    return table


def _between(given: Interval) -> str:
    return f"{given.low:.2%} … {given.high:.2%}"


def _lift(one: Arm) -> str:
    if one.lift is None:
        return ""
    seen = "" if one.by is None else f"{one.by:+.1%} "
    return f"{seen}({one.lift.low:+.1%} … {one.lift.high:+.1%})"


def _said(one: Found) -> list[str]:
    """What follows from the numbers, in words."""
    given = one.verdict
    shares = (
        "leads came into the arms in their shares"
        if given.shares_hold
        else "leads did NOT come into the arms in their shares, so the numbers cannot be trusted"
    )
    lines = [f"{shares} (as far off by chance: {given.chance:.2%})"]
    if not any(arm.counted.measured for arm in given.arms):
        lines.append("nothing can be said yet: no lead's time to reach the goal is over")
    if one.decision is not None:
        by = f"by {one.decision.by}" if one.decision.by else "by the rule"
        why = f": {one.decision.reason}" if one.decision.reason else ""
        lines.append(f"decided {one.decision.at:%Y-%m-%d %H:%M} {by}: {one.decision.winner}{why}")
    elif given.winner is not None:
        lines.append(f"the rule picks {given.winner}; a worker is about to note it")
    else:
        lines += [f"not decided: {missing}" for missing in given.missing]
    return lines


def _plain(one: Found) -> dict[str, Any]:
    """The same for programs."""
    given = one.verdict
    arms = [
        {
            **arm.counted._asdict(), "rate": arm.rate, "interval": arm.between, "best": arm.best,
            "by": arm.by, "lift": arm.lift,
        }
        for arm in given.arms
    ]  # fmt: skip
    return {
        "experiment": one.split.key,
        "design": one.split.design,
        "rule": one.split.winner,
        "arms": arms,
        "chance_of_shares": given.chance,
        "shares_hold": given.shares_hold,
        "decision": None if one.decision is None else one.decision.model_dump(mode="json"),
        "picks": given.winner,
        "missing": given.missing,
    }
