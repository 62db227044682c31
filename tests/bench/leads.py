"""Leads and their journeys, put into the store in large numbers as the product itself would."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import func
from sqlmodel import col, select

from nurture.enrolment import Enrolled
from nurture.store import Store, campaigns, outbox
from nurture.store.bulk import insert_all
from nurture.store.enrolments import Wish, enrol_all
from nurture.store.models import ConsentRow, IdentityRow, JourneyRow, LeadRow, OutboxRow, new_id

AT_ONCE = 500


async def settle(store: Store, number: int, **known: str) -> list[str]:
    """So many new leads, each with an address and its consent, and what else is known of all; their ids."""
    ids: list[str] = []
    now = datetime.now(UTC)
    while len(ids) < number:
        new = [new_id() for _ in range(min(AT_ONCE, number - len(ids)))]
        leads = [_lead(one, now, known) for one in new]
        said = [ConsentRow(lead_id=one, topic="*", granted=True, source="bench", at=now) for one in new]
        names = [IdentityRow(kind="email", value=address(one), lead_id=one) for one in new]
        async with store.write() as session:
            await insert_all(session, LeadRow, [one.model_dump() for one in leads])
            await insert_all(session, ConsentRow, [one.model_dump(exclude={"id"}) for one in said])
            await insert_all(session, IdentityRow, [one.model_dump() for one in names])
        ids += new
    return ids


async def enter(
    store: Store, campaign: str, lead_ids: Sequence[str], *, pace: float = 1, start: bool = True
) -> list[str]:
    """A journey in the campaign for each lead, and the order to start it; the journeys' ids."""
    entered: list[str] = []
    for at in range(0, len(lead_ids), AT_ONCE):
        some, now = lead_ids[at : at + AT_ONCE], datetime.now(UTC)
        async with store.write() as session:
            version = await campaigns.current(session, campaign)
            wishes = [Wish(version, one, "", "bench", pace=pace, manual=True) for one in some]
            answers = await enrol_all(session, wishes, now)
            new = [one.journey_id for one in answers if isinstance(one, Enrolled)]
            if start:
                await outbox.put(session, [_start(lead, one, now) for lead, one in zip(some, new, strict=True)])
        entered += new
    return entered


async def standing(store: Store, campaign: str, status: str, state: str | None = None) -> int:
    """How many journeys of the campaign have that status (and stand in that state)."""
    query = select(func.count()).where(JourneyRow.campaign == campaign, JourneyRow.status == status)
    async with store.read() as session:
        return (await session.exec(query if state is None else query.where(col(JourneyRow.state) == state))).one()


async def parked(store: Store, campaign: str) -> int:
    """How many journeys of the campaign have come to their wait."""
    query = select(func.count()).where(JourneyRow.campaign == campaign, col(JourneyRow.until).is_not(None))
    async with store.read() as session:
        return (await session.exec(query)).one()


def address(lead_id: str) -> str:
    """The lead's address."""
    return f"{lead_id}@example.com"


def _lead(lead_id: str, now: datetime, known: Mapping[str, str]) -> LeadRow:
    profile = {"email": address(lead_id), "first_name": "Ann", "country": "DE" if lead_id < "8" else "FR", **known}
    return LeadRow(
        id=lead_id, email=address(lead_id), language="en", time_zone="Europe/Berlin", profile=profile,
        created_at=now, updated_at=now,
    )  # fmt: skip


def _start(lead_id: str, journey_id: str, now: datetime) -> OutboxRow:
    return OutboxRow(lead_id=lead_id, kind="start", body={"journey": journey_id}, due_at=now, created_at=now)
