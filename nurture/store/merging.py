"""Two leads made one in the store: every row of the one that is gone, moved in the transaction that holds both.

A table is moved as a whole unless what it holds may be there once only: then it has a rule of its own here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, and_, bindparam, delete, exists, select, update
from sqlmodel import SQLModel

from nurture.journey import MERGED
from nurture.ledger import SENDABLE, Status
from nurture.merging import Given, Known, Travelled, beyond_caps, furthest, numbered, profiles, refused, superseded
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.consents import answers_of
from nurture.store.held import HeldLead
from nurture.store.journeys import RUNNING
from nurture.store.merge_tables import MergeRow
from nurture.store.merges import GOT
from nurture.store.models import (
    CrossingRow,
    EventRow,
    IdentityRow,
    JourneyRow,
    LeadRow,
    MessageRow,
    MetConditionRow,
    OutboxRow,
    RefusalRow,
    ScoreChangeRow,
)
from nurture.store.personal import PERSONAL

LEADS, EVENTS, IDENTITIES = table(LeadRow), table(EventRow), table(IdentityRow)
JOURNEYS, MESSAGES, CHANGES, CROSSINGS = table(JourneyRow), table(MessageRow), table(ScoreChangeRow), table(CrossingRow)
BOTH: BindParameter[Any] = bindparam("both", expanding=True)
FAR = 1_000_000  # runs are counted from there while they are put in order, so that none is there twice


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge brought the kept lead: keys of what changed, topics now refused, journeys that came, those that end."""

    kept: str
    gone: str
    changed: frozenset[str]
    refused: tuple[str, ...]
    journeys: tuple[str, ...]
    ended: tuple[str, ...]
    moved: int


def join(
    connection: Connection,
    kept: HeldLead,
    gone: HeldLead,
    caps: Mapping[tuple[str, str], int],
    by: str,
    now: datetime,
) -> Merge:
    """Make the two held leads one, which `kept` then is; its row is still to be saved. `caps` are how often rules give."""
    answers = answers_of(connection, [kept.id, gone.id])
    said = [{topic: one.granted for topic, one in answers.get(lead.id, {}).items()} for lead in (kept, gone)]
    names = connection.execute(select(EVENTS.c.name).where(EVENTS.c.lead_id == gone.id).distinct()).scalars()
    changed = frozenset(f"event.{name}" for name in names)
    was = _was(connection, gone)
    dropped = _points(connection, kept.id, gone.id, caps)
    journeys, ended = _journeys(connection, kept.id, gone.id, now)
    _mailed(connection, kept.id, gone.id, now)
    _crossings(connection, kept.id, gone.id, now)
    _unless_there(connection, table(RefusalRow), kept.id, gone.id, ("campaign", "event"))
    _unless_there(connection, table(MetConditionRow), kept.id, gone.id, ("campaign", "condition"))
    moved = sum(_move(connection, model, kept.id, gone.id) for model in moving())
    at = max([now, *_received(kept, gone)])  # later than all that it brings together
    merge = {"gone_id": gone.id, "lead_id": kept.id, "at": at, "by": by, "was": was, "journeys": list(journeys)}
    insert_rows(connection, MergeRow, [merge])
    connection.execute(delete(LEADS).where(LEADS.c.id == gone.id))
    connection.execute(update(LEADS).where(LEADS.c.id == kept.id).values(merged_at=at))
    changed |= _known(kept, gone, dropped)
    return Merge(kept.id, gone.id, changed, refused(*said), journeys, ended, moved)


def _known(kept: HeldLead, gone: HeldLead, dropped: Sequence[Given]) -> frozenset[str]:
    """Give what is known of the one to the other; the keys of what changed."""
    before, stage = kept.profile, kept.stage
    known = profiles(Known(kept.profile, kept.written), Known(gone.profile, gone.written))
    kept.profile, kept.written = dict(known.profile), dict(known.written)
    kept.stage = furthest(kept.stage, gone.stage)
    lost = {one.score: 0.0 for one in dropped}
    for one in dropped:
        lost[one.score] += one.points
    scores = {name: kept.scores.get(name, 0) + gone.scores.get(name, 0) for name in {**kept.scores, **gone.scores}}
    changed = {f"lead.{name}" for name in known.profile if known.profile[name] != before.get(name)}
    changed |= {f"score.{name}" for name in gone.scores}
    kept.scores = {name: round(points - lost.get(name, 0), 6) for name, points in scores.items()}
    kept.last_received = max(_received(kept, gone), default=None)
    kept.profile_changed = True
    return frozenset(changed | ({"lead.stage"} if kept.stage != stage else set()))


def _received(*leads: HeldLead) -> list[datetime]:
    return [one.last_received for one in leads if one.last_received is not None]


def _was(connection: Connection, gone: HeldLead) -> dict[str, Any]:
    query = select(IDENTITIES.c.kind, IDENTITIES.c.value).where(IDENTITIES.c.lead_id == gone.id)
    keys = [list(key) for key in connection.execute(query.order_by(*query.selected_columns))]
    return {"profile": gone.profile, "stage": gone.stage, "scores": gone.scores, "keys": keys}


# --- rows that may be there once only ---


def _unless_there(connection: Connection, of: Table, kept: str, gone: str, same: tuple[str, ...]) -> None:
    """Delete those of the gone lead that the kept one has its own of."""
    theirs = of.alias()
    there = exists().where(theirs.c.lead_id == kept, *(theirs.c[name] == of.c[name] for name in same))
    connection.execute(delete(of).where(of.c.lead_id == gone, there))


