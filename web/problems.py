"""Errors as problem documents (RFC 9457): what is wrong, which field, and what to do; never a trace or a value."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from nurture.errors import BadInput, NotFound, NurtureError, Refused, Unavailable

RETRY_AFTER = {"Retry-After": "1"}
log = structlog.get_logger()


class Unauthorised(NurtureError):
    """No key, or not a valid one."""


class Forbidden(NurtureError):
    """The key may not do that."""


class TooLarge(NurtureError):
    """More than is taken at once."""


STATUS: tuple[tuple[type[NurtureError], int], ...] = (
    (Unauthorised, 401),
    (Forbidden, 403),
    (TooLarge, 413),
    (NotFound, 404),
    (Refused, 409),
    (BadInput, 422),
    (Unavailable, 503),
)


def status_of(error: NurtureError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def document(status: int, detail: str, field: str | None = None) -> dict[str, Any]:
    """A problem document."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return body if field is None else {**body, "field": field}


def problem(status: int, detail: str, field: str | None = None) -> JSONResponse:
    """A problem as a response."""
    headers = RETRY_AFTER if status == 503 else {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(document(status, detail, field), status, headers, media_type="application/problem+json")


def add_problems(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""

    @app.exception_handler(NurtureError)
    async def _ours(_: Request, error: NurtureError) -> Response:
        status = status_of(error)
        if status == 500:
            log.error("web.failed", error=type(error).__name__)
            return problem(500, "unexpected; see the log of the web process")
        return problem(status, str(error), getattr(error, "field", None))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return problem(422, f"{field}: {first['msg']}", field)

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> Response:
        log.error("web.broke", error=type(error).__name__)
        return problem(500, "unexpected; see the log of the web process")
