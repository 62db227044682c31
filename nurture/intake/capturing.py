"""Leads captured by forms: the proof of what they consented to."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, update

from nurture.store.bulk import insert_rows, table
from nurture.store.capture_tables import ConsentProofRow
from nurture.store.held import HeldLead
from nurture.store.models import new_id

PROOFS = table(ConsentProofRow)


class Proof(BaseModel):
    """What a lead said yes to on a form: the words, the form as it was, the language, and where from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: str
    version: str
    topic: str
    text: str
    text_hash: str
    language: str
    email: str
    ip: str
    confirmed: bool


class Captured(BaseModel):
    """What a form makes of a lead: at least that `stage`, with the `proof` of a consent; or the proof that it confirms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str | None = None
    proof: Proof | None = None
    confirms: str | None = None


class Proofs:
    """The proofs of one transaction, written at its end."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._confirmed: list[tuple[str, datetime]] = []

    def take(self, lead: HeldLead, captured: Captured, at: datetime) -> None:
        """Note the proof, or that it is confirmed."""
        if captured.proof is not None:
            proof = captured.proof.model_dump(exclude={"confirmed"})
            confirmed_at = at if captured.proof.confirmed else None
            self._rows.append({"id": new_id(), "lead_id": lead.id, **proof, "at": at, "confirmed_at": confirmed_at})
        if captured.confirms is not None:
            self._confirmed.append((captured.confirms, at))

    def save(self, connection: Connection) -> None:
        """Write what was taken."""
        insert_rows(connection, ConsentProofRow, self._rows)
        for proof, at in self._confirmed:
            connection.execute(update(PROOFS).where(PROOFS.c.id == proof).values(confirmed_at=at))
