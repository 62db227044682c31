"""What tests of hand-offs stand on: a life whose leads are handed to a team of sales, and who answers."""

import dataclasses
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from nurture import Campaign, Salesperson, State, Team, days, escalate, hours, leave, minutes, on, wait_for
from nurture.channels import Envelope
from nurture.sales import Said, answer
from nurture.store import Store, hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import HandOffRow, JourneyRow
from tests.integration.life import Life

ANN = Salesperson(key="ann", name="Ann Able", email="ann@sales.example")
BOB = Salesperson(key="bob", name="Bob Best", email="bob@sales.example", language="ru")
SALES = Team(
    key="sales", lead="boss@sales.example", people=(ANN, BOB), reasons=("no budget", "wrong person"),
    remind_after=minutes(15), answer_within=minutes(30), reassign_after=hours(2), recycle_after=hours(3),
)  # fmt: skip
ROAD = Campaign(
    "handed-over",
    enters=[on("asked")],
    states=[
        State("sales", [
            escalate("ready"),
            wait_for(
                on("sales_accepted", to="won"), on("sales_rejected", to="lost"), on("hand_off_recycled", to="nurture"),
                up_to=days(90), otherwise=leave("never heard of it"),
            ),
        ]),
        State("won", [leave("with sales")]),
        State("lost", [leave("rejected")]),
        State("nurture", [leave("back in nurture")]),
    ],
)  # fmt: skip


class Desk:
    """A life with that team."""

    def __init__(self, store: Store, now: datetime, team: Team = SALES, **settings: Any) -> None:
        self.life = Life(store, now, **settings)
        self.store = store
        equipment = self.life.walkers.equipment
        catalogue = dataclasses.replace(equipment.catalogue, teams={team.key: team})
        self.life.walkers.equipment = dataclasses.replace(equipment, catalogue=catalogue)

    @property
    def now(self) -> datetime:
        return self.life.now

    async def opens(self) -> "Desk":
        await self.life.publish(ROAD)
        return self

    async def handed_over(self, email: str = "lead@example.com", **known: Any) -> HandOffRow:
        """A new lead, handed over; who has it was told."""
        lead_id = await self.life.lead(email, **known)
        await self.life.happens("asked", to=email)
        await self.life.passes(minutes=1 / 60)  # a walk reads a clock of its own, which is ahead by now
        return await self.hand_off(lead_id)

    async def hand_off(self, lead_id: str) -> HandOffRow:
        query = select(HandOffRow).where(HandOffRow.lead_id == lead_id).order_by(col(HandOffRow.created_at).desc())
        async with self.store.read() as session:
            found = (await session.exec(query)).first()
        assert found is not None
        return found

    async def row(self, hand_off_id: str) -> HandOffRow:
        async with self.store.read() as session:
            return await hand_offs.get(session, hand_off_id)

    async def deeds(self, hand_off_id: str) -> list[HandOffDeedRow]:
        async with self.store.read() as session:
            return await hand_offs.deeds(session, hand_off_id)

    async def says(self, hand_off_id: str, said: Said) -> bool:
        async with self.store.write() as session:
            return await answer(session, self.life.walkers.equipment.recorder, hand_off_id, said, self.now)

    async def ending(self, row: HandOffRow) -> str | None:
        async with self.store.read() as session:
            return (await session.get_one(JourneyRow, row.journey_id)).ending

    def mails(self, to: str) -> list[Envelope]:
        return [mail for mail in self.life.postbox.mails if mail.recipient == to]

    async def together(self, *of: Any) -> list[Any]:
        """What comes of doing all of it at the same time, errors among it."""
        import asyncio

        return list(await asyncio.gather(*of, return_exceptions=True))
