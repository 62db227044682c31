"""Who may call: API keys sent as `Authorization: Bearer nk_…`, each for its scopes only."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from nurture.store.api_keys import Scope
from web.problems import Forbidden, Unauthorised
from web.state import state

BEARER = HTTPBearer(auto_error=False, description="An API key: nurture keys make NAME --scope …", scheme_name="key")


async def check(request: Request, scope: Scope) -> None:
    """Refuse a request whose key is missing, not valid, or not for that scope."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key:
        raise Unauthorised("give an API key: Authorization: Bearer nk_… (make one with nurture keys make)")
    scopes = await state(request).keys.scopes(key.strip())
    if scopes is None:
        raise Unauthorised("this API key is not valid (any more): make another with nurture keys make")
    if scope not in scopes:
        raise Forbidden(f"this API key may not do that: it needs the scope {scope}")


def may(scope: Scope) -> Callable[..., Awaitable[None]]:
    """A dependency that lets only keys with that scope pass."""

    async def allowed(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> None:  # BEARER is there for the API's description
        await check(request, scope)

    return allowed
