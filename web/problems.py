"""Errors as problem documents (RFC 9457): what is wrong, which field, and what to do; never a trace or a value."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from nurture.errors import BadInput, DatabaseAway, NotFound, NurtureError, Refused, Unavailable
from nurture.intake.incoming import bad_input
from web.looks import broken, wants_page

HEADERS = {503: {"Retry-After": "2"}, 401: {"WWW-Authenticate": "Bearer"}}
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


class JSON(Response):
    """JSON in ASCII, so that any text, even a broken one, can be quoted in it."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status, {"X-Content-Type-Options": "nosniff", **(headers or {})})

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


class ProblemJSON(JSON):
    """A problem document as a response."""

    media_type = "application/problem+json"


def status_of(error: NurtureError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def detail_of(error: NurtureError) -> str:
    """What to say of it to whoever asked."""
    if isinstance(error, DatabaseAway):  # which one, is nobody's business out there
        return "the database is out of reach: nothing was taken, try again in a moment"
    return str(error)


def document(status: int, detail: str, field: str | None = None) -> dict[str, Any]:
    """A problem document."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return body if field is None else {**body, "field": field}


def add_problems(app: FastAPI) -> None:
    """Answer every error of the app with a problem document, or with a page where a person looks."""

    def answer(
        request: Request, status: int, detail: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        headers = {**HEADERS.get(status, {}), **(headers or {})}
        if wants_page(request):
            return broken(request, status, headers)
        return ProblemJSON(document(status, detail, field), status, headers)

    @app.exception_handler(NurtureError)
    async def _ours(request: Request, error: NurtureError) -> Response:
        status = status_of(error)
        if status == 500:
            log.error("web.failed", error=type(error).__name__)
            return answer(request, 500, "unexpected; see the log of the web process")
        return answer(request, status, detail_of(error), getattr(error, "field", None))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return answer(request, 422, "the body is no JSON (UTF-8)", "body")
        field = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return answer(request, 422, f"{field}: {first['msg']}", field)

    @app.exception_handler(ValidationError)
    async def _refused(request: Request, error: ValidationError) -> Response:
        found = bad_input(error)
        return answer(request, 422, str(found), found.field)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.error("web.broke", error=type(error).__name__)
        return answer(request, 500, "unexpected; see the log of the web process")
