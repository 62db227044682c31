"""Health: `/live` says that the process runs, `/ready` that it can do its work."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from nurture.errors import NurtureError
from nurture.store import outbox
from nurture.store.migrate import is_current
from web.state import State, state

PATIENCE = 2.0
routes = APIRouter(tags=["health"])


@routes.get("/live")
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "alive"}


@routes.get("/ready")
async def ready(here: Annotated[State, Depends(state)]) -> JSONResponse:
    """The database answers, its tables are current, and the outbox has room."""
    checks: dict[str, Any] = {"database": False, "tables": False, "outbox": False}
    with suppress(NurtureError, TimeoutError):  # what could not be told stays false
        async with asyncio.timeout(PATIENCE), here.store.read() as session:
            checks["outbox"] = await outbox.depth(session) < here.settings.outbox_limit
            checks["database"] = True
            checks["tables"] = await is_current(here.store)
    fit = all(checks.values())
    return JSONResponse({"status": "ready" if fit else "not ready", "checks": checks}, 200 if fit else 503)
