"""Webhooks as code: `Source` maps what another system sends us to an event, `Hook` names one that we call."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nurture.deals import Status
from nurture.errors import BadInput

OrderPart: TypeAlias = Literal["number", "amount", "currency", "reason", "refund_id", "refund_amount"]
LinePart: TypeAlias = Literal["product", "quantity", "amount"]


class Hook(BaseModel):
    """Another system's address that `call(…)` sends to, signed by the Standard Webhooks scheme.

    The secret is the setting `NURTURE_HOOK_SECRETS__<KEY>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    url: str


class Source(BaseModel):
    """Another system that calls `POST /hooks/in/<key>`: how its payload reads as an event.

    Paths go into the payload by dots (`data.customer.email`). `events` maps the value at `type_at` to our event names,
    `orders` to a status of an order (placed, paid, refunded, cancelled, lost), which `order` then finds: its `number`,
    `amount`, `currency`, `reason`, and of a part given back `refund_id` and `refund_amount`. `lines_at` is the list of what
    was ordered, `line` where each of them has its `product`, `quantity` and `amount`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    events: dict[str, str] = Field(default_factory=dict)
    type_at: str = "type"
    lead: dict[str, str]
    properties: dict[str, str] = Field(default_factory=dict)
    time_at: str | None = None
    orders: dict[str, Status] = Field(default_factory=dict)
    order: dict[OrderPart, str] = Field(default_factory=dict)
    lines_at: str | None = None
    line: dict[LinePart, str] = Field(default_factory=dict)

    def ordered(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The payload as `{"news", "lead", "at"}`, news of an order as `News` reads them; None when it is of something else."""
        status = self.orders.get(str(_at(payload, self.type_at)))
        if status is None:
            return None
        found = _present(payload, self.order)
        refund_id, refunded = found.pop("refund_id", None), found.pop("refund_amount", None)
        news: dict[str, Any] = {**found, "number": _as_name(found.get("number")), "source": self.key, "status": status}
        if refunded is not None and status == "refunded":
            news["refund"] = {"id": _as_name(refund_id), "amount": refunded}
        items = _at(payload, self.lines_at) if self.lines_at else None
        if isinstance(items, list):
            news["lines"] = [_present(one, self.line) for one in items]
        return {"news": news, "lead": self._lead(payload), "at": _at(payload, self.time_at) if self.time_at else None}

    def _lead(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return _present(payload, self.lead)

    def mapped(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The payload as `{"name", "lead", "properties", "at"}`; None when its type is not one of ours."""
        kind = _at(payload, self.type_at)
        if not isinstance(kind, str):
            raise BadInput(f"source {self.key}: the payload has no text at {self.type_at}", field=self.type_at)
        if kind not in self.events:
            return None
        lead = self._lead(payload)
        if not lead:
            places = ", ".join(self.lead.values())
            raise BadInput(f"source {self.key}: the payload names no lead (looked at {places})", field=places)
        properties = _present(payload, self.properties)
        at = _at(payload, self.time_at) if self.time_at else None
        return {"name": self.events[kind], "lead": lead, "properties": properties, "at": at}


def _as_name(value: Any) -> Any:
    """A number that names something, as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _present(payload: Any, paths: Mapping[Any, str]) -> dict[str, Any]:
    """What is there of the values at those paths, by name."""
    return {name: value for name, path in paths.items() if (value := _at(payload, path)) is not None}


def _at(payload: Any, path: str) -> Any:
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload
