"""RFM in the store: how every customer buys, rated among all of them."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import col, select

from nurture.rfm import Buying, Rfm, bounds_of, buying_of, rated
from nurture.store.database import Session
from nurture.store.events import announce
from nurture.store.leads import locked
from nurture.store.models import LeadRow

PAGE = 1000
MOST_AT_ONCE = 1000
"""So many ratings are changed in one go, since that holds the customers' rows."""


class Customer(NamedTuple):
    """A customer: the summary of its orders, and how it was rated last."""

    lead_id: str
    orders: dict[str, Any]
    rfm: dict[str, int] | None


async def ratings(session: Session, now: datetime) -> dict[str, Rfm]:
    """How every customer is rated now."""
    return _rated([one async for one in _customers(session)], now)


async def rate(session: Session, now: datetime) -> int:
    """Keep ratings that changed in the customers' profiles, and announce them; how many there were, a thousand at most."""
    customers = [one async for one in _customers(session)]
    found = _rated(customers, now)
    new = {one.lead_id: found[one.lead_id]._asdict() if one.lead_id in found else None for one in customers}
    changed = [one.lead_id for one in customers if new[one.lead_id] != one.rfm][:MOST_AT_ONCE]
    for lead_id in changed:
        lead = await locked(session, lead_id)
        others = {name: value for name, value in lead.profile.items() if name != "rfm"}
        lead.profile = others if new[lead_id] is None else {**others, "rfm": new[lead_id]}
        session.add(lead)
        await announce(session, lead_id, {"lead.rfm"}, now)
    return len(changed)


async def _customers(session: Session) -> AsyncIterator[Customer]:
    """All customers, in order of their ids."""
    profile = col(LeadRow.profile)
    query = select(col(LeadRow.id), profile["orders"], profile["rfm"]).where(profile["customer"].as_boolean())
    last = ""
    while page := (await session.exec(query.where(col(LeadRow.id) > last).order_by(col(LeadRow.id)).limit(PAGE))).all():
        for lead_id, orders, rfm in page:
            yield Customer(lead_id, orders or {}, rfm)
        last = page[-1][0]


def _rated(customers: list[Customer], now: datetime) -> dict[str, Rfm]:
    """Their ratings; money counts in the currency that most of them pay in."""
    used = Counter(currency for one in customers for currency in one.orders.get("total", {}))
    currency = min(used, key=lambda one: (-used[one], one), default="")
    buying: dict[str, Buying] = {}
    for one in customers:
        if (how := buying_of(one.orders, currency)) is not None:
            buying[one.lead_id] = how
    bounds = bounds_of(buying.values(), now.date())
    return {lead_id: rated(how, bounds, now.date()) for lead_id, how in buying.items()}
