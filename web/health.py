"""Health: `/live` says that the process runs, `/ready` whether it can do its work, and if not, why not."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from nurture.lookout import readiness
from nurture.readiness import Checklist, database, room, tables
from nurture.settings import Settings
from nurture.store import Store
from web.state import State, present

routes = APIRouter(tags=["health"])


def checklist(store: Store, settings: Settings) -> Checklist:
    """What a web process needs."""
    needed = {"database": database(store), "tables": tables(store), "outbox": room(store, settings.outbox_limit)}
    return Checklist(needed)


@routes.get("/live")
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "alive"}


@routes.get("/ready")
async def ready(here: Annotated[State, Depends(present)]) -> JSONResponse:
    """The database answers, its tables are current, and the outbox has room; what is not so is told with the reason."""
    return readiness(await here.checklist.asked())
