"""The API's description (OpenAPI), which the plain routes of events and reports are added to by hand."""

import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import ConfigDict

from nurture.channels.reports.names import REPORTERS
from nurture.intake import Incoming
from web.intake import take_events
from web.items import MOST_AT_ONCE
from web.orders import OrderIn
from web.reports import take_mail, take_reports

ABOUT = """Events and leads come in here; links in messages lead here.

Send an API key as `Authorization: Bearer nk_…`; webhooks of other systems are signed instead.
"""
ONE = {
    "id": "order-4711",
    "name": "order_paid",
    "lead": {"email": "ann@example.com", "first_name": "Ann"},
    "properties": {"amount": 120},
}
TAKEN = {
    "type": "object",
    "required": ["id", "lead_id"],
    "properties": {
        "id": {"type": "string"},
        "lead_id": {"type": "string"},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
    },
}
REFUSALS = {
    "401": "no API key, or one that is not valid",
    "403": "the key lacks the scope events:write",
    "409": "the lead was erased, and comes in again only with a consent of its own",
    "413": f"more than {MOST_AT_ONCE} events, or a body that is too large",
    "422": "what is wrong, and in which field",
    "503": "not taken in; try again after Retry-After seconds",
}
REPORTS_REFUSED = {
    "401": "not proven to come from the provider",
    "404": "no such provider, or none that there is a secret for",
    "413": "a body that is too large",
    "422": "the body is no JSON",
    "503": REFUSALS["503"],
}
PROBLEM_JSON = "application/problem+json"


def describe(app: FastAPI) -> None:
    """Let the app's description hold all of its API."""

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            for operation in (one for path in made["paths"].values() for one in path.values()):
                operation["summary"] = re.split(r"[;.]\s", operation["description"] + " ")[0]
            event, named = _event()
            made["components"]["schemas"] |= named | {"Event": event}
            made["components"]["schemas"]["Problem"] = PROBLEM
            orders = OrderIn.model_json_schema(ref_template="#/components/schemas/{model}")
            made["components"]["schemas"] |= {**orders.pop("$defs"), "Order": orders}
            made["paths"]["/v1/orders"]["post"]["requestBody"] = _one_or_several("Order", OrderIn.model_config)
            made["paths"] = {"/v1/events": {"post": _taking_events()}, **made["paths"]}
            made["paths"]["/hooks/email/{provider}"] = {"post": _reported(take_reports)}
            made["paths"]["/hooks/email/{provider}/mime"] = {"post": _reported(take_mail)}
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]


def _event() -> tuple[dict[str, Any], dict[str, Any]]:
    """What `Incoming` reads, with a name; and the parts that it refers to, by name."""
    schema = Incoming.model_json_schema(ref_template="#/components/schemas/{model}")
    properties = {**schema["properties"], "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64}}
    defined = schema.pop("$defs", {})
    properties["consents"] = {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "boolean"}, _ref("Consent")]},
    }
    return {**schema, "title": "Event", "properties": properties, "required": ["name", "lead"]}, defined


def _taking_events() -> dict[str, Any]:
    event = {"$ref": "#/components/schemas/Event"}
    several = {"type": "array", "items": event, "maxItems": MOST_AT_ONCE}
    either = {"oneOf": [event, several]}
    examples = {"one": {"value": ONE}, "several": {"value": [ONE, {**ONE, "id": "order-4712"}]}}
    summary, _, description = (take_events.__doc__ or "").partition(".\n\n")
    return {
        "tags": ["intake"],
        "summary": summary,
        "description": "\n".join(line.strip() for line in description.splitlines()),
        "operationId": "take_events",
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": either, "examples": examples}}},
        "responses": {
            "202": _answer("the event is kept", TAKEN),
            "207": _answer("a result for each event", _results()),
            **{status: _answer(said, _ref("Problem"), PROBLEM_JSON) for status, said in REFUSALS.items()},
        },
    }


def _reported(how: Callable[..., Any]) -> dict[str, Any]:
    summary, _, more = (how.__doc__ or "").partition(".\n\n")
    count = {"type": "object", "required": ["taken"], "properties": {"taken": {"type": "integer"}}}
    said = {status: _answer(REPORTS_REFUSED[status], _ref("Problem"), PROBLEM_JSON) for status in REPORTS_REFUSED}
    return {
        "tags": ["webhooks"],
        "summary": summary.partition(":")[0],
        "description": f"{summary}. {more.strip()}",
        "operationId": how.__name__,
        "parameters": [{"name": "provider", "in": "path", "required": True, "schema": {"enum": sorted(REPORTERS)}}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {"200": _answer("how many had an effect", count), **said},
    }


def _one_or_several(name: str, config: ConfigDict) -> dict[str, Any]:
    """A body that is one thing, or a list of them."""
    several = {"type": "array", "items": _ref(name), "maxItems": MOST_AT_ONCE}
    extra = config.get("json_schema_extra")
    example = {"example": extra["example"]} if isinstance(extra, dict) else {}
    content = {"application/json": {"schema": {"oneOf": [_ref(name), several]}, **example}}
    return {"required": True, "content": content}


def _results() -> dict[str, Any]:
    item = {"oneOf": [{**TAKEN, "properties": {"status": {"const": 202}, **TAKEN["properties"]}}, _ref("Problem")]}  # type: ignore[dict-item]
    return {"type": "object", "required": ["results"], "properties": {"results": {"type": "array", "items": item}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(said: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"description": said, "content": {kind: {"schema": schema}}}