def _points(connection: Connection, kept: str, gone: str, caps: Mapping[tuple[str, str], int]) -> list[Given]:
    """Take away points that one lead would not have got: beyond what a rule gives, and twice for one cause."""
    columns = [CHANGES.c[name] for name in ("id", "score", "rule", "points", "at")]
    theirs = CHANGES.alias()
    twice = and_(theirs.c.lead_id == kept, *(theirs.c[name] == CHANGES.c[name] for name in ("score", "rule", "cause")))
    doubled = select(*columns).where(CHANGES.c.lead_id == gone, exists().where(twice))
    dropped = [Given(*row) for row in connection.execute(doubled)]
    if caps:
        capped = CHANGES.c.lead_id.in_(BOTH), CHANGES.c.rule.in_(sorted({rule for _, rule in caps}))
        given = [Given(*row) for row in connection.execute(select(*columns).where(*capped), {"both": [kept, gone]})]
        gone_already = {one.id for one in dropped}
        dropped += beyond_caps([one for one in given if one.id not in gone_already], caps)
    if dropped:
        connection.execute(delete(CHANGES).where(CHANGES.c.id.in_([one.id for one in dropped])))
    return dropped


def _crossings(connection: Connection, kept: str, gone: str, now: datetime) -> None:
    """Count the thresholds that fired for both in one row; where one is not armed yet, it is not armed at all."""
    query = select(CROSSINGS).where(CROSSINGS.c.lead_id.in_(BOTH))
    rows = [dict(row) for row in connection.execute(query, {"both": [kept, gone]}).mappings()]
    if not any(row["lead_id"] == gone for row in rows):
        return
    rows.sort(key=lambda row: (row["rearmed_at"] is None, row["fired_at"], row["id"]))
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        before = last.get((row["score"], row["threshold"]))
        if before is not None and before["rearmed_at"] is None:
            before["rearmed_at"] = now  # the one that fired after it is the one to be armed again
        row.update(lead_id=kept, n=1 if before is None else before["n"] + 1)
        last[row["score"], row["threshold"]] = row
    connection.execute(delete(CROSSINGS).where(CROSSINGS.c.id.in_([row["id"] for row in rows])))
    insert_rows(connection, CrossingRow, rows)


def _journeys(connection: Connection, kept: str, gone: str, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Put the journeys of both in one row, and have those ended that are one too many; who came, and who ends."""
    names = ("id", "campaign", "key", "run", "entered", "status", "lead_id")
    query = select(*(JOURNEYS.c[name] for name in names)).where(JOURNEYS.c.lead_id.in_(BOTH))
    rows = connection.execute(query, {"both": [kept, gone]}).all()
    came = tuple(row.id for row in rows if row.lead_id == gone)
    if not came:
        return (), ()
    both = [
        Travelled(row.id, row.campaign, row.key, row.run, row.entered, running=row.status in RUNNING) for row in rows
    ]
    runs, ended = numbered(both), superseded(both)
    renumbered = [one for one in both if runs[one.id] != one.run or one.id in came]
    update_rows(connection, JourneyRow, [{"id": one.id, "run": FAR + runs[one.id]} for one in renumbered])
    _move(connection, JourneyRow, kept, gone)
    update_rows(connection, JourneyRow, [{"id": one.id, "run": runs[one.id]} for one in renumbered])
    insert_rows(connection, OutboxRow, [_ending(kept, one, now) for one in ended])
    return came, tuple(ended)


def _ending(lead_id: str, journey_id: str, now: datetime) -> dict[str, Any]:
    body = {"journey": journey_id, "arm": MERGED, "note": ""}
    row = OutboxRow(lead_id=lead_id, kind="signal", body=body, due_at=now, created_at=now)
    return row.model_dump(exclude={"id"})


def _mailed(connection: Connection, kept: str, gone: str, now: datetime) -> None:
    """Let one message of each mailing count for both: one that went out keeps the other from going."""
    query = select(*(MESSAGES.c[name] for name in ("id", "run_id", "lead_id", "status"))).where(
        MESSAGES.c.lead_id.in_(BOTH), MESSAGES.c.run_id.is_not(None)
    )
    rows = connection.execute(query, {"both": [kept, gone]}).all()
    own = {row.run_id: row for row in rows if row.lead_id == kept}
    for row in rows:
        if row.lead_id != gone:
            continue
        if row.run_id not in own:
            connection.execute(update(MESSAGES).where(MESSAGES.c.id == row.id).values(occurrence=kept))
            continue
        not_needed = own[row.run_id] if row.status in GOT else row
        cancelled = {"status": Status.CANCELLED.value, "reason": MERGED, "updated_at": now}
        open_ones = MESSAGES.c.status.in_([one.value for one in (*SENDABLE, Status.CLAIMED)])
        connection.execute(update(MESSAGES).where(MESSAGES.c.id == not_needed.id, open_ones).values(cancelled))


def _move(connection: Connection, model: type[SQLModel], kept: str, gone: str) -> int:
    of = table(model)
    return connection.execute(update(of).where(of.c.lead_id == gone).values(lead_id=kept)).rowcount


def moving() -> list[type[SQLModel]]:
    """The tables whose rows go to the kept lead: every one that names a lead."""
    return [model for model in PERSONAL if "lead_id" in table(model).columns]
