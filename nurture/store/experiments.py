"""Experiments in the store: who is in which arm, what was counted, and the winner, which is picked once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, select

from nurture.decisions import Bound
from nurture.errors import BadInput, NotFound
from nurture.experiments.pick import Pick
from nurture.experiments.verdict import Count, picked
from nurture.facts import Happening
from nurture.faults import did_you_mean
from nurture.steps import Split
from nurture.store import campaigns
from nurture.store.bulk import insert_new, table
from nurture.store.database import Session
from nurture.store.experiment_tables import ExperimentDecisionRow, ExperimentEntryRow
from nurture.store.models import EventRow
from nurture.store.plain import Statement, execute
from nurture.version import Version

ENTRIES, DECISIONS, EVENTS = table(ExperimentEntryRow), table(ExperimentDecisionRow), table(EventRow)
ARM = Statement(
    select(ENTRIES.c.arm).where(
        ENTRIES.c.experiment == bindparam("experiment"),
        ENTRIES.c.design == bindparam("design"),
        ENTRIES.c.lead_id == bindparam("lead"),
    )
)
WINNER = Statement(
    select(DECISIONS.c.winner).where(
        DECISIONS.c.experiment == bindparam("experiment"), DECISIONS.c.design == bindparam("design")
    )
)


async def bound(session: Session, split: Split, lead_id: str) -> Bound | None:
    """The arm that the lead was in before, or else the winner; None while it is to be drawn."""
    which = {"experiment": split.key, "design": split.design}
    if (before := await ARM.first(session, **which, lead=lead_id)) is not None:
        return Bound(before[0], "before")
    winner = await WINNER.first(session, **which)
    return None if winner is None else Bound(winner[0], "winner")


async def enter(session: Session, split: Split, rule: Pick, lead_id: str, arm: str, now: datetime, pace: float) -> None:
    """Note that the lead was drawn into the arm; what it does counts for as long as the rule says, on its own calendar."""
    row = {"experiment": split.key, "design": split.design, "lead_id": lead_id, "arm": arm, "at": now}
    await insert_new(session, ExperimentEntryRow, {**row, "until": now + rule.within / pace})


def experiments_of(versions: Mapping[str, Version]) -> dict[str, list[Split]]:
    """The experiments of published campaigns, by key; splits that share key and design are one."""
    found: dict[str, list[Split]] = {}
    steps = (step for version in versions.values() for state in version.campaign.states for step in state.steps)
    for step in steps:
        if isinstance(step, Split) and step.winner is not None:
            same = found.setdefault(step.key, [])
            if step.design not in {one.design for one in same}:
                same.append(step)
    return found


async def counted(session: Session, split: Split, rule: Pick, now: datetime) -> list[Count]:
    """The leads of each arm, in the order of the split."""
    converted = await _converted(session, split, rule, now)
    return [one._replace(converted=converted.get(one.arm, 0)) for one in await _came(session, split, now)]


async def _came(session: Session, split: Split, now: datetime) -> list[Count]:
    """The same without who reached the goal."""
    ours = and_(ENTRIES.c.experiment == split.key, ENTRIES.c.design == split.design)
    measured = func.count(case((ENTRIES.c.until <= now, 1)))
    rows = (
        await execute(session, select(ENTRIES.c.arm, func.count(), measured).where(ours).group_by(ENTRIES.c.arm))
    ).all()
    entered = {arm: (int(all_of), int(over)) for arm, all_of, over in rows}
    return [Count(arm, weight, *entered.get(arm, (0, 0))) for arm, weight in split.arms]


async def _converted(session: Session, split: Split, rule: Pick, now: datetime) -> dict[str, int]:
    """How many of the leads whose time is over reached the goal in it."""
    reached = (
        select(ENTRIES.c.arm, ENTRIES.c.lead_id, EVENTS.c.at, EVENTS.c.properties)
        .join(EVENTS, and_(EVENTS.c.lead_id == ENTRIES.c.lead_id, EVENTS.c.name == rule.goal.event.event))
        .where(
            ENTRIES.c.experiment == split.key,
            ENTRIES.c.design == split.design,
            ENTRIES.c.until <= now,
            EVENTS.c.at > ENTRIES.c.at,
            EVENTS.c.at <= ENTRIES.c.until,
            EVENTS.c.machine.is_(False),
        )
    )
    meant = rule.goal.event.matches()
    leads: dict[str, set[str]] = {}
    for arm, lead_id, at, properties in (await execute(session, reached)).all():
        if meant(Happening(rule.goal.event.event, at, properties)):
            leads.setdefault(arm, set()).add(lead_id)
    return {arm: len(theirs) for arm, theirs in leads.items()}


async def decision(session: Session, split: Split) -> ExperimentDecisionRow | None:
    """How the experiment was decided; None while it is not."""
    return await session.get(ExperimentDecisionRow, (split.key, split.design))


async def pick_winners(session: Session, now: datetime) -> list[tuple[str, str]]:
    """Pick the winners of experiments whose rule has one now; their keys and arms."""
    found = []
    for split in (one for same in experiments_of(await campaigns.all_current(session)).values() for one in same):
        rule = split.winner
        if rule is None or rule.after is None or await decision(session, split) is not None:
            continue
        if min(one.measured for one in await _came(session, split, now)) < rule.after:
            continue  # spared: who reached the goal takes longer to count
        counts = await counted(session, split, rule, now)
        winner, _ = picked(rule, counts)
        if winner is not None and await _decided(session, split, winner, counts, now, reason=rule.words()):
            found.append((split.key, winner))
    return found


async def decide(session: Session, key: str, arm: str, by: str, reason: str, now: datetime) -> None:
    """Have a person's pick be the winner; what is decided stays so."""
    known = experiments_of(await campaigns.all_current(session))
    if key not in known:
        raise NotFound(f"there is no experiment {key!r}: {did_you_mean(key, known)}")
    split = known[key][-1]
    names = [name for name, _ in split.arms]
    if arm not in names:
        raise BadInput(f"experiment {key} has no arm {arm!r}: {did_you_mean(arm, names)}")
    assert split.winner is not None  # that makes it an experiment
    counts = await counted(session, split, split.winner, now)
    if not await _decided(session, split, arm, counts, now, by=by, reason=reason):
        done = await session.get_one(ExperimentDecisionRow, (split.key, split.design))
        raise BadInput(
            f"experiment {key} is decided: {done.winner}, since {done.at:%Y-%m-%d}; change its split to begin anew"
        )


async def _decided(
    session: Session, split: Split, winner: str, counts: list[Count], now: datetime, *, by: str = "", reason: str
) -> bool:
    row: dict[str, Any] = {"experiment": split.key, "design": split.design, "winner": winner, "at": now}
    return await insert_new(
        session,
        ExperimentDecisionRow,
        {**row, "by": by, "reason": reason, "counts": [one._asdict() for one in counts]},
    )
