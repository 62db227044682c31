"""The webinar of the examples, played by a room of leads on each database in turn: its counts add up."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import select

from nurture.loader import load
from nurture.store import Store
from nurture.store.models import HandOffRow, JourneyRow, MessageRow
from tests.integration.life import Life

ROOT = Path(__file__).parents[2]
COMERS, BIG, BUYERS = range(6), range(2), range(8, 10)


def address(n: int) -> str:
    return f"lead-{n}@example.com"


async def test_of_ten_who_register_each_is_counted_once(store: Store, now: datetime) -> None:
    """Ten register, two of them buy before it, six come, and the two of these that are big go to sales."""
    webinar = load(ROOT / "campaigns").campaigns["webinar"].campaign
    async with Life(store, now, templates=ROOT / "templates") as life:
        await life.publish(webinar)
        at = (now + timedelta(days=7)).isoformat()
        for n in range(10):
            company = {"turnover": 2_000_000 if n in BIG else 1000}
            await life.lead(address(n), custom={"webinar_at": at}, company=company)
            await life.happens("webinar_registered", to=address(n))
        await life.passes(days=3)
        for n in BUYERS:
            await life.orders("paid", to=address(n), number=f"{n}")
        await life.passes(days=4)
        for n in COMERS:
            await life.happens("webinar_attended", to=address(n))
        await life.passes(days=40)

    async with store.read() as session:
        journeys = (await session.exec(select(JourneyRow.ending, JourneyRow.goal_at))).all()
        sent = Counter((await session.exec(select(MessageRow.template).where(MessageRow.lead_id != None))).all())  # noqa: E711
        hand_offs = len((await session.exec(select(HandOffRow))).all())
    endings = Counter(ending for ending, _ in journeys)
    assert endings == {"goal reached": 2, "done": 6, "left: missed it, and the recording too": 2}
    assert sum(goal is not None for _, goal in journeys) == 2
    assert sent == {"webinar/confirm": 10, "webinar/reminder": 8, "webinar/slides": 6, "webinar/recording": 2}
    assert hand_offs == 2
