"""One item, or up to 500 at once: taken in together and answered one by one, so that a bad one harms no other."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.responses import Response

from nurture.errors import BadInput, NotFound, NurtureError
from nurture.intake import Incoming, Result
from web.problems import JSON, TooLarge, detail_of, document, status_of
from web.state import State, clock

MOST_AT_ONCE = 500
REPLAYED = {"Idempotent-Replayed": "true"}
Read: TypeAlias = Callable[[Any], Awaitable[Incoming]]


async def take_in(here: State, given: Any, name: str, read: Read) -> Response:
    """The answer to one item (202, or the error), or to a list of them, bare or as `{name: […]}` (207)."""
    if isinstance(given, dict) and isinstance(given.get(name), list):
        if len(given) > 1:
            raise BadInput(f'{name}: give nothing else beside it, such as {{"{name}": […]}}', field=name)
        given = given[name]
    if isinstance(given, list):
        return JSON({"results": await _each(here, given, name, read)}, 207)
    (result,) = await here.intake.accept([await read(given)], clock())
    return JSON(taken(result), 202, REPLAYED if result.duplicate else None)


async def _each(here: State, given: list[Any], name: str, read: Read) -> list[dict[str, Any]]:
    if len(given) > MOST_AT_ONCE:
        raise TooLarge(f"{len(given)} {name} at once: send at most {MOST_AT_ONCE}")
    answers: dict[int, dict[str, Any]] = {}
    good: dict[int, Incoming] = {}
    for at, raw in enumerate(given):
        try:
            good[at] = await read(raw)
        except (BadInput, NotFound) as error:
            answers[at] = _refused(error, raw.get("id") if isinstance(raw, dict) else None)
    results = await here.intake.accept(list(good.values()), clock()) if good else []
    for at, result in zip(good, results, strict=True):
        answers[at] = _refused(result.error, result.id) if result.error else {"status": 202, **taken(result)}
    return [answers[at] for at in range(len(given))]


def _refused(error: NurtureError, item: object) -> dict[str, Any]:
    named = {"id": item[:128]} if isinstance(item, str) and item else {}
    return {**document(status_of(error), detail_of(error), getattr(error, "field", None)), **named}


def taken(result: Result) -> dict[str, Any]:
    """What is answered of an item that was taken; the error of one that was not is raised."""
    if result.error is not None:
        raise result.error
    answer: dict[str, Any] = {"id": result.id, "lead_id": result.lead_id}
    return {**answer, "warnings": list(result.warnings)} if result.warnings else answer
