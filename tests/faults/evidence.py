"""The evidence of a run, gathered from three sides that know nothing of each other: the sink, the store, Temporal.

The store is read by plain SQL and Temporal by a plain client, so that no code of the product speaks for itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client

from tests.faults.databases import Database
from tests.faults.records import entries

BREAKS = {
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
}
LEDGER = """SELECT m.journey_id, m.occurrence, m.message_id, m.template, m.status, m.reason, m.due_at, m.committed_at,
    m.updated_at, l.email FROM messages m JOIN leads l ON l.id = m.lead_id"""
CITIES = "SELECT email, profile->>'city' AS city FROM leads"
HEARD = """SELECT l.email, count(*) AS times FROM moves m JOIN journeys j ON j.id = m.journey_id
    JOIN leads l ON l.id = j.lead_id WHERE m.reply->>'kind' = 'heard' GROUP BY l.email"""
JOURNEYS = """SELECT j.id, j.campaign, j.status, j.ending, j.until, l.email
    FROM journeys j JOIN leads l ON l.id = j.lead_id"""


class Arrival(NamedTuple):
    """A mail that the world received."""

    at: datetime
    to: str
    key: str
    message_id: str
    subject: str


class Acknowledged(NamedTuple):
    """An event that a client was told is safe."""

    at: datetime
    id: str
    name: str
    email: str
    sent: datetime
    refuses: bool = False


class Entry(NamedTuple):
    """A row of the ledger."""

    key: str
    message_id: str
    template: str
    status: str
    reason: str
    due: datetime
    committed: datetime | None
    settled: datetime
    email: str


class Standing(NamedTuple):
    """Where the store says a journey stands."""

    id: str
    email: str
    campaign: str
    status: str
    ending: str | None
    until: datetime | None


class Evidence(NamedTuple):
    """All of one moment."""

    at: datetime
    arrivals: tuple[Arrival, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    ledger: tuple[Entry, ...] = ()
    journeys: tuple[Standing, ...] = ()
    events: Mapping[str, int] = Counter()
    points: Mapping[str, Mapping[str, float]] = {}
    cities: Mapping[str, str | None] = {}
    heard: Mapping[str, int] = {}
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    suppressed: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    waiting: int = 0
    buried: tuple[str, ...] = ()


async def gather(folder: Path, database: Database, temporal: Client, *, histories: bool = True) -> Evidence:
    """What there is to know; without `histories` it is not known which workflows broke, and it takes a tenth of the time."""
    at = datetime.now(UTC)
    workflows = [one async for one in temporal.list_workflows()]
    running = frozenset(_journey(one.id) for one in workflows if one.close_time is None)
    broken = frozenset(
        [_journey(one.id) for one in workflows if histories and await broke(temporal, one.id, one.run_id)]
    )
    return Evidence(
        at=at,
        arrivals=tuple(
            Arrival(one["at"], one["to"], one["key"] or "", one["message_id"], one["subject"])
            for one in entries(folder / "arrivals.jsonl")
        ),
        acknowledged=tuple(
            Acknowledged(
                one["at"],
                one["id"],
                one["name"],
                one["email"],
                datetime.fromisoformat(one["sent"]),
                one["consents"] == {"news": False},
            )
            for one in entries(folder / "acknowledged.jsonl")
        ),
        ledger=tuple([_entry(row) for row in await database.rows(LEDGER)]),
        journeys=tuple(
            [
                Standing(one.id, one.email, one.campaign, one.status, one.ending, _time(one.until))
                for one in await database.rows(JOURNEYS)
            ]
        ),
        events=Counter([one.id for one in await database.rows("SELECT id FROM events")]),
        points=await _points(database),
        cities={one.email: one.city for one in await database.rows(CITIES)},
        heard={one.email: one.times for one in await database.rows(HEARD)},
        pauses=tuple(_pauses(folder)),
        suppressed=frozenset(
            [one.address_hash for one in await database.rows("SELECT address_hash FROM suppressions")]
        ),
        running=running,
        broken=broken,
        waiting=(await database.rows("SELECT count(*) AS n FROM outbox"))[0].n,
        buried=tuple([one.reason for one in await database.rows("SELECT reason FROM dead_letters")]),
    )


async def _points(database: Database) -> dict[str, dict[str, float]]:
    given = """SELECT l.email, s.score, sum(s.points) AS points FROM score_changes s JOIN leads l ON l.id = s.lead_id
        GROUP BY l.email, s.score"""
    points: dict[str, dict[str, float]] = {}
    for one in await database.rows(given):
        points.setdefault(one.email, {})[one.score] = one.points
    return points


async def broke(temporal: Client, workflow_id: str, run_id: str | None = None) -> bool:
    """Whether a task of that workflow broke on its own code."""
    async for event in temporal.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
        failed = event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        if failed and event.workflow_task_failed_event_attributes.cause in BREAKS:
            return True
    return False


def _journey(workflow_id: str) -> str:
    return workflow_id.removeprefix("journey:")


def _pauses(folder: Path) -> Iterator[tuple[datetime, datetime]]:
    """From when to when the nemesis kept a campaign paused."""
    begun = None
    for one in entries(folder / "faults.jsonl"):
        if one["fault"] == "paused":
            begun = one["at"]
        elif one["fault"] == "resumed" and begun is not None:
            yield begun, one["at"]


def _entry(row: Any) -> Entry:
    due, settled = _time(row.due_at), _time(row.updated_at)
    assert due is not None
    assert settled is not None
    key = f"{row.journey_id}/{row.occurrence}"
    return Entry(
        key, row.message_id.strip("<>"), row.template, row.status, row.reason, due, _time(row.committed_at), settled,
        row.email,
    )  # fmt: skip


def _time(value: Any) -> datetime | None:
    """A time of either database."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)
