"""Who may call: API keys sent as `Authorization: Bearer nk_…`, each for its scopes only."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from nurture.store.api_keys import Scope, holder
from web.problems import Forbidden, Unauthorised
from web.state import State, state

BEARER = HTTPBearer(auto_error=False, description="An API key: nurture keys make NAME --scope …")
REMEMBERED = 10.0  # seconds that a checked key is known for, so that not every request reads it
MOST_REMEMBERED = 1000


def may(scope: Scope) -> Callable[..., Awaitable[None]]:
    """A dependency that lets only keys with that scope pass."""

    async def check(
        request: Request,
        here: Annotated[State, Depends(state)],
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> None:
        if given is None:
            raise Unauthorised("give an API key: Authorization: Bearer nk_… (make one with nurture keys make)")
        scopes = await _scopes(request, here, given.credentials)
        if scopes is None:
            raise Unauthorised("this API key is not valid (any more): make another with nurture keys make")
        if scope not in scopes:
            raise Forbidden(f"this API key may not do that: it needs the scope {scope}")

    return check


async def _scopes(request: Request, here: State, key: str) -> frozenset[str] | None:
    known: dict[str, tuple[float, frozenset[str]]] = request.app.state.known_keys
    name = hashlib.sha256(key.encode()).hexdigest()
    until, scopes = known.get(name, (0.0, frozenset()))
    if until > time.monotonic():
        return scopes
    async with here.store.read() as session:
        row = await holder(session, key)
    if row is None:
        known.pop(name, None)
        return None
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[name] = time.monotonic() + REMEMBERED, frozenset(row.scopes)
    return known[name][1]
