"""Retargeting lists kept in step: what changed since the networks heard last goes to each list's hook, until it was taken."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from activities.equipment import Equipment
from activities.errands import TryAgain
from nurture.retargeting.networks import NETWORKS
from nurture.retargeting.retarget import Retarget
from nurture.store import Session, leases, retargets
from nurture.store.models import new_id
from nurture.store.retarget_tables import RetargetDeliveryRow

LEASE = timedelta(minutes=5)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
log = structlog.get_logger()


async def keep_in_step(equipment: Equipment, clock: Callable[[], datetime]) -> None:
    """Put every list that has a hook right, and send what changed; one worker at a time does that, and any goes on from where
    another stopped.
    """
    for retarget in equipment.catalogue.retargets.values():
        if retarget.hook:
            await Keeper(equipment, retarget, clock).keep()


class Keeper:
    """Who keeps one list in step, as long as the lease of it is its own."""

    def __init__(self, equipment: Equipment, retarget: Retarget, clock: Callable[[], datetime]) -> None:
        self.equipment, self.retarget, self.clock = equipment, retarget, clock
        self._store, self._holder, self._lease = equipment.store, new_id(), f"retarget/{retarget.key}"

    async def keep(self) -> None:
        """Put the list right, then send what changed, until a delivery is not taken or nothing is left to tell."""
        try:
            if await self._put_right():
                while due := await self._due():
                    for delivery in due:
                        await self._send(delivery)
        finally:
            async with self._store.write() as session:
                await leases.release(session, self._lease, self._holder)

    async def _is_ours(self, session: Session) -> bool:
        return await leases.take(session, self._lease, self._holder, self.clock(), LEASE)

    async def _put_right(self) -> bool:
        """Page by page; False when another worker is at it."""
        audience = self.equipment.catalogue.audiences[self.retarget.audience]
        cursor, exhausted = "", False
        while not exhausted:
            async with self._store.write() as session:
                if not await self._is_ours(session):
                    return False
                step = await retargets.put_right(session, self.retarget, audience, cursor, self.clock())
            cursor, exhausted = step.cursor, step.exhausted
        return True

    async def _due(self) -> list[RetargetDeliveryRow]:
        async with self._store.write() as session:
            if not await self._is_ours(session):
                return []
            await retargets.begin_deliveries(session, self.retarget, self.clock())
            return await retargets.due_deliveries(session, self.retarget, self.clock())

    async def _send(self, delivery: RetargetDeliveryRow) -> None:
        async with self._store.read() as session:
            changes = await retargets.changes(session, delivery)
        trouble = await self._posted(delivery, changes) if any(changes.values()) else ""
        about = {"retarget": self.retarget.key, "network": delivery.network}
        async with self._store.write() as session:
            if not trouble:
                await retargets.delivered(session, delivery)
                log.info("retarget.delivered", **about, **{name: len(found) for name, found in changes.items()})
            else:
                pause = min(FIRST_PAUSE * float(2 ** min(delivery.attempts, 16)), LONGEST_PAUSE)
                await retargets.put_off(session, delivery, trouble, self.clock() + pause)
                log.warning("retarget.put_off", **about, reason=trouble)

    async def _posted(self, delivery: RetargetDeliveryRow, changes: Mapping[str, list[dict[str, str]]]) -> str:
        """Why it was not taken, empty when it was. A refusal is tried again, too: who left must not stay because of it."""
        hook = self.equipment.catalogue.hooks[self.retarget.hook]
        body: dict[str, Any] = {
            "type": "retarget.changed",
            "retarget": self.retarget.key,
            "network": delivery.network,
            "hashed_by": NETWORKS[delivery.network].algorithm,
            **changes,
        }
        try:
            return await self.equipment.webhooks.post(hook.key, hook.url, delivery.id, body, self.clock())
        except TryAgain as error:
            return str(error)
