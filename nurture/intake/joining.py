"""Two held leads made one: the rows of both, what is known of them, and what follows from both together."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from nurture.arrivals import both_touched
from nurture.fading import points_now
from nurture.intake.needbook import Needbook
from nurture.intake.orderbook import Orderbook
from nurture.merging import Known, profiles
from nurture.stages import further
from nurture.store.held import HeldLead
from nurture.store.merging import Merge, join


def joined(connection: Connection, kept: HeldLead, gone: HeldLead, by: str, now: datetime) -> Merge:
    """Make the two one, which `kept` then is; its row is still to be saved, and its scores are to be counted anew."""
    merge = join(connection, kept, gone, by, now)
    before, stage = kept.profile, kept.stage
    known = profiles(Known(kept.profile, kept.written), Known(gone.profile, gone.written))
    kept.profile = {**known.profile, **both_touched(kept.profile, gone.profile)}
    kept.written, kept.stage = dict(known.written), further(kept.stage, gone.stage)
    Orderbook(connection, [kept.id]).sum_up(kept)
    Needbook(connection, [kept.id]).sum_up(kept)
    _scores(kept, gone, now)
    kept.last_received = max((one for one in (kept.last_received, gone.last_received) if one is not None), default=None)
    kept.profile_changed = True
    changed = _differing(before, kept.profile) | {f"score.{name}" for name in gone.scores}
    changed |= {"lead.stage"} if kept.stage != stage else set()
    return replace(merge, changed=merge.changed | changed)


def _scores(kept: HeldLead, gone: HeldLead, now: datetime) -> None:
    """The sums of both, which stand where no rule counts anew."""
    ours, theirs = (points_now(one.scores, one.fading, now) for one in (kept, gone))
    kept.scores = {name: round(ours.get(name, 0) + theirs.get(name, 0), 6) for name in {**ours, **theirs}}
    kept.fading, kept.recounted = {}, True


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {f"lead.{name}" for name in {**one, **other} if one.get(name) != other.get(name)}
