"""Request bodies: bounded before they are read, and plain JSON."""

import json
from typing import Any

from fastapi import Request

from nurture.errors import BadInput
from web.problems import TooLarge

LARGEST = 1_000_000


async def raw_body(request: Request) -> bytes:
    """The body, refused as soon as it is larger than is taken."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST:
        raise TooLarge(f"the body is larger than {LARGEST} bytes: send less at once")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge(f"the body is larger than {LARGEST} bytes: send less at once")
    return bytes(body)


def as_json(body: bytes) -> Any:
    """The body as JSON; numbers that JSON does not know (NaN) are refused."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is no JSON (UTF-8)", field="body") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
