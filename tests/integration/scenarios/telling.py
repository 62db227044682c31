"""Short words for what happens in a life, and for what came of it."""

from sqlmodel import col, select

from nurture.store import campaigns, journeys
from nurture.store.models import JourneyRow, OutboxRow
from tests.integration.life import Life

ANN = "ann@example.com"


async def pause(life: Life, campaign: str) -> None:
    async with life.store.write() as session:
        await campaigns.pause(session, campaign, life.now)


async def resume(life: Life, campaign: str, over: float = 0) -> int:
    async with life.store.write() as session:
        held = await campaigns.resume(session, campaign, life.now, over)
    await life.settle()
    return held


async def take_out(life: Life, lead_id: str) -> int:
    """A person takes the lead out of all its journeys; how many there were."""
    async with life.store.write() as session:
        found = await journeys.remove_lead(session, lead_id, "asked on the phone", life.now)
    await life.settle()
    return found


async def put_in(life: Life, lead_id: str, campaign: str, *, manual: bool = True) -> None:
    """A person, or else a program, enters the lead."""
    body = {"campaign": campaign, "by": "by hand" if manual else "api", "manual": manual}
    async with life.store.write() as session:
        session.add(OutboxRow(lead_id=lead_id, kind="enrol", body=body, due_at=life.now, created_at=life.now))
    await life.settle()


async def journeys_of(life: Life, campaign: str | None = None) -> list[JourneyRow]:
    """The journeys in the order of their runs."""
    query = select(JourneyRow).order_by(col(JourneyRow.run), col(JourneyRow.entered), col(JourneyRow.id))
    async with life.store.read() as session:
        found = (await session.exec(query)).all()
    return [row for row in found if campaign in (None, row.campaign)]


async def stand(life: Life, campaign: str | None = None) -> list[tuple[str, str | None]]:
    """How each journey stands and how it ended."""
    return [(row.status, row.ending) for row in await journeys_of(life, campaign)]


def sent(life: Life, to: str = ANN) -> list[str]:
    """What an address got, by the last part of each subject's key."""
    return [mail.key.split("/", 1)[1] for mail in life.postbox.mails if mail.recipient == to]
