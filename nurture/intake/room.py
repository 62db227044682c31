"""Whether the outbox has room for what comes in."""

from sqlalchemy import Connection, func, select

from nurture.errors import Unavailable
from nurture.store.bulk import table
from nurture.store.models import OutboxRow
from nurture.store.plain import Statement

IDS = table(OutboxRow).c.id
RANGE = Statement(select(select(func.max(IDS)).scalar_subquery(), select(func.min(IDS)).scalar_subquery()))
DEPTH = Statement(select(func.count(IDS)))


def check_room(connection: Connection, limit: int) -> None:
    """Raise `Unavailable` when so many rows wait in the outbox."""
    # Ids tell at once how many rows there can be at most; they are counted only when that is too many.
    ((newest, oldest),) = RANGE.on(connection)
    if newest is None or newest - oldest + 1 < limit:
        return
    ((depth,),) = DEPTH.on(connection)
    if depth >= limit:
        raise Unavailable("the outbox is full, since nothing is delivered at present: try again later")
