"""A town with a team of sales: leads are handed over here, and the clocks of their hand-offs run."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from nurture import Campaign, Salesperson, State, Team, days, escalate, hours, leave, minutes, on, wait_for
from nurture.sales import Answer, Said
from nurture.sales import answer as say
from nurture.store import Store, hand_offs
from nurture.store.models import HandOffRow, JourneyRow, MessageRow, new_id
from tests.temporal.server import STRICT
from tests.temporal.town import Town, a_lead
from worker import working
from workflows.client import clock_id

SALES = Team(
    key="sales",
    lead="boss@example.com",
    people=(
        Salesperson(key="ann", name="Ann Able", email="ann@example.com"),
        Salesperson(key="bob", name="Bob Best", email="bob@example.com"),
    ),
    remind_after=minutes(15),
    answer_within=minutes(30),
    reassign_after=hours(2),
    recycle_after=hours(3),
)
ROAD = Campaign(
    "handed-over",
    enters=[on("asked")],
    states=[
        State("sales", [
            escalate("ready"),
            wait_for(
                on("sales_accepted", to="won"),
                on("sales_rejected", to="lost"),
                on("hand_off_recycled", to="nurture"),
                up_to=days(90),
                otherwise=leave("never heard of it"),
            ),
        ]),
        State("won", [leave("with sales")]),
        State("lost", [leave("rejected")]),
        State("nurture", [leave("back in nurture")]),
    ],
)  # fmt: skip


@asynccontextmanager
async def a_desk(environment: WorkflowEnvironment, store: Store, team: Team = SALES) -> AsyncIterator[Town]:
    """A town of its own with that team; over SQLite its workflows run in the strict sandbox."""
    town = manned(Town(environment, store, f"test-{new_id()}"), team)
    async with working(environment.client, town.equipment, town.journeys, STRICT if store.sqlite else None):
        yield town


def manned(town: Town, team: Team = SALES) -> Town:
    """The town, its leads taken over by that team."""
    catalogue = dataclasses.replace(town.equipment.catalogue, teams={team.key: team})
    town.equipment = dataclasses.replace(town.equipment, catalogue=catalogue)
    return town


@dataclasses.dataclass(frozen=True)
class Handed:
    """A lead that was handed over: its journey, its hand-off, and the clock's workflow."""

    town: Town
    journey: JourneyRow
    id: str

    @property
    def clock(self) -> WorkflowHandle[Any, Any]:
        return self.town.client.get_workflow_handle(clock_id(self.id))

    async def row(self) -> HandOffRow:
        async with self.town.store.read() as session:
            return await hand_offs.get(session, self.id)

    async def deeds(self) -> list[tuple[str, str]]:
        """What was done, and whom it concerned."""
        async with self.town.store.read() as session:
            return [(one.deed, one.person) for one in await hand_offs.deeds(session, self.id)]

    async def mails(self) -> list[str]:
        """To whom mails about it were taken, in order."""
        query = select(MessageRow).where(MessageRow.journey_id == self.journey.id).order_by(col(MessageRow.due_at))
        async with self.town.store.read() as session:
            rows = (await session.exec(query)).all()
        taken = {mail.message_id: mail.recipient for mail in self.town.mails(self.journey)}
        return [taken[row.message_id] for row in rows if row.message_id in taken]

    async def told(self) -> HandOffRow:
        """Once whoever has it was told."""
        async with asyncio.timeout(10):
            while True:
                row = await self.row()
                if row.told_at is not None and (row.due_at is None or row.due_at > row.told_at):
                    return row
                await asyncio.sleep(0.01)  # the worker works meanwhile

    async def passes(self, by: timedelta | None = None) -> bool:
        """Its clock moves on, to the end unless told how far."""
        return await self.town.moves_on(self.clock, by)

    async def answers(self, answer: Answer, reason: str = "", *, by: str = "ann") -> bool:
        """Sales says so, and everybody concerned hears of it."""
        now = datetime.now(UTC)
        async with self.town.store.write() as session:
            fresh = await say(session, self.town.equipment.recorder, self.id, Said(answer, reason, by, "cli"), now)
        await self.town.dispatch(now)
        return fresh


async def handed_over(town: Town) -> Handed:
    """A new lead, handed over; its clock stands still unless it is moved on."""
    journey, _ = await town.begin(ROAD, await town.settle(a_lead()))
    await town.comes_to(journey, "sales")
    async with town.store.read() as session:
        [found] = (await session.exec(select(HandOffRow.id).where(HandOffRow.journey_id == journey.id))).all()
    with town.environment.with_time_skipping_disabled():
        await town.dispatch(datetime.now(UTC))
    return Handed(town, journey, found)
