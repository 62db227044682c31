"""Two leads made one in the store: every row of the one that is gone, moved in the transaction that holds both.

A table is moved as a whole unless what it holds may be there once only: then it has a rule of its own here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, select, update
from sqlmodel import SQLModel

from nurture.journey import MERGED
from nurture.ledger import SENDABLE, Status
from nurture.merging import Travelled, numbered, refused, superseded
from nurture.needs import Need, holds
from nurture.store import recommended, visitors
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.consents import answers_of
from nurture.store.experiment_tables import ExperimentEntryRow
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
from nurture.store.need_tables import NeedRow
from nurture.store.personal import PERSONAL
from nurture.store.score_tables import FadingRow, ShadowRow

LEADS, EVENTS, IDENTITIES = table(LeadRow), table(EventRow), table(IdentityRow)
JOURNEYS, MESSAGES, CROSSINGS, NEEDS = table(JourneyRow), table(MessageRow), table(CrossingRow), table(NeedRow)
COUNTED_ANEW: tuple[type[SQLModel], ...] = (FadingRow, ShadowRow)
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


def join(connection: Connection, kept: HeldLead, gone: HeldLead, by: str, now: datetime) -> Merge:
    """Give the kept lead every row of the other, which is gone then; what is known of the two is theirs still."""
    answers = answers_of(connection, [kept.id, gone.id], now)
    said = [{topic: one.granted for topic, one in answers.get(lead.id, {}).items()} for lead in (kept, gone)]
    names = connection.execute(select(EVENTS.c.name).where(EVENTS.c.lead_id == gone.id).distinct()).scalars()
    changed = frozenset(f"event.{name}" for name in names)
    was = _was(connection, gone)
    journeys, ended = _journeys(connection, kept.id, gone.id, now)
    _mailed(connection, kept.id, gone.id, now)
    _crossings(connection, kept.id, gone.id, now)
    _unless_there(connection, table(RefusalRow), kept.id, gone.id, ("campaign", "event"))
    _unless_there(connection, table(MetConditionRow), kept.id, gone.id, ("campaign", "condition"))
    _unless_there(connection, table(ScoreChangeRow), kept.id, gone.id, ("score", "rule", "cause"))
    _unless_there(connection, table(ExperimentEntryRow), kept.id, gone.id, ("experiment", "design"))
    _needs(connection, kept.id, gone.id)
    recommended.merge(connection, gone.id, kept.id, now)
    visitors.merge(connection, gone.id, kept.id)
    for model in COUNTED_ANEW:
        connection.execute(delete(table(model)).where(table(model).c.lead_id == gone.id))
    moved = sum(_move(connection, model, kept.id, gone.id) for model in moving())
    received = [one.last_received for one in (kept, gone) if one.last_received is not None]
    at = max([now, *received])  # later than all that it brings together
    merge = {"gone_id": gone.id, "lead_id": kept.id, "at": at, "by": by, "was": was, "journeys": list(journeys)}
    insert_rows(connection, MergeRow, [merge])
    connection.execute(delete(LEADS).where(LEADS.c.id == gone.id))
    connection.execute(update(LEADS).where(LEADS.c.id == kept.id).values(merged_at=at))
    return Merge(kept.id, gone.id, changed, refused(*said), journeys, ended, moved)


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


def _crossings(connection: Connection, kept: str, gone: str, now: datetime) -> None:
    """Count the thresholds that fired for both in one row; where one is not armed yet, it is not armed at all."""
    query = select(CROSSINGS).where(among(CROSSINGS.c.lead_id, "both"))
    rows = [dict(row) for row in connection.execute(query, {"both": [kept, gone]}).mappings()]
    if not any(row["lead_id"] == gone for row in rows):
        return
    rows.sort(key=lambda row: (row["rearmed_at"] is None, row["fired_at"], row["id"]))
    last: dict[tuple[str, str], dict[str, Any]] = {}
    both: list[dict[str, Any]] = []
    for row in rows:
        before = last.get((row["score"], row["threshold"]))
        if before is not None and not row["n"]:  # a rebuild took it for fired, and nobody was told
            before["rearmed_at"] = before["rearmed_at"] and row["rearmed_at"]
            continue
        if before is not None and before["rearmed_at"] is None:
            before["rearmed_at"] = now  # the one that fired after it is the one to be armed again
        row.update(lead_id=kept, n=min(row["n"], 1) if before is None else before["n"] + 1)
        last[row["score"], row["threshold"]] = row
        both.append(row)
    connection.execute(delete(CROSSINGS).where(CROSSINGS.c.id.in_([row["id"] for row in rows])))
    insert_rows(connection, CrossingRow, both)


def _needs(connection: Connection, kept: str, gone: str) -> None:
    """Of a need of both, what was said of it last holds, but nothing presumed against what a lead said itself."""
    query = select(NEEDS).where(among(NEEDS.c.lead_id, "both")).order_by(NEEDS.c.at, NEEDS.c.kind, NEEDS.c.readiness)
    rows = [dict(row) for row in connection.execute(query, {"both": [kept, gone]}).mappings()]
    if not any(row["lead_id"] == gone for row in rows):
        return
    last: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = last.get(row["product"])
        said = Need.model_validate({name: row[name] for name in Need.model_fields})
        known = None if before is None else Need.model_validate({name: before[name] for name in Need.model_fields})
        last[row["product"]] = {**row, "lead_id": kept, **holds(known, said).model_dump()}
    connection.execute(delete(NEEDS).where(among(NEEDS.c.lead_id, "both")), {"both": [kept, gone]})
    insert_rows(connection, NeedRow, list(last.values()))


def _journeys(connection: Connection, kept: str, gone: str, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Put the journeys of both in one row, and have those ended that are one too many; who came, and who ends."""
    names = ("id", "campaign", "key", "run", "entered", "status", "lead_id")
    query = select(*(JOURNEYS.c[name] for name in names)).where(among(JOURNEYS.c.lead_id, "both"))
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
    body = {"journey": journey_id, "arm": MERGED}
    row = OutboxRow(lead_id=lead_id, kind="signal", body=body, due_at=now, created_at=now)
    return row.model_dump(exclude={"id"})


def _mailed(connection: Connection, kept: str, gone: str, now: datetime) -> None:
    """Let one message of each mailing count for both: one that went out keeps the other from going."""
    query = select(*(MESSAGES.c[name] for name in ("id", "run_id", "lead_id", "status"))).where(
        among(MESSAGES.c.lead_id, "both"), MESSAGES.c.run_id.is_not(None)
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
