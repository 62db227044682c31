"""All that the store knows of a lead, as one document: the answer to a request for access."""

from datetime import datetime
from typing import Any, TypeAlias

from sqlmodel import col, select

from nurture.store.addresses import hashes_of
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.leads import get
from nurture.store.models import SuppressionRow
from nurture.store.personal import PERSONAL

Document: TypeAlias = dict[str, Any]
FORMAT = "nurture/lead/1"


async def export(session: Session, lead_id: str, now: datetime) -> Document:
    """The document: `format`, `exported_at`, `lead_id`, and by table the rows about the lead, of plain values.

    `suppressions` are those of its addresses.
    """
    lead_id = (await get(session, lead_id)).id
    tables = {}
    for model, about in reversed(PERSONAL.items()):
        keys = table(model).primary_key.columns
        rows = await session.exec(select(model).where(about(lead_id)).order_by(*keys))
        tables[table(model).name] = [row.model_dump(mode="json") for row in rows.all()]
    tables["suppressions"] = await _suppressions(session, lead_id)
    return {"format": FORMAT, "exported_at": now.isoformat(), "lead_id": lead_id, "tables": tables}


async def _suppressions(session: Session, lead_id: str) -> list[dict[str, Any]]:
    hashes = await hashes_of(session, lead_id)
    found = await session.exec(select(SuppressionRow).where(col(SuppressionRow.address_hash).in_(hashes)))
    return [row.model_dump(mode="json") for row in found.all()]
