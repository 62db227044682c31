"""Recommendations of two leads that turn out to be one: who brought whom, and what is owed for it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, delete, or_, select
from sqlmodel import SQLModel

from nurture.store.bulk import insert_rows, table
from nurture.store.recommendation_tables import RecommendationRow, RewardRow

Row: TypeAlias = dict[str, Any]
PAIR = ("friend_id", "referrer_id")
ITSELF = "who recommends and the friend turned out to be one person"
BEFORE = "another recommended it before"
TWICE = "it was paid out twice: two friends turned out to be one person"
STANDINGS = ("voided", "granted", "paid")


def merge(connection: Connection, gone: str, kept: str, now: datetime) -> None:
    """Give the one lead's recommendations and rewards, as a friend and as the one who recommends, to the other."""
    brought = _taken(connection, RecommendationRow, gone, kept)
    if brought is not None:
        insert_rows(connection, RecommendationRow, _attributed([_brought(those) for those in _alike(brought, *PAIR)]))
    owed = _taken(connection, RewardRow, gone, kept)
    if owed is not None:
        insert_rows(connection, RewardRow, [_owed(those, now) for those in _alike(owed, "reward", *PAIR)])


def _taken(connection: Connection, model: type[SQLModel], gone: str, kept: str) -> list[Row] | None:
    """The rows of both, taken out of the table and in the name of the kept one; None when the other has none."""
    of = table(model)
    theirs = or_(*(of.c[name].in_([gone, kept]) for name in PAIR))
    rows = [dict(row) for row in connection.execute(select(of).where(theirs)).mappings()]
    if not any(gone in (row["friend_id"], row["referrer_id"]) for row in rows):
        return None
    connection.execute(delete(of).where(theirs))
    return [{**row, **{name: kept for name in PAIR if row[name] == gone}} for row in rows]


def _alike(rows: Iterable[Row], *names: str) -> list[list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return list(found.values())


def _brought(rows: list[Row]) -> Row:
    """What is left of recommendations of one friend by one lead: that which counts, the first of those."""
    row = min(rows, key=lambda row: (not row["attributed"], row["at"], row["code"]))
    return _refused(row, ITSELF) if row["friend_id"] == row["referrer_id"] else row


def _attributed(rows: list[Row]) -> list[Row]:
    """The same, each friend attributed to the first who brought it."""
    first: dict[str, Row] = {}
    for row in sorted((row for row in rows if row["attributed"]), key=lambda row: (row["at"], row["referrer_id"])):
        first.setdefault(row["friend_id"], row)
    return [row if first.get(row["friend_id"], row) is row else _refused(row, BEFORE) for row in rows]


def _refused(row: Row, why: str) -> Row:
    return {**row, "attributed": False, "reason": why} if row["attributed"] else row


def _owed(rows: list[Row], now: datetime) -> Row:
    """What is left of one reward given for both: what was paid out stays so, and nobody is owed for recommending itself."""
    standing = [STANDINGS.index(row["status"]) for row in rows]
    row = min(rows, key=lambda row: (-STANDINGS.index(row["status"]), row["granted_at"], row["id"]))
    told = next((one["told_at"] for one in (row, *rows) if one["told_at"] is not None), None)
    row = {**row, "told_at": told, "grants": sum(one["grants"] for one in rows)}
    if standing.count(STANDINGS.index("paid")) > 1:
        row["reason"] = TWICE
    if row["friend_id"] != row["referrer_id"] or row["status"] == "voided":
        return row
    if row["status"] == "paid":
        return {**row, "reason": f"{ITSELF} after it was paid out"}
    return {**row, "status": "voided", "reason": ITSELF, "voided_at": now}
