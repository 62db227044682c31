"""Sweeps: upkeep that a worker repeats; each is idempotent and done by one worker at a time.

They find what no event announces (a moment that passed, a row that somebody left behind) and put it into the outbox,
where it is done in order with all else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import ColumnElement, exists, func, or_
from sqlmodel import col, select

from nurture.audiences import Audience
from nurture.calendar import resolve_zone
from nurture.campaign import DateEntry
from nurture.conditions import Condition, Happened, Is, leaves
from nurture.enrolment import date_cause, last_due, watched
from nurture.errors import NotFound, Refused, Unavailable
from nurture.intake import Internal, Recorder
from nurture.intake.clicking import Clicking, to_look_at
from nurture.intake.incoming import prepared
from nurture.returns.fuse import messages_in_question, verdict
from nurture.settings import Settings
from nurture.steps import WaitFor
from nurture.store import (
    Session,
    Store,
    bulk_runs,
    campaigns,
    experiments,
    fading,
    fuses,
    leases,
    outbox,
    rewards,
    rfm,
    tasks,
)
from nurture.store.models import (
    CampaignRow,
    EventRow,
    JourneyRow,
    LeadRow,
    ListenerRow,
    MarkRow,
    OutboxRow,
    new_id,
)
from nurture.store.plain import run
from nurture.store.score_tables import FadingRow
from nurture.triggers import When
from nurture.version import Version

LEFT_BEHIND = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
A_DAY = timedelta(days=1)
A_MOMENT = timedelta(seconds=1)
MOST_AT_ONCE = 1000

Work: TypeAlias = Callable[[Session, Settings, datetime], Awaitable[int]]
log = structlog.get_logger()


class Sweep(NamedTuple):
    """A sweep and how often it is due."""

    name: str
    every: timedelta
    work: Work

    def period(self, settings: Settings) -> timedelta:
        """How often it is due here: in development a hurried calendar hurries it too, down to a second."""
        return max(self.every / settings.pace_factor, min(self.every, timedelta(seconds=1)))


async def run_sweep(sweep: Sweep, store: Store, settings: Settings, now: datetime | None = None) -> int:
    """Do the sweep unless another worker is at it; how much it found to do."""
    now, holder = now or datetime.now(UTC), new_id()
    async with store.write() as session:
        if not await leases.take(session, f"sweep/{sweep.name}", holder, now, LEASE):
            return 0
    try:
        async with store.write() as session:
            found = await sweep.work(session, settings, now)
            await leases.release(session, f"sweep/{sweep.name}", holder)
    except BaseException:
        with suppress(Unavailable):  # then it lapses
            async with store.write() as session:
                await leases.release(session, f"sweep/{sweep.name}", holder)
        raise
    if found:
        log.info("sweep.found", sweep=sweep.name, rows=found)
    return found


# --- what only time makes true ---


class Horizon(NamedTuple):
    """An event of that name leaves a condition's view so long after it happened."""

    event: str
    after: timedelta


async def time_passed(audiences: Mapping[str, Audience], session: Session, settings: Settings, now: datetime) -> int:
    """Have the conditions looked at of leads that had an event leave their view, or a score fade past their mark, since."""
    since = await _mark(session, "time", now)
    keys: dict[str, set[str]] = {}
    for version in (await campaigns.all_current(session)).values():
        conditions = list(watched(version.campaign, audiences).values())
        for horizon in _horizons(conditions, settings.pace_factor):
            await _note(session, keys, horizon, since, now)
        for mark in _marks(conditions):
            await _note_faded(session, keys, mark, since, now)
    timed = select(JourneyRow.version, JourneyRow.pace).join(
        ListenerRow, col(ListenerRow.journey_id) == col(JourneyRow.id)
    )
    for version_hash, pace in (await session.exec(timed.where(col(ListenerRow.timed)).distinct())).all():
        listening = await campaigns.version(session, version_hash)
        for horizon in _horizons(_listened(listening), pace):
            await _note(session, keys, horizon, since, now, _has_timed_listener(EventRow.lead_id))
        for mark in _marks(_listened(listening)):
            await _note_faded(session, keys, mark, since, now, _has_timed_listener(FadingRow.lead_id))
    rows = [_row(lead_id, "event", now, event=None, name=None, keys=sorted(theirs)) for lead_id, theirs in keys.items()]
    await outbox.put(session, rows)
    return len(rows)


def _horizons(conditions: Iterable[Condition], pace: float) -> set[Horizon]:
    parts = (leaf for condition in conditions for leaf in leaves(condition))
    return {Horizon(one.event, one.period / pace) for one in parts if isinstance(one, Happened) and one.period}


