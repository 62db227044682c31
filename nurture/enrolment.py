"""Whether a lead may enter a campaign: one journey at a time under a key, re-entry, a person's stop, the hold-out."""

import hashlib
from calendar import isleap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.audiences import Audience
from nurture.campaign import AudienceEntry, Campaign, DateEntry, Entry, Reentry
from nurture.conditions import Condition, Is
from nurture.decisions import as_moment
from nurture.experiments.hold_outs import HELD_OUT
from nurture.journey import STOPPED
from nurture.triggers import On, When
from nurture.values import reader


@dataclass(frozen=True, slots=True)
class Earlier:
    """A journey that the lead has, or had, in the campaign; `run` counts those under its key."""

    key: str
    status: str
    entered: datetime
    ending: str | None = None
    run: int = 1

    @property
    def of_programme(self) -> bool:
        """Whether it was not begun because the lead was held out of the whole programme."""
        return self.status == "holdout" and self.ending == HELD_OUT

    @property
    def stopped(self) -> bool:
        """Whether a person took the lead out of it."""
        return self.ending is not None and self.ending.startswith(STOPPED)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The lead does not enter, for that reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The lead's journey; `started` is False for a hold-out, which never starts."""

    journey_id: str
    started: bool


def may_enter(
    campaign: Campaign, earlier: Sequence[Earlier], key: str, manual: bool, now: datetime, pace: float = 1.0
) -> Refusal | None:
    """Why the lead may not enter under that key, None when it may; each key is judged on its own.

    A person who puts back in (`manual`) a lead that a person took out is asked no further.
    """
    same = sorted((one for one in earlier if one.key == key), key=lambda one: (one.run, one.entered))
    if not same:
        return None
    if any(one.of_programme for one in same):
        return Refusal(HELD_OUT)
    if any(one.status == "holdout" for one in same):
        return Refusal("it is held out of this campaign")
    if any(one.status != "ended" for one in same):
        return Refusal("already in it")
    last = same[-1]
    if last.stopped:
        return None if manual else Refusal("a person took it out: only a person may put it back")
    return by_reentry(campaign.reenters, last.entered, now, pace)


def by_reentry(rule: Reentry, last: datetime, now: datetime, pace: float) -> Refusal | None:
    """Why the rule lets nobody in again who entered last at that moment; None when it does."""
    match rule:
        case Reentry(kind="always"):
            return None
        case Reentry(kind="once_in", period=timedelta() as period):
            return None if now >= last + period / pace else Refusal(f"{rule.words()}: it entered on {last:%Y-%m-%d}")
        case _:
            return Refusal("it has been in it: a lead enters once only")


def entry_key(entry: On, properties: Mapping[str, Any]) -> str | Refusal:
    """The key under which an event enters: empty for an entry without one."""
    if entry.key is None:
        return ""
    key = entry.key_in(properties)
    return key if key is not None else Refusal(f"the event has no usable {entry.key}, which is this campaign's key")


def pace_of(asked: float | None, usual: float, *, development: bool, test_lead: bool) -> float | Refusal:
    """How fast a new journey runs; outside development only a test lead's may be asked to hurry."""
    if asked is None or asked == 1 or development or test_lead:
        return usual if asked is None else asked
    return Refusal("outside development only a test lead may run at another speed")


def condition_of(entry: Entry, audiences: Mapping[str, Audience]) -> Condition | None:
    """What has to come true for that entry; None for one by an event or a date."""
    match entry:
        case When(condition=condition):
            return condition
        case AudienceEntry(audience=name):
            audience = audiences.get(name)
            on_its_list = Is(path=("audiences",), op="has", value=name)
            return on_its_list if audience is None or audience.who is None else audience.who
        case _:
            return None


def watched(campaign: Campaign, audiences: Mapping[str, Audience]) -> dict[str, Condition]:
    """The conditions that the campaign's entries watch for, by their digests."""
    conditions = (condition_of(entry, audiences) for entry in campaign.enters)
    return {digest(one): one for one in conditions if one is not None}


def digest(condition: Condition) -> str:
    """What a watched condition is remembered by: another condition has another one."""
    return hashlib.sha256(condition.model_dump_json().encode()).hexdigest()[:16]


def last_due(entry: DateEntry, lead: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest moment up to now at which the entry's date enters the lead; None if there was none."""
    moment = as_moment(reader(entry.field)(lead), zone)
    if moment is None:
        return None
    if not entry.yearly:
        due = moment + entry.offset
        return due if due <= now else None
    local = moment.astimezone(zone)
    latest = (now - entry.offset).astimezone(zone).year
    days = (_in_year(local, year) for year in (latest, latest - 1) if year >= local.year)
    dues = (day + entry.offset for day in days)
    return max((due for due in dues if due <= now), default=None)


def date_cause(entry: DateEntry, due: datetime, zone: ZoneInfo) -> str:
    """The name of one occurrence of a lead's date, by which it enters once: as a calendar there shows it, wherever it lives."""
    return f"date/{'.'.join(entry.field)}/{(due - entry.offset).astimezone(zone):%Y-%m-%dT%H:%M:%S}"


def _in_year(local: datetime, year: int) -> datetime:
    leap_day = (local.month, local.day) == (2, 29)
    return local.replace(year=year, day=28 if leap_day and not isleap(year) else local.day).astimezone(UTC)
