"""Webhooks as code: `Source` maps what another system sends us to an event, `Hook` names one that we call."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nurture.errors import BadInput


class Hook(BaseModel):
    """Another system's address that `call(…)` sends to, signed by the Standard Webhooks scheme.

    The secret is the setting `NURTURE_HOOK_SECRETS__<KEY>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    url: str


class Source(BaseModel):
    """Another system that calls `POST /hooks/in/<key>`: how its payload reads as an event.

    Paths go into the payload by dots (`data.customer.email`). `events` maps the value at `type_at` to our event names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    events: dict[str, str]
    type_at: str = "type"
    lead: dict[str, str]
    properties: dict[str, str] = Field(default_factory=dict)
    time_at: str | None = None

    def mapped(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The payload as `{"name", "lead", "properties", "at"}`; None when its type is not one of ours."""
        kind = _at(payload, self.type_at)
        if not isinstance(kind, str):
            raise BadInput(f"source {self.key}: the payload has no text at {self.type_at}", field=self.type_at)
        if kind not in self.events:
            return None
        lead = {name: value for name, path in self.lead.items() if (value := _at(payload, path)) is not None}
        if not lead:
            places = ", ".join(self.lead.values())
            raise BadInput(f"source {self.key}: the payload names no lead (looked at {places})", field=places)
        properties = {
            name: value for name, path in self.properties.items() if (value := _at(payload, path)) is not None
        }
        at = _at(payload, self.time_at) if self.time_at else None
        return {"name": self.events[kind], "lead": lead, "properties": properties, "at": at}


def _at(payload: Any, path: str) -> Any:
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload
