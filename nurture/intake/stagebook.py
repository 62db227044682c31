"""The changes of stage in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from nurture.intake.incoming import Internal, Prepared
from nurture.store.bulk import insert_rows
from nurture.store.held import HeldLead
from nurture.store.stage_tables import StageChangeRow


class Stagebook:
    """Notes each change with its reason; `save` writes them."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []

    def told(self, item: Prepared, lead: HeldLead, received: datetime) -> dict[str, Any] | None:
        """The lead comes to the stage that the item names, unless something newer was said; see `to`."""
        if item.stage is None:
            return None
        at = received if item.given.at is None else min(item.given.at, received)
        if lead.written.get("stage", at.timestamp()) > at.timestamp():
            return None
        because = item.given.because if isinstance(item.given, Internal) else ""
        return self.to(item, lead, item.stage, because or item.given.source, at)

    def to(self, item: Prepared, lead: HeldLead, stage: str, reason: str, at: datetime) -> dict[str, Any] | None:
        """The lead comes to the stage; what the event `stage_changed` says of it, None when it is there already."""
        if stage == lead.stage:
            return None
        before, lead.stage = lead.stage, stage
        lead.written = {**lead.written, "stage": at.timestamp()}
        lead.profile_changed = True
        change = {
            "lead_id": lead.id,
            "from_stage": before,
            "to_stage": stage,
            "reason": reason,
            "cause": item.id,
            "at": at,
        }
        self.changes.append(change)
        return {"from": before, "to": stage, "reason": reason}

    def save(self, connection: Connection) -> None:
        """Write them."""
        insert_rows(connection, StageChangeRow, self.changes)
