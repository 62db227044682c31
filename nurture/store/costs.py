"""What sources cost, day by day, as the team's own figures say."""

from collections.abc import Sequence

from nurture.store.capture_tables import CostRow
from nurture.store.database import Session
from nurture.store.plain import execute
from nurture.store.upsert import insert

KEY = ("day", "channel", "placement", "creative", "offer")


async def note(session: Session, costs: Sequence[CostRow]) -> None:
    """Note the costs; what was known of the same day and source before is replaced."""
    if not costs:
        return
    new = insert(session, CostRow)
    replaced = new.on_conflict_do_update(index_elements=list(KEY), set_={"amount": new.excluded.amount})
    await execute(session, replaced, [{name: getattr(row, name) for name in (*KEY, "amount")} for row in costs])
