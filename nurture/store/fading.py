"""Which scores of which leads fade, written as they change and found when time alone moves them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func
from sqlmodel import col, select

from nurture.fading import Fade, edges
from nurture.store.bulk import insert_rows, table
from nurture.store.database import Session
from nurture.store.score_tables import FadingRow

FADING = table(FadingRow)
MOST_AT_ONCE = 500


def note(connection: Connection, fades: Mapping[tuple[str, str], Sequence[float]]) -> None:
    """Write how high those scores of leads stand from now on."""
    if not fades:
        return
    rows = [_row(lead_id, score, Fade(*fade)) for (lead_id, score), fade in sorted(fades.items())]
    for score in {row["score"] for row in rows}:
        forget(connection, score, [row["lead_id"] for row in rows if row["score"] == score])
    insert_rows(connection, FadingRow, rows)


def forget(connection: Connection, score: str, lead_ids: Sequence[str]) -> None:
    """Take the score of those leads for one that does not fade."""
    for start in range(0, len(lead_ids), MOST_AT_ONCE):
        of_them = FADING.c.lead_id.in_(lead_ids[start : start + MOST_AT_ONCE])
        connection.execute(delete(FADING).where(FADING.c.score == score, of_them))


def _row(lead_id: str, score: str, fade: Fade) -> dict[str, Any]:
    return {
        "lead_id": lead_id,
        "score": score,
        "half_life": fade.half_life,
        "level": max(fade.level, -1e300),  # no points at all are the lowest of all heights
        "negative": fade.points < 0,
    }


async def passed(
    session: Session, score: str, points: float, since: datetime, now: datetime, *also: ColumnElement[bool]
) -> set[str]:
    """The leads whose score, as it is seen, time alone took past those points between the two moments."""
    found: set[str] = set()
    for half_life in await _half_lives(session, score):
        for edge in edges(points):
            height = Fade(edge, 0, half_life).level
            query = select(FadingRow.lead_id).where(
                FadingRow.score == score,
                FadingRow.half_life == half_life,
                FadingRow.level > height + since.timestamp() / half_life,
                FadingRow.level <= height + now.timestamp() / half_life,
                col(FadingRow.negative).is_(edge < 0),
                *also,
            )
            found.update((await session.exec(query)).all())
    return found


async def _half_lives(session: Session, score: str) -> Collection[float]:
    """The half-lives by which the score fades: one, and while a new one takes over two; found by leaps in the index."""
    found: list[float] = []
    query = select(func.min(FadingRow.half_life)).where(FadingRow.score == score)
    asked = query
    while (half_life := (await session.exec(asked)).one()) is not None:
        found.append(half_life)
        asked = query.where(FadingRow.half_life > half_life)
    return found


def fades_of(leads: Iterable[tuple[str, Mapping[str, Sequence[float]]]]) -> dict[tuple[str, str], Sequence[float]]:
    """What fades of the leads, by lead and score."""
    return {(lead_id, score): fade for lead_id, fading in leads for score, fade in fading.items()}
