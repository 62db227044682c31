"""Merging two leads because a person decided it; automatically no two known leads ever are."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from nurture.errors import BadInput, NotFound, Refused, Unavailable
from nurture.intake.identities import Raced
from nurture.intake.recorder import Recorder
from nurture.store import Session, Store, erasure
from nurture.store import held as rows
from nurture.store.leads import keys_meant, look_up
from nurture.store.plain import run

MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge made of two leads: what changed for the kept one, and what became of the journeys of the other."""

    kept: str
    gone: str
    changed: tuple[str, ...]
    stage: str
    scores: dict[str, float]
    refused: tuple[str, ...]
    journeys: tuple[str, ...]
    ended: tuple[str, ...]
    rows: int


class _Deed(NamedTuple):
    """Who merges, when, and whether in earnest."""

    by: str
    now: datetime
    rehearsed: bool


class _Rehearsed(Exception):
    """Nothing of it is kept."""

    def __init__(self, merged: Merged) -> None:
        super().__init__()
        self.merged = merged


async def merge(
    store: Store, recorder: Recorder, keep: str, gone: str, *, by: str, now: datetime, rehearse: bool = False
) -> Merged:
    """Make the two leads, as a person names them, one; with `rehearse` only tell what would come of it."""
    for _ in range(MOST_TRIES):
        async with store.read() as session:
            kept_id, gone_id = [await _meant(session, name, field) for name, field in ((keep, "keep"), (gone, "gone"))]
        if kept_id == gone_id:
            raise BadInput(f"{keep[:254]!r} and {gone[:254]!r} are one lead already: name two", field="gone")
        try:
            return await store.at_once(partial(_merge, recorder, (kept_id, gone_id), _Deed(by, now, rehearse)))
        except _Rehearsed as rehearsed:
            return rehearsed.merged
        except Raced:  # one of them was merged into another just now: it has another id
            continue
    raise Unavailable("others are merging these leads at this very moment: try again")


async def _meant(session: Session, name: str, field: str) -> str:
    try:
        return (await look_up(session, name)).id
    except NotFound as error:
        if await run(session, erasure.erased, [("lead", name), *keys_meant(name)]):
            raise Refused(f"{field}: {name[:254]!r} was erased: there is nothing left to merge") from error
        raise NotFound(f"{field}: {error}") from error


def _merge(recorder: Recorder, ids: tuple[str, str], deed: _Deed, connection: Connection) -> Merged:
    held = rows.held(connection, ids)
    if len(held) < len(ids):
        raise Raced("a lead was merged into another at this very moment: try again")
    kept = held[ids[0]]
    done = recorder.merge(connection, kept, held[ids[1]], deed.by, deed.now)
    merged = Merged(
        kept=done.kept,
        gone=done.gone,
        changed=tuple(sorted(key for key in done.changed if not key.startswith("event."))),
        stage=kept.stage,
        scores=dict(sorted(kept.scores.items())),
        refused=done.refused,
        journeys=done.journeys,
        ended=done.ended,
        rows=done.moved,
    )
    if deed.rehearsed:
        raise _Rehearsed(merged)
    return merged
