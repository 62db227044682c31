"""RFM in the store: how every customer buys, rated among all of them."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture.rfm import Buying, Rfm, bounds_of, buying_of, rated
from nurture.store.database import Session
from nurture.store.events import announce
from nurture.store.leads import locked
from nurture.store.models import LeadRow

PAGE = 1000


async def customers(session: Session) -> dict[str, dict[str, Any]]:
    """The profiles of all customers, by lead."""
    return {lead_id: profile async for lead_id, profile in _customers(session)}


async def _customers(session: Session) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    bought = col(LeadRow.profile)["customer"].as_boolean()
    query = select(LeadRow.id, LeadRow.profile).where(bought).order_by(col(LeadRow.id)).limit(PAGE)
    last = ""
    while page := (await session.exec(query.where(col(LeadRow.id) > last))).all():
        last = page[-1][0]
        for lead_id, profile in page:
            yield lead_id, dict(profile)


async def ratings(session: Session, now: datetime) -> dict[str, Rfm]:
    """How every customer is rated now; money counts in the currency that most of them pay in."""
    summaries = {lead_id: profile.get("orders") or {} for lead_id, profile in (await customers(session)).items()}
    used = Counter(currency for summary in summaries.values() for currency in summary.get("total", {}))
    currency = min(used, key=lambda one: (-used[one], one), default="")
    buying: dict[str, Buying] = {}
    for lead_id, summary in summaries.items():
        if (one := buying_of(summary, currency)) is not None:
            buying[lead_id] = one
    bounds = bounds_of(buying.values(), now.date())
    return {lead_id: rated(one, bounds, now.date()) for lead_id, one in buying.items()}


async def rate(session: Session, now: datetime) -> int:
    """Keep the ratings in the customers' profiles, and announce those that changed; how many did."""
    found, changed = await ratings(session, now), 0
    for lead_id, profile in sorted((await customers(session)).items()):
        rating = found[lead_id]._asdict() if lead_id in found else None
        if profile.get("rfm") == rating:
            continue
        lead = await locked(session, lead_id)
        others = {name: value for name, value in lead.profile.items() if name != "rfm"}
        lead.profile = others if rating is None else {**others, "rfm": rating}
        session.add(lead)
        await announce(session, lead_id, {"lead.rfm"}, now)
        changed += 1
    return changed
