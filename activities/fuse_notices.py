"""The team is told, once, of each fuse that warned or blew."""

from datetime import datetime, timedelta

import structlog

from activities.equipment import Equipment
from activities.errands import TryAgain
from activities.messages import MessageErrand
from activities.team_letters import to_team
from nurture.store import fuses, leases
from nurture.store.models import new_id
from nurture.store.return_tables import FuseRow

TEMPLATE = "team/fuse"
LEASE = timedelta(minutes=1)
log = structlog.get_logger()


async def tell_of_fuses(equipment: Equipment, now: datetime) -> int:
    """Tell of those that nobody has heard of yet, unless another worker is at it; how many were told of."""
    holder = new_id()
    async with equipment.store.write() as session:
        if not await leases.take(session, "fuse notices", holder, now, LEASE):
            return 0
        untold = await fuses.untold(session)
    told = 0
    for row in untold:
        told += await _told(equipment, row, now)
    async with equipment.store.write() as session:
        await leases.release(session, "fuse notices", holder)
    return told


async def _told(equipment: Equipment, row: FuseRow, now: datetime) -> bool:
    """Whether the team has been told: by the log, and by mail where it has an address."""
    errand = _errand(equipment, row)
    try:
        async with equipment.store.write() as session:
            settled = await errand.prepare(session, now)
        if settled is None and await errand.run(now) is not None:
            return False
    except TryAgain:  # it comes up again with the next round
        return False
    async with equipment.store.write() as session:
        if settled is None:
            await errand.record(session, now)
        await fuses.tell(session, row, now)
    tell = log.error if row.blown_at else log.warning
    tell("fuse.blown" if row.blown_at else "fuse.warned", campaign=row.campaign, run=row.run_id, reason=row.reason)
    return True


def _errand(equipment: Equipment, row: FuseRow) -> MessageErrand:
    """The letter; its place in the ledger is by what happened when, so that it goes once."""
    at = row.blown_at or row.warned_at
    assert at is not None  # it is untold
    given = {"reason": row.reason, "paused": row.blown_at is not None, "run": row.run_id}
    team, occurrence = equipment.settings.fuses.team, f"fuse/{row.subject}/{at:%Y%m%dT%H%M%S.%f}"
    return MessageErrand(to_team(equipment, None, occurrence, row.campaign, team, TEMPLATE, given))
