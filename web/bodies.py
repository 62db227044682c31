"""Requests as they are read: how large a body may be, what it says, and which headers came once."""

import json
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import FormData

from nurture.errors import BadInput

LARGEST = 1_000_000  # bytes
LONGEST_NUMBER = 4000  # digits; Python refuses to read longer ones, and so the neighbours of one


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
    return await fields_of(request, longest=20_000)


async def fields_of(request: Request, longest: int = LARGEST) -> dict[str, str]:
    """The fields of a form that may be so long each."""
    form: FormData = await request.form(max_files=0, max_fields=100, max_part_size=longest)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def said_once(request: Request) -> dict[str, str]:
    """The headers that came once, by their names in lower case."""
    found: dict[str, str] = {}
    twice = set()
    for name, value in request.headers.items():
        if name in found:
            twice.add(name)
        found[name] = value
    return {name: value for name, value in found.items() if name not in twice}


# Plain routes, as very many may come at once.