def _listened(version: Version) -> Iterator[Condition]:
    for arm in version.arms:
        if isinstance(arm.trigger, When):
            yield arm.trigger.condition
    for state in version.campaign.states:
        for step in state.steps:
            if isinstance(step, WaitFor):
                yield from (arm.condition for arm in step.arms if isinstance(arm, When))


async def _note(
    session: Session,
    keys: dict[str, set[str]],
    horizon: Horizon,
    since: datetime,
    now: datetime,
    *also: ColumnElement[bool],
) -> None:
    query = select(EventRow.lead_id).where(
        EventRow.name == horizon.event,
        EventRow.at > since - horizon.after,
        EventRow.at <= now - horizon.after,
        col(EventRow.machine).is_(False),
        *also,
    )
    for lead_id in (await session.exec(query.distinct())).all():
        keys.setdefault(lead_id, set()).add(f"event.{horizon.event}")


def _has_timed_listener(lead_id: Any) -> ColumnElement[bool]:
    return exists().where(col(ListenerRow.lead_id) == lead_id, col(ListenerRow.timed))


class Mark(NamedTuple):
    """Points of a score that a condition looks for."""

    score: str
    points: float


def _marks(conditions: Iterable[Condition]) -> set[Mark]:
    parts = (leaf for condition in conditions for leaf in leaves(condition))
    scores = [one for one in parts if isinstance(one, Is) and one.path[0] == "score"]
    values = [
        (one.path[1], value) for one in scores for value in (one.value if isinstance(one.value, tuple) else [one.value])
    ]
    return {Mark(score, value) for score, value in values if isinstance(value, int | float)}


async def _note_faded(
    session: Session, keys: dict[str, set[str]], mark: Mark, since: datetime, now: datetime, *also: ColumnElement[bool]
) -> None:
    # A little of what the last sweep saw is looked at again: there is nothing to round between the two then.
    for lead_id in await fading.passed(session, mark.score, mark.points, since - A_MOMENT, now, *also):
        keys.setdefault(lead_id, set()).add(f"score.{mark.score}")


# --- dates of the lead ---


async def dates_came(session: Session, settings: Settings, now: datetime) -> int:
    """Enrol the leads whose date, as their campaign's entry counts it, came since the last sweep."""
    since = await _mark(session, "dates", now)
    rows = []
    for version in (await campaigns.all_current(session)).values():
        for entry in version.campaign.enters:
            if isinstance(entry, DateEntry):
                rows += [row async for row in _entered_by(session, settings, version, entry, since, now)]
    await outbox.put(session, rows)
    return len(rows)


async def _entered_by(
    session: Session, settings: Settings, version: Version, entry: DateEntry, since: datetime, now: datetime
) -> AsyncIterator[OutboxRow]:
    candidates = select(LeadRow).where(_may_be_due(entry, since, now))
    for lead in (await session.exec(candidates)).all():
        zone, _ = resolve_zone(lead.time_zone, settings.time_zone)
        due = last_due(entry, lead.profile, zone, now)
        if due is not None and due > since:
            by, cause = entry.words(), date_cause(entry, due, zone)
            yield _row(lead.id, "enrol", now, campaign=version.campaign.key, key="", by=by, manual=False, event=cause)


def _may_be_due(entry: DateEntry, since: datetime, now: datetime) -> ColumnElement[bool]:
    """Which leads are worth a look: their date, read as text, is near, or is no date as text."""
    text = col(LeadRow.profile)[entry.field].as_string()
    first, last = (since - entry.offset - A_DAY).date(), (now - entry.offset + A_DAY).date()
    if not entry.yearly:
        near = text.between(first.isoformat(), f"{last.isoformat()}~")  # "~" comes after whatever time of that day
    elif last - first > 300 * A_DAY:
        near = text.is_not(None)
    else:
        days = {(first + n * A_DAY).strftime("%m-%d") for n in range((last - first).days + 1)}
        near = func.substr(text, 6, 5).in_(days | ({"02-29"} if "02-28" in days else set()))
    return or_(near, text.not_like("____-__-__%"))


# --- what was left behind ---


async def unstarted(session: Session, _: Settings, now: datetime) -> int:
    """Start the journeys that were entered a while ago and that nobody is about to start."""
    query = select(JourneyRow.id, JourneyRow.lead_id).where(JourneyRow.status == "starting", *_left_behind(now))
    found = (await session.exec(query.limit(MOST_AT_ONCE))).all()
    await outbox.put(session, (_row(lead_id, "start", now, journey=journey_id) for journey_id, lead_id in found))
    return len(found)


