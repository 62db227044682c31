"""Two leads made one: which values win, which journeys go on, and what is not sent again."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from nurture.campaign import Reentry
from nurture.enrolment import by_reentry
from nurture.fields import GROUPS, LISTS, MOST_NAMES


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a lead: its profile, and when each path of it was last spoken of."""

    profile: Mapping[str, Any]
    written: Mapping[str, float] = field(default_factory=dict)

    def at(self, path: str) -> Any:
        """The value at that path (`city`, `company.name`, `tags.vip`), None when there is none."""
        group, _, name = path.partition(".")
        held = self.profile.get(group)
        if not name or held is None:
            return held
        return held.get(name) if isinstance(held, Mapping) else (True if name in held else None)


def profiles(kept: Known, gone: Known) -> Known:
    """What is known of both: the newest value wins, but no empty one; of two of the same moment the greater; lists are joined."""
    profile: dict[str, Any] = {}
    for name in {**kept.profile, **gone.profile}:
        if name in LISTS:
            profile[name] = list(dict.fromkeys([*(kept.at(name) or ()), *(gone.at(name) or ())]))[:MOST_NAMES]
        elif name in GROUPS:
            names = list(dict.fromkeys([*(kept.at(name) or ()), *(gone.at(name) or ())]))[:MOST_NAMES]
            profile[name] = {one: _newest(f"{name}.{one}", kept, gone) for one in names}
        else:
            profile[name] = _newest(name, kept, gone)
    return Known(profile, {path: _spoken_of(path, kept, gone) for path in {**kept.written, **gone.written}})


def _newest(path: str, kept: Known, gone: Known) -> Any:
    there = [one for one in (kept, gone) if one.at(path) is not None]
    return max(there, key=lambda one: (one.written.get(path, 0.0), json.dumps(one.at(path)))).at(path)


def _spoken_of(path: str, kept: Known, gone: Known) -> float:
    spoke = [one for one in (kept, gone) if path in one.written]
    there = [one for one in spoke if one.at(path) is not None]
    return max(one.written[path] for one in there or spoke)


def refused(kept: Mapping[str, bool], gone: Mapping[str, bool]) -> tuple[str, ...]:
    """The topics that the kept lead has not refused and the other has: the no of either holds."""
    return tuple(sorted(topic for topic, granted in gone.items() if not granted and kept.get(topic) is not False))


class Travelled(NamedTuple):
    """A journey of either lead, as far as it matters to a merge."""

    id: str
    campaign: str
    key: str
    run: int
    entered: datetime
    running: bool = False
    ended_at: datetime | None = None


def numbered(journeys: Sequence[Travelled]) -> dict[str, int]:
    """Which entry under its key each journey now is, in the order in which they were entered."""
    runs: dict[str, int] = {}
    counts: dict[tuple[str, str], int] = {}
    for one in sorted(journeys, key=_order):
        counts[one.campaign, one.key] = runs[one.id] = counts.get((one.campaign, one.key), 0) + 1
    return runs


def superseded(journeys: Sequence[Travelled]) -> list[str]:
    """The running journeys that are one too many: of those under the same key, the one entered first goes on."""
    first: set[tuple[str, str]] = set()
    many = []
    for one in sorted((one for one in journeys if one.running), key=_order):
        if (one.campaign, one.key) in first:
            many.append(one.id)
        first.add((one.campaign, one.key))
    return many


def _order(one: Travelled) -> tuple[datetime, str]:
    return one.entered, one.id


class Joined(NamedTuple):
    """A merge of the past: when it was, and the journeys that it brought from the lead that is gone."""

    at: datetime
    journeys: Collection[str]


def sent_by_another(
    mine: Travelled, senders: Iterable[Travelled], merges: Sequence[Joined], rule: Reentry, pace: float = 1.0
) -> bool:
    """Whether one of the `senders` of a message sent it to the same person before a merge told that it is one person.

    Not when the campaign itself would have sent it again: the sender had ended, and the rule of re-entry let one lead in.
    """
    return any(
        one.key == mine.key and _joined(mine, one, merges) and not _again(mine, one, rule, pace) for one in senders
    )


def _joined(mine: Travelled, other: Travelled, merges: Sequence[Joined]) -> bool:
    return any(
        mine.entered <= merge.at for merge in merges if (mine.id in merge.journeys) != (other.id in merge.journeys)
    )


def _again(mine: Travelled, other: Travelled, rule: Reentry, pace: float) -> bool:
    ended_before = other.ended_at is not None and other.ended_at <= mine.entered
    return ended_before and by_reentry(rule, other.entered, mine.entered, pace) is None
