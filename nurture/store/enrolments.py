"""Entering campaigns: a journey for each lead that may enter, and the reason for each that may not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.enrolment import Earlier, Enrolled, Refusal, may_enter
from nurture.errors import NotFound
from nurture.experiments.hold_outs import HELD_OUT, held_out, is_all_marketing, out_of_programme
from nurture.facts import Happening
from nurture.journey import begin, listened_arms
from nurture.store import listeners
from nurture.store.database import Session
from nurture.store.merges import stand_for
from nurture.store.models import JourneyRow, LeadRow, RefusalRow, new_id
from nurture.store.plain import execute, run
from nurture.store.upsert import insert
from nurture.version import Version


@dataclass(frozen=True, slots=True)
class Wish:
    """A lead that is to enter a version under that key; a refusal instead of a key is only recorded.

    `cause` is what entered it: the same cause (by its id) enters a lead into a campaign once.
    """

    version: Version
    lead_id: str
    key: str | Refusal
    by: str
    cause: Happening | None = None
    pace: float = 1.0
    manual: bool = False

    @property
    def campaign(self) -> str:
        """The campaign's key."""
        return self.version.campaign.key

    @property
    def event(self) -> str:
        """The id of the cause, empty without one."""
        return self.cause.id if self.cause else ""


@dataclass(frozen=True, slots=True)
class _Past:
    """An earlier journey, and what is needed to tell whether it is this very entry."""

    id: str
    event: str | None
    earlier: Earlier


async def enrol(
    session: Session,
    version: Version,
    lead_id: str,
    *,
    key: str = "",
    by: str,
    event: Happening | None = None,
    now: datetime,
    pace_factor: float = 1.0,
    manual: bool = False,
) -> Enrolled | Refusal:
    """Give the lead a journey in the version, to be started once this is committed; a refusal is recorded.

    The same event (by its id) enters a lead once: asked again, the answer is the same journey.
    """
    wish = Wish(version, lead_id, key, by, event, pace_factor, manual)
    [answer] = await enrol_all(session, [wish], now)
    return answer


async def enrol_all(
    session: Session, wishes: Sequence[Wish], now: datetime, programme: float = 0
) -> list[Enrolled | Refusal]:
    """The same for many, at most one wish a lead and campaign; the answers in their order.

    `programme` is the percent of leads that are held out of all marketing.
    """
    tests = await _leads(session, {wish.lead_id for wish in wishes})
    if merged := {wish.lead_id for wish in wishes} - tests.keys():
        now_are = await run(session, stand_for, merged)
        wishes = [replace(one, lead_id=now_are.get(one.lead_id, one.lead_id)) for one in wishes]
        tests |= await _leads(session, set(now_are.values()))
    customers = await _customers(session, {wish.lead_id for wish in wishes if wish.version.campaign.presale})
    past = await _past(session, wishes)
    answers: dict[int, Enrolled | Refusal] = {}
    new: list[tuple[int, dict[str, Any], list[dict[str, Any]]]] = []
    for at, wish in enumerate(wishes):
        if wish.lead_id not in tests:
            raise NotFound(f"there is no lead {wish.lead_id[:64]!r}")
        before = past.get((wish.lead_id, wish.campaign), [])
        # A test lead is there to see the campaign, and would only blur what the hold-out measures.
        why = None if tests[wish.lead_id] else _kept_out(wish, programme)
        answer = _answer(wish, [one for one in before if why == HELD_OUT or not one.earlier.of_programme], now)
        if answer is None and wish.version.campaign.presale and wish.lead_id in customers:
            answer = Refusal("it is a customer already")
        if answer is not None:
            answers[at] = answer
        else:
            entry = 1 + max((one.earlier.run for one in before if one.earlier.key == wish.key), default=0)
            new.append((at, *_journey(wish, entry, why, now)))
    new.sort(key=lambda one: str(one[1]["lead_id"]))  # as all who hold several leads' rows do, so that none deadlocks
    added = await _add(session, [row for _, row, _ in new])
    await listeners.add_all(session, [one for _, row, arms in new if row["id"] in added for one in arms])
    for at, row, _ in new:
        entered = Enrolled(row["id"], started=row["status"] != "holdout")
        answers[at] = entered if row["id"] in added else Refusal("already in it")
    await _refuse(session, ((wish, answers[at]) for at, wish in enumerate(wishes)), now)
    return [answers[at] for at in range(len(wishes))]


