"""Tasks that journeys gave to people: open, overdue, done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.errors import NotFound, Refused
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.models import RequestRow

TASK, MOST_AT_ONCE = "task", 1000
UNDONE = ("open", "overdue")


async def listed(
    session: Session, team: str | None = None, statuses: Sequence[str] = UNDONE, limit: int = 100
) -> list[RequestRow]:
    """Tasks, the one due first first; of one team, or of all."""
    query = select(RequestRow).where(RequestRow.kind == TASK, col(RequestRow.status).in_(statuses))
    if team is not None:
        query = query.where(col(RequestRow.body)["team"].as_string() == team)
    in_order = (
        col(RequestRow.due_at).is_(None),
        col(RequestRow.due_at),
        col(RequestRow.created_at),
        col(RequestRow.id),
    )
    return list((await session.exec(query.order_by(*in_order).limit(limit))).all())


async def done(session: Session, task_id: str, by: str, now: datetime) -> RequestRow:
    """Note that the task is done, and by whom, as the event `task_done` too; one that is done already is refused."""
    task = await session.get(RequestRow, task_id)
    if task is None or task.kind != TASK:
        raise NotFound(f"there is no task {task_id[:64]!r}: see nurture tasks list")
    lead = await locked(session, task.lead_id)
    await session.refresh(task)
    if task.status not in UNDONE:
        raise Refused(f"task {task.id} is {task.status} already")
    task.status, task.body = "done", {**task.body, "done_by": by, "done_at": now.isoformat()}
    session.add(task)
    await record_own_event(session, lead, "task_done", {**_about(task), "by": by}, f"done/{task.id}", now)
    return task


async def find_overdue(session: Session, now: datetime) -> int:
    """Tell of the tasks whose time has passed, as the event `task_overdue`, once for each; how many there were."""
    late = select(RequestRow.id, RequestRow.lead_id).where(
        RequestRow.kind == TASK, RequestRow.status == "open", col(RequestRow.due_at) <= now
    )
    found = (await session.exec(late.order_by(RequestRow.lead_id, RequestRow.id).limit(MOST_AT_ONCE))).all()
    told = 0
    for task_id, lead_id in found:
        lead = await locked(session, lead_id)
        task = await session.get_one(RequestRow, task_id, populate_existing=True)
        if task.status == "open":
            task.status = "overdue"
            session.add(task)
            told += await record_own_event(session, lead, "task_overdue", _about(task), f"overdue/{task.id}", now)
    return told


def _about(task: RequestRow) -> dict[str, Any]:
    due = {"due": task.due_at.isoformat()} if task.due_at is not None else {}
    return {"task": task.id, "title": task.body.get("title"), "team": task.body.get("team"), **due}
