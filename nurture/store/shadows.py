"""Whom definitions in the shadow would have handed over: each lead once for each version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from nurture.definitions import Definition
from nurture.facts import Facts
from nurture.store.score_tables import ShadowRow
from nurture.store.upsert import insert_into


def row(lead_id: str, definition: Definition, facts: Facts, now: datetime) -> dict[str, Any]:
    """What is noted of a lead."""
    which = {"lead_id": lead_id, "definition": definition.key, "version": definition.version}
    return {**which, "facts": definition.matched(facts), "at": now}


def note(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows; what was noted before stays as it is."""
    if rows:
        connection.execute(insert_into(connection.dialect.name, ShadowRow).on_conflict_do_nothing(), list(rows))
