"""Whether the outbox has room for what comes in."""

from sqlalchemy import Connection, func, select

from nurture.errors import Unavailable
from nurture.store.bulk import table
from nurture.store.models import OutboxRow

IDS = table(OutboxRow).c.id
RANGE = select(select(func.max(IDS)).scalar_subquery(), select(func.min(IDS)).scalar_subquery())
DEPTH = select(func.count(IDS))


def check_room(connection: Connection, limit: int) -> None:
    """Raise `Unavailable` when so many rows wait in the outbox."""
    # Ids tell at once how many rows there can be at most; they are counted only when that is too many.
    newest, oldest = connection.execute(RANGE).one()
    if newest is None or newest - oldest + 1 < limit:
        return
    if connection.execute(DEPTH).scalar_one() >= limit:
        raise Unavailable("the outbox is full, since nothing is delivered at present: try again later")