def _answer(wish: Wish, past: Sequence[_Past], now: datetime) -> Enrolled | Refusal | None:
    """The answer where it can be told without a new journey."""
    if isinstance(wish.key, Refusal):
        return wish.key
    if wish.cause and (before := next((one for one in past if one.event == wish.cause.id), None)):
        return Enrolled(before.id, started=before.earlier.status != "holdout")
    earlier = [one.earlier for one in past]
    return may_enter(wish.version.campaign, earlier, wish.key, wish.manual, now, wish.pace)


def _kept_out(wish: Wish, programme: float) -> str | None:
    """What the lead is held out of, which is "" for the campaign alone; None when it takes part."""
    campaign = wish.version.campaign
    if is_all_marketing(campaign) and out_of_programme(programme, wish.lead_id):
        return HELD_OUT
    return "" if held_out(campaign, wish.lead_id) else None


def _journey(wish: Wish, run: int, why: str | None, now: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a new journey, and those of what it listens for; `why` is what the lead is held out of, if it is."""
    entered = wish.cause.received if wish.cause and wish.cause.received else now
    position = begin(wish.version, entered)
    holdout = why is not None
    journey_id = new_id()
    row = {
        "id": journey_id,
        "lead_id": wish.lead_id,
        "campaign": wish.campaign,
        "version": wish.version.hash,
        "key": wish.key,
        "run": run,
        "status": "holdout" if holdout else "starting",
        "state": position.state,
        "position": position.model_dump(mode="json"),
        "ending": why or None,
        "pace": wish.pace,
        "entered": entered,
        "entered_by": wish.by,
        "entry_event": wish.event or None,
        "updated_at": now,
    }
    arms = {} if holdout else listened_arms(wish.version, position)
    return row, listeners.rows(journey_id, wish.lead_id, arms, entered)


async def _add(session: Session, rows: list[dict[str, Any]]) -> set[str]:
    """Write the journeys; the ids of those that nobody was before with."""
    if not rows:
        return set()
    # Of two that enter the same lead at once, the second waits here for the first to commit, and then finds its row.
    adding = insert(session, JourneyRow).on_conflict_do_nothing().returning(col(JourneyRow.id))
    return set((await execute(session, adding, rows)).scalars())


async def refuse(session: Session, lead_id: str, campaign: str, why: Refusal, event: str, now: datetime) -> None:
    """Record that the lead was kept out of the campaign, for its story; the newest reason by the same event holds."""
    row = {"lead_id": lead_id, "campaign": campaign, "event": event, "reason": why.reason, "at": now}
    await _record(session, [row])


async def _refuse(session: Session, answers: Iterable[tuple[Wish, Enrolled | Refusal]], now: datetime) -> None:
    rows = [
        {"lead_id": wish.lead_id, "campaign": wish.campaign, "event": wish.event, "reason": answer.reason, "at": now}
        for wish, answer in answers
        if isinstance(answer, Refusal)
    ]
    await _record(session, rows)


async def _record(session: Session, refusals: list[dict[str, Any]]) -> None:
    if refusals:
        adding = insert(session, RefusalRow)
        newest = {"reason": adding.excluded.reason, "at": adding.excluded.at}
        newest_holds = adding.on_conflict_do_update(index_elements=["lead_id", "campaign", "event"], set_=newest)
        await execute(session, newest_holds, refusals)


async def _leads(session: Session, lead_ids: set[str]) -> dict[str, bool]:
    """Which of the leads there are, and whether each is a test lead."""
    query = select(LeadRow.id, LeadRow.test).where(col(LeadRow.id).in_(lead_ids))
    return dict((await session.exec(query)).all())


async def _customers(session: Session, lead_ids: set[str]) -> set[str]:
    """Those of the leads that are customers."""
    if not lead_ids:
        return set()
    bought = col(LeadRow.profile)["customer"].as_boolean()
    return set((await session.exec(select(LeadRow.id).where(col(LeadRow.id).in_(lead_ids), bought))).all())


async def _past(session: Session, wishes: Sequence[Wish]) -> dict[tuple[str, str], list[_Past]]:
    """The journeys that the leads had in the campaigns, by lead and campaign."""
    query = select(JourneyRow).where(
        col(JourneyRow.lead_id).in_({wish.lead_id for wish in wishes}),
        col(JourneyRow.campaign).in_({wish.campaign for wish in wishes}),
    )
    found: dict[tuple[str, str], list[_Past]] = {}
    for row in (await session.exec(query)).all():
        earlier = Earlier(row.key, row.status, row.entered, row.ending, row.run)
        found.setdefault((row.lead_id, row.campaign), []).append(_Past(row.id, row.entry_event, earlier))
    return found
