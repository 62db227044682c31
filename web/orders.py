"""Orders, status by status: each one event, with what it means for its lead, in one commit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from nurture.deals import Line, News
from nurture.errors import BadInput
from nurture.intake import Internal
from nurture.intake.incoming import bad_input, stable_id
from nurture.store import orders
from web.auth import may
from web.bodies import as_json
from web.items import take_in
from web.state import State, present

Here = Annotated[State, Depends(present)]
routes = APIRouter(prefix="/v1", tags=["orders"])


class OrderIn(News):
    """A status that an order came to, its lead, and when; the lead may be left out once the order is known."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": "4711",
                "source": "shop",
                "status": "paid",
                "lead": {"email": "ann@example.com"},
                "amount": "120.00",
                "currency": "EUR",
                "lines": [{"product": "starter-kit", "quantity": 1, "amount": "120.00"}],
            }
        },
    )

    lead: dict[str, Any] = Field(default_factory=dict)
    at: AwareDatetime | None = None


@routes.post("/orders", dependencies=[Depends(may("events:write"))], status_code=202)
async def take_orders(request: Request, here: Here) -> Response:
    """Take in a status of one order, or of up to 500 in a list.

    The same status of the same order (by `source` and `number`) has no second effect; several refunds of one order are
    told apart by their `refund.id`. Statuses may come in any order.
    """

    async def read(raw: object) -> Internal:
        if not isinstance(raw, dict):
            raise BadInput('give an object such as {"number": "4711", "status": "paid", …}')
        try:
            given = OrderIn.model_validate(raw)
        except ValidationError as error:
            raise bad_input(error, tuple(OrderIn.model_fields)) from None
        news = News.model_validate(given.model_dump(exclude={"lead", "at"}))
        return await told(here, news, given.lead, given.at)

    return await take_in(here, as_json(await request.body()), "orders", read)


async def told(here: State, news: News, lead: Mapping[str, Any], at: datetime | None) -> Internal:
    """The news as an item of intake; who is named by nobody is the lead of the order that is known."""
    if not lead:
        async with here.store.read() as session:
            order = await orders.find(session, news.source, news.number)
        if order is None:
            raise BadInput(
                f"lead: nobody is named, and order {news.number} of {news.source} is not known yet: "
                "give the lead's email, external_id, phone, cookie or id",
                field="lead",
            )
        lead = {"id": order.lead_id}
    name, cause = f"order_{news.status}", stable_id(*news.told_once)
    return Internal(id=cause, name=name, lead=dict(lead), at=at, source=news.source, order=news)


class OrderOut(BaseModel):
    """An order as it stands."""

    number: str
    source: str
    lead_id: str
    status: str
    reason: str
    amount: str | None
    refunded: str
    currency: str
    placed_at: datetime | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    lost_at: datetime | None
    lines: list[Line]


@routes.get("/orders/{source}/{number}", dependencies=[Depends(may("leads:read"))])
async def show_order(source: str, number: str, here: Here) -> OrderOut:
    """An order as it stands; an amount is a decimal, `refunded` is what was given back of it."""
    async with here.store.read() as session:
        order, lines = await orders.get(session, source, number)
    kept = [Line(product=one.product, quantity=one.quantity, amount=one.amount) for one in lines]
    return OrderOut(**{**order.model_dump(), "lines": kept})