async def overlooked(session: Session, _: Settings, now: datetime) -> int:
    """Let journeys go on that a pause held and that its end did not reach."""
    going = select(CampaignRow.key).where(col(CampaignRow.paused_at).is_(None))
    query = select(JourneyRow.id, JourneyRow.lead_id).where(
        JourneyRow.status == "held", col(JourneyRow.campaign).in_(going), *_left_behind(now)
    )
    found = (await session.exec(query.limit(MOST_AT_ONCE))).all()
    await outbox.put(session, (campaigns.resumed(journey_id, lead_id, now, now) for journey_id, lead_id in found))
    return len(found)


def _left_behind(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    waiting = exists().where(col(OutboxRow.lead_id) == col(JourneyRow.lead_id))
    return col(JourneyRow.updated_at) < now - LEFT_BEHIND, ~waiting


# --- clicks that waited ---


async def clicks_waited(recorder: Recorder, session: Session, _: Settings, now: datetime) -> int:
    """Give clicks that were doubted their verdict, now that nothing more came that speaks against them."""
    looks = [
        Internal(lead={"id": lead_id}, clicks=Clicking(message=message), source="link")
        for lead_id, message in await run(session, to_look_at, now)
    ]
    if looks:
        await run(session, recorder.record, [prepared(one, now) for one in looks])
    return len(looks)


# --- what people and customers are told of, or rated by ---


async def winners_picked(session: Session, _: Settings, now: datetime) -> int:
    """Pick the winners of experiments by their declared rules."""
    found = await experiments.pick_winners(session, now)
    for experiment, arm in found:
        log.info("experiment.decided", experiment=experiment, winner=arm)
    return len(found)


async def tasks_late(session: Session, _: Settings, now: datetime) -> int:
    """Tell of tasks whose time has passed."""
    return await tasks.find_overdue(session, now)


async def rewards_came(session: Session, _: Settings, now: datetime) -> int:
    """Tell who recommended of its rewards."""
    return await rewards.tell(session, now)


async def customers_rated(session: Session, _: Settings, now: datetime) -> int:
    """Rate the customers by how they buy."""
    return await rfm.rate(session, now)


async def fuses_blow(session: Session, settings: Settings, now: datetime) -> int:
    """Pause the campaigns and mailings of whose messages too many came back, and warn of those that come near."""
    rules = settings.fuses
    floor = now - rules.over
    acted = 0
    for one in await fuses.watched(session, floor):
        most = messages_in_question(rules, one.back)
        found = verdict(rules, one.back, await fuses.sent(session, one, most + 1)) if most else None
        if found is None:
            continue
        if found.act == "pause" and await _paused(session, one, now):
            await fuses.blow(session, one, found, now)
            acted += 1
        else:
            acted += await fuses.warn(session, one, found, floor, now)
    return acted


async def _paused(session: Session, one: fuses.Watched, now: datetime) -> bool:
    """Hold it where it is, unless there is nothing left to hold: a mailing that is over, a campaign that is no more."""
    try:
        if one.run_id is not None:
            await bulk_runs.pause(session, one.run_id)
        else:
            await campaigns.pause(session, one.campaign, now)
    except (NotFound, Refused):
        return False
    return True


def _row(lead_id: str, kind: str, now: datetime, **body: Any) -> OutboxRow:
    return OutboxRow(lead_id=lead_id, kind=kind, body=body, due_at=now, created_at=now)


async def _mark(session: Session, name: str, now: datetime) -> datetime:
    """How far the sweep has come, and move that on to now; the first sweep begins now."""
    mark = await session.get(MarkRow, name) or MarkRow(name=name, at=now)
    since, mark.at = mark.at, max(mark.at, now)
    session.add(mark)
    return since


SWEEPS = (
    Sweep("dates came", timedelta(minutes=5), dates_came),
    Sweep("unstarted", LEFT_BEHIND, unstarted),
    Sweep("overlooked", LEFT_BEHIND, overlooked),
    Sweep("tasks late", timedelta(seconds=30), tasks_late),
    Sweep("rewards came", timedelta(seconds=10), rewards_came),
    Sweep("customers rated", timedelta(minutes=10), customers_rated),
    Sweep("winners picked", timedelta(minutes=10), winners_picked),
    Sweep("fuses blow", timedelta(seconds=5), fuses_blow),
)


def sweeps(audiences: Mapping[str, Audience], recorder: Recorder) -> tuple[Sweep, ...]:
    """All sweeps, where campaigns may be entered by those audiences, and what comes of them is recorded by that."""
    return (
        Sweep("time passed", timedelta(seconds=10), partial(time_passed, audiences)),
        Sweep("clicks waited", timedelta(seconds=5), partial(clicks_waited, recorder)),
        *SWEEPS,
    )
