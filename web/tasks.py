"""Tasks that journeys gave to people: seen and done."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from nurture.store import tasks
from nurture.store.models import RequestRow
from web.auth import may
from web.state import State, clock, present

Here = Annotated[State, Depends(present)]
Limit = Annotated[int, Query(ge=1, le=1000)]
routes = APIRouter(prefix="/v1", tags=["tasks"])


class TaskOut(BaseModel):
    """Something for a person of a team to do."""

    id: str
    lead_id: str
    title: str
    team: str
    status: str
    created_at: datetime
    due_at: datetime | None


class TasksOut(BaseModel):
    """Tasks, the one due first first."""

    tasks: list[TaskOut]


class DoneIn(BaseModel):
    """Who did it."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="api", min_length=1, max_length=100)


@routes.get("/tasks", dependencies=[Depends(may("leads:read"))])
async def list_tasks(here: Here, team: str | None = None, limit: Limit = 100) -> TasksOut:
    """Tasks that are not done, of one team or of all."""
    async with here.store.read() as session:
        found = await tasks.listed(session, team, limit=limit)
    return TasksOut(tasks=[_task(one) for one in found])


@routes.post("/tasks/{task_id}/done", dependencies=[Depends(may("leads:write"))])
async def finish_task(task_id: str, given: DoneIn, here: Here) -> TaskOut:
    """Note that a task is done, which its lead's journeys hear as `task_done`; one that was done before answers 409."""
    async with here.store.write() as session:
        return _task(await tasks.done(session, task_id, given.by, clock()))


def _task(row: RequestRow) -> TaskOut:
    return TaskOut(**row.model_dump(exclude={"body"}), title=row.body["title"], team=row.body["team"])
