"""Scores and definitions as published: their versions, which one is in force, and who agreed to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import func, update
from sqlmodel import col, select

from nurture.definitions import SIDES, Definition
from nurture.errors import BadInput, NotFound
from nurture.scores import Score, Threshold
from nurture.store.bulk import insert_all
from nurture.store.database import Session
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.leases import alone
from nurture.store.models import CrossingRow
from nurture.store.score_tables import DeclarationRow, SignOffRow
from nurture.store.standing import at_least
from nurture.store.upsert import insert

Kind: TypeAlias = Literal["score", "definition"]
Declared = TypeVar("Declared", Score, Definition)


class Published(NamedTuple):
    """A version in the store; `new` is False when it was in force already."""

    hash: str
    number: int
    new: bool


async def publish(
    session: Session, value: Score | Definition, *, by: str, commit: str = "", now: datetime
) -> Published:
    """Put the version in force. Who has reached a new threshold of a score fires it only with its `backfill`."""
    await alone(session, "publish")
    kind = kind_of(value)
    before = await _row_in_force(session, kind, value.key)
    row = await session.get(DeclarationRow, value.version) or await _numbered(session, value, by, commit, now)
    if isinstance(value, Definition):
        for side, name in value.signed_by.items():
            await _sign(session, row.hash, side, name, now)
    if before is not None and before.hash == row.hash:
        return Published(row.hash, row.number, new=False)
    theirs = col(DeclarationRow.kind) == kind, col(DeclarationRow.key) == value.key
    await session.exec(update(DeclarationRow).where(*theirs).values(current=False))
    row.current = True
    session.add(row)
    await session.flush()
    if isinstance(value, Score):
        known = () if before is None else Score.model_validate_json(before.body).thresholds
        for threshold in value.thresholds:
            if threshold.key not in {one.key for one in known}:
                await _introduce(session, value, threshold, now)
    return Published(row.hash, row.number, new=True)


def kind_of(value: Score | Definition) -> Kind:
    """What it is called."""
    return "score" if isinstance(value, Score) else "definition"


async def _numbered(session: Session, value: Score | Definition, by: str, commit: str, now: datetime) -> DeclarationRow:
    kind = kind_of(value)
    theirs = (DeclarationRow.kind == kind, DeclarationRow.key == value.key)
    latest = (await session.exec(select(func.max(DeclarationRow.number)).where(*theirs))).one()
    row = DeclarationRow(
        hash=value.version,
        kind=kind,
        key=value.key,
        number=(latest or 0) + 1,
        body=value.canonical(),
        current=False,
        published_at=now,
        published_by=by,
        commit=commit,
    )
    session.add(row)
    await session.flush()
    return row


async def _row_in_force(session: Session, kind: Kind, key: str) -> DeclarationRow | None:
    theirs = (DeclarationRow.kind == kind, DeclarationRow.key == key, col(DeclarationRow.current))
    return (await session.exec(select(DeclarationRow).where(*theirs))).one_or_none()


async def in_force(session: Session, model: type[Declared]) -> dict[str, Declared]:
    """The scores, or the definitions, that are in force, by key."""
    kind = "score" if model is Score else "definition"
    query = select(DeclarationRow).where(DeclarationRow.kind == kind, col(DeclarationRow.current))
    rows = (await session.exec(query.order_by(DeclarationRow.key))).all()
    return {row.key: model.model_validate_json(row.body) for row in rows}


async def named(session: Session, model: type[Declared], key: str, version: str) -> Declared:
    """The version whose hash begins so."""
    kind = "score" if model is Score else "definition"
    such = (DeclarationRow.kind == kind, DeclarationRow.key == key, col(DeclarationRow.hash).startswith(version))
    found = (await session.exec(select(DeclarationRow).where(*such))).all()
    if len(found) != 1:
        what = "no version" if not found else "more than one version"
        raise NotFound(f"{kind} {key!r} has {what} whose hash begins with {version!r}: give more of it, or publish it")
    return model.model_validate_json(found[0].body)


# --- sign-offs ---


async def sign(session: Session, definition: Definition, side: str, by: str, now: datetime) -> None:
    """Note that a side agrees to the definition as it is written, which must be published."""
    if side not in SIDES:
        raise BadInput(f"{side!r} does not sign: give one of {', '.join(SIDES)}")
    if await session.get(DeclarationRow, definition.version) is None:
        raise NotFound(f"definition {definition.key!r} is not published as it is written: nurture publish, then sign")
    await _sign(session, definition.version, side, by, now)


async def _sign(session: Session, version: str, side: str, by: str, now: datetime) -> None:
    row = {"hash": version, "side": side, "by": by, "at": now}
    await session.exec(insert(session, SignOffRow).values(**row).on_conflict_do_nothing())


async def signed_by(session: Session, definition: Definition) -> Mapping[str, str]:
    """Who agreed to that version, by side, in the code or by command."""
    query = select(SignOffRow).where(SignOffRow.hash == definition.version)
    return {row.side: row.by for row in (await session.exec(query)).all()} | definition.signed_by


# --- new thresholds ---


async def _introduce(session: Session, score: Score, threshold: Threshold, now: datetime) -> None:
    known = select(CrossingRow.lead_id).where(CrossingRow.score == score.key, CrossingRow.threshold == threshold.key)
    there = set((await session.exec(known.distinct())).all())
    reached = {id_: points async for id_, points in at_least(session, score.key, threshold.at, now) if id_ not in there}
    n = 1 if threshold.backfill else 0
    rows = [
        {
            "lead_id": lead_id,
            "score": score.key,
            "threshold": threshold.key,
            "n": n,
            "points": points,
            "fired_at": now,
            "rearmed_at": None,
        }
        for lead_id, points in reached.items()
    ]
    await insert_all(session, CrossingRow, rows)
    if threshold.backfill and not score.shadow:
        for lead_id, points in reached.items():
            lead = await locked(session, lead_id)
            about = {"score": score.key, "threshold": threshold.key, "points": points}
            cause = f"backfill/{lead_id}/{score.key}/{threshold.key}"
            await record_own_event(session, lead, "score_reached", about, cause, now)
