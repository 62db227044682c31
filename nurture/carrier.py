"""Carrying rows of the outbox to the journeys; all of it may be done twice.

The rows given at once are of different leads: what they need is read together and written together, and then the
engine is told, many at a time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from nurture.entering import Entrances, carry_out
from nurture.errands import Errand, errands_for
from nurture.errors import NurtureError, Unavailable
from nurture.hearing import ForJourney
from nurture.orders import Journeys, StartOrder
from nurture.settings import Settings
from nurture.store import Store, erasure, journeys
from nurture.store.models import OutboxRow

AT_ONCE = 16


class NotRunning(NurtureError):
    """A journey that the engine was told to run does not run."""

    permanent = False


class NotForgotten(NurtureError):
    """Something is left of journeys that the engine was told to forget."""

    permanent = False


class Carrier:
    """Takes rows from the store to the engine."""

    def __init__(self, store: Store, engine: Journeys, settings: Settings) -> None:
        self._store, self._engine, self._settings = store, engine, settings
        self._places = asyncio.Semaphore(AT_ONCE)
        self._handed_over: set[str] = set()

    def handed_over(self) -> set[str]:
        """The journeys that the engine was told to run since this was asked last."""
        told, self._handed_over = self._handed_over, set()
        return told

    async def carry(self, rows: Sequence[OutboxRow], entrances: Entrances, now: datetime) -> list[Errand]:
        """Do what the rows say, each of another lead; an errand's `trouble` is why its row is not done."""
        errands = await self._prepared(rows, entrances, now)
        orders: dict[str, StartOrder] = {}
        if starts := {one for errand in errands for one in errand.starts}:
            async with self._store.read() as session:
                orders = await journeys.start_orders(session, starts)
        lost: list[Unavailable] = []
        await asyncio.gather(*(self._deliver(errand, orders, lost) for errand in errands if not errand.trouble))
        return errands

    async def _prepared(self, rows: Sequence[OutboxRow], entrances: Entrances, now: datetime) -> list[Errand]:
        """The rows as errands, entries made."""
        try:
            async with self._store.read() as session:
                errands = await errands_for(session, rows, entrances, self._settings, now)
            if any(any(errand.plan) for errand in errands):
                async with self._store.write() as session:
                    plans, programme = [errand.plan for errand in errands], self._settings.rules.holdout
                    entered = await carry_out(session, plans, now, programme)
                for errand, theirs in zip(errands, entered, strict=True):
                    errand.starts = list(dict.fromkeys([*errand.starts, *theirs]))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a row, its neighbours go on
            if len(rows) == 1:
                return [Errand(rows[0], trouble=error)]
            return [errand for row in rows for errand in await self._prepared([row], entrances, now)]
        return errands

    async def _deliver(self, errand: Errand, orders: Mapping[str, StartOrder], lost: list[Unavailable]) -> None:
        """Tell the engine; once it is out of reach, no other errand tries."""
        async with self._places:
            try:
                if lost:
                    raise lost[0]
                for one in errand.tells:
                    await self._tell(one)
                for journey_id in errand.starts:
                    await self._start(orders.get(journey_id))
                if errand.row.kind == "forget":
                    await self._forget(errand.row.lead_id, errand.forgets, errand.unwinds)
                for run_id in errand.wakes:
                    await self._engine.wake(run_id)
                for hand_off_id in errand.winds:
                    await self._engine.wind(hand_off_id)
            except Unavailable as error:
                lost.append(error)
                errand.trouble = error
            except Exception as error:  # noqa: BLE001  # whatever is wrong with a row, its neighbours go on
                errand.trouble = error

    async def _tell(self, told: ForJourney) -> None:
        """Tell the journey; one that should run and does not is started again from where it stands."""
        if await self._engine.signal(*told):
            return
        async with self._store.read() as session:
            order = await journeys.start_order(session, told.journey_id)
        if not await self._start(order):
            return
        if not await self._engine.signal(*told):
            raise NotRunning(f"journey {told.journey_id} was started and does not run")

    async def _forget(self, lead_id: str, journey_ids: Sequence[str], hand_off_ids: Sequence[str]) -> None:
        """Have nothing left of an erased lead; an engine deletes in its own time, so that it is asked again."""
        async with self._store.write() as session:
            await erasure.sweep_up(session, lead_id)
        left = [one for one in journey_ids if not await self._engine.forget(one)]
        clocks = [one for one in hand_off_ids if not await self._engine.unwind(one)]
        if left or clocks:
            raise NotForgotten(
                f"{len(left) + len(clocks)} workflows of an erased lead are being deleted and are still there"
            )

    async def _start(self, order: StartOrder | None) -> bool:
        """Have the journey run; False when there is nothing left to run."""
        if order is None:
            return False
        await self._engine.start(order)
        self._handed_over.add(order.journey_id)
        return True
