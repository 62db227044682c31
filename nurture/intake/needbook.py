"""The needs that one transaction is told of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from nurture.intake.incoming import Internal, Prepared
from nurture.needs import Need, holds
from nurture.store.bulk import insert_rows, table
from nurture.store.held import HeldLead
from nurture.store.need_tables import NeedRow

NEEDS = table(NeedRow)
KNOWN = select(*(NEEDS.c[name] for name in ("lead_id", "product", "kind", "readiness", "status")))


class Needbook:
    """Knows the needs of the leads in question; `save` writes what was told."""

    def __init__(self, connection: Connection, lead_ids: Sequence[str]) -> None:
        self.needs: dict[tuple[str, str], Need] = {}
        self.told: dict[tuple[str, str], dict[str, Any]] = {}
        if lead_ids:
            for lead_id, *need in connection.execute(KNOWN.where(NEEDS.c.lead_id.in_(set(lead_ids)))):
                read = dict(zip(("product", "kind", "readiness", "status"), need, strict=True))
                self.needs[lead_id, read["product"]] = Need.model_validate(read)

    def take(self, item: Prepared, needs: Sequence[Need], lead: HeldLead, received: datetime) -> None:
        """Note the needs; the lead's summary of open ones moves along."""
        for said in needs:
            name = lead.id, said.product
            after = self.needs[name] = holds(self.needs.get(name), said)
            self.told[name] = {"lead_id": lead.id, **after.model_dump(), "cause": item.id, "at": received}
        self.sum_up(lead)
        lead.profile_changed = True

    def sum_up(self, lead: HeldLead) -> None:
        """The lead's profile says how ready its open needs are."""
        ready = {
            one.product: one.readiness for (whose, _), one in self.needs.items() if whose == lead.id and one.is_open
        }
        others = {name: value for name, value in lead.profile.items() if name != "needs"}
        lead.profile = {**others, "needs": ready} if ready else others

    def save(self, connection: Connection) -> None:
        """Write them."""
        if self.told:
            such = (and_(NEEDS.c.lead_id == lead_id, NEEDS.c.product == product) for lead_id, product in self.told)
            connection.execute(NEEDS.delete().where(or_(*such)))
        insert_rows(connection, NeedRow, list(self.told.values()))


def needs_of(item: Prepared) -> tuple[Need, ...]:
    """The needs that the item tells of."""
    return item.given.needs if isinstance(item.given, Internal) else ()
