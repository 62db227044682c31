"""Request bodies: bounded before they are read, and plain JSON."""

import json
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nurture.errors import BadInput

LARGEST = 1_000_000
TOO_LARGE = f"the body is larger than {LARGEST} bytes: send less at once"
LONGEST_NUMBER = 4000  # digits; Python refuses to read longer ones, and so the neighbours of one


class Bounded:
    """Refuses a body that is, or says it is, too large, before it is read to its end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            announced = Headers(scope=scope).get("content-length", "") if read == 0 else ""
            message = await receive() if not (announced.isdigit() and int(announced[:20]) > LARGEST) else None
            read += len(message.get("body", b"")) if message is not None else LARGEST + 1
            if message is None or read > LARGEST:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self.app(scope, bounded, send)


def as_json(body: bytes) -> Any:
    """The body as JSON. What JSON does not know (NaN, half a surrogate pair) is read: it is refused item by item."""
    try:
        return from_json(body)
    except ValueError:
        pass
    try:
        return json.loads(body, parse_int=_whole_number)
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is no JSON (UTF-8), or nested too deeply", field="body") from error


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) < LONGEST_NUMBER else float("inf")


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, urlencoded or multipart, without files."""
    form: FormData = await request.form(max_files=0, max_fields=20, max_part_size=20_000)
    return {name: value for name, value in form.items() if isinstance(value, str)}
