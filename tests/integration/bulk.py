"""What tests of bulk runs stand on: leads by the dozen, and a run ordered as the command line does."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from nurture.audiences import Audience
from nurture.lead import lead
from nurture.mailing import Mailing
from nurture.store import Store, bulk_runs
from nurture.store.consents import record_consent
from nurture.store.models import BulkRunRow, IdentityRow, JourneyRow, LeadRow, MessageRow

GERMANS = Audience(key="germans", who=lead.country == "DE")
NEWS = Mailing(key="november", template="test/one", audience="germans", title="News in November")


def a_lead(n: int, now: datetime, **profile: Any) -> LeadRow:
    """The n-th lead, a German unless told otherwise."""
    known = {"email": f"lead-{n}@example.com", "country": "DE", **profile}
    return LeadRow(id=f"lead-{n:05}", email=known["email"], time_zone=known.get("time_zone"), profile=known,
                   created_at=now, updated_at=now)  # fmt: skip


async def settle(store: Store, leads: Sequence[LeadRow], now: datetime, consent: bool | None = True) -> list[str]:
    """Put them into the store, consenting unless told otherwise; answers their ids."""
    async with store.write() as session:
        session.add_all(leads)
        await session.flush()
        for one in leads:
            session.add(IdentityRow(kind="email", value=one.email or one.id, lead_id=one.id))
            if consent is not None:
                await record_consent(session, one.id, "news", consent, "test", now)
    return [one.id for one in leads]


async def ordered(
    store: Store, now: datetime, kind: str, what: str = "", *, mailing: Mailing | None = None,
    audience: Audience = GERMANS, rate: float = 1000,
) -> str:  # fmt: skip
    """A run for the audience; answers its id."""
    written = {"audience": audience.model_dump(mode="json"), "mailing": mailing and mailing.model_dump(mode="json")}
    run = BulkRunRow(kind=kind, what=mailing.key if mailing else what, audience=audience.key, written=written, rate=rate,
                     ordered_by="test", ordered_at=now)  # fmt: skip
    async with store.write() as session:
        await bulk_runs.order(session, run, now)
    return run.id


async def run_of(store: Store, run_id: str) -> BulkRunRow:
    async with store.read() as session:
        return await bulk_runs.get(session, run_id)


async def entered(store: Store) -> list[str]:
    """The leads of all journeys, in order, as often as they have one."""
    async with store.read() as session:
        return list((await session.exec(select(JourneyRow.lead_id).order_by(JourneyRow.lead_id))).all())


async def ledger_rows(store: Store) -> list[MessageRow]:
    """The messages of a mailing."""
    query = select(MessageRow).where(col(MessageRow.run_id).is_not(None)).order_by(MessageRow.occurrence)
    async with store.read() as session:
        return list((await session.exec(query)).all())


async def ledger(store: Store) -> dict[str, tuple[str, str]]:
    """The lead, status and reason of each message of a mailing."""
    return {row.lead_id or "": (row.status, row.reason) for row in await ledger_rows(store)}


def busiest(times: Sequence[datetime], window: timedelta) -> int:
    """The most of them in any such window."""
    return max((sum(at <= other < at + window for other in times) for at in times), default=0)


def by_status(rows: dict[str, tuple[str, str]]) -> Counter[str]:
    return Counter(status for status, _ in rows.values())
