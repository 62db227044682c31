"""What a story is made of."""

from dataclasses import dataclass
from datetime import datetime

from nurture.telling import Ear, Seen, Told


@dataclass(frozen=True)
class Consent:
    """What the lead last said to a topic (`*` for all), and where."""

    topic: str
    granted: bool
    at: datetime
    source: str


@dataclass(frozen=True)
class MergedIn:
    """A lead that became this one: when, by whom, by what it was known, and how many journeys it brought."""

    at: datetime
    gone_id: str
    by: str
    known_by: tuple[str, ...]
    journeys: int


@dataclass(frozen=True)
class Points:
    """Points that a rule gave or took."""

    at: datetime
    score: str
    rule: str
    points: float


@dataclass(frozen=True)
class Crossing:
    """A threshold that a score reached."""

    at: datetime
    score: str
    threshold: str
    points: float


@dataclass(frozen=True)
class Standing:
    """Where a journey stands: `waits_for` would end the wait at hand, `hears` is heard at any time.

    `at_work` is what it is trying to do when it rests nowhere, and `because` why that takes so long.
    """

    status: str
    state: str
    since: datetime
    why: str = ""
    until: datetime | None = None
    waits_for: tuple[Ear, ...] = ()
    hears: tuple[Ear, ...] = ()
    at_work: str = ""
    because: str = ""
    ending: str | None = None
    ended: datetime | None = None
    goal: datetime | None = None


@dataclass(frozen=True)
class JourneyStory:
    """One journey: by what it was entered, every move, and where it stands."""

    id: str
    campaign: str
    title: str
    number: int
    hash: str
    key: str
    run: int
    pace: float
    entered: datetime
    by: str
    lines: tuple[Told, ...]
    standing: Standing


@dataclass(frozen=True)
class KeptOut:
    """A rule kept the lead out of a campaign: when, why, and what would have entered it."""

    at: datetime
    campaign: str
    by: str
    reason: str


@dataclass(frozen=True)
class Door:
    """An entry of a campaign, in words, and how it stands for the lead."""

    words: str
    answer: str
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class Outside:
    """A published campaign that the lead has never been in: its doors."""

    campaign: str
    title: str
    doors: tuple[Door, ...]


@dataclass(frozen=True)
class GivenUp:
    """Something that could never be done for the lead."""

    at: datetime
    kind: str
    reason: str


@dataclass(frozen=True)
class Closed:
    """A channel that takes nothing of that scope at an address of the lead, and why."""

    channel: str
    scope: str
    reason: str


@dataclass(frozen=True)
class Story:
    """A lead's whole story: journeys and mailings oldest first, what kept it out of others, what is still to be told."""

    lead_id: str
    name: str
    email: str | None
    time_zone: str | None
    test: bool
    held_out: bool
    stage: str
    scores: dict[str, float]
    merged: tuple[MergedIn, ...]
    consents: tuple[Consent, ...]
    suppressed: dict[str, str]
    closed: tuple[Closed, ...]
    points: tuple[Points, ...]
    crossings: tuple[Crossing, ...]
    journeys: tuple[JourneyStory, ...]
    mailed: tuple[Told, ...]
    kept_out: tuple[KeptOut, ...]
    outside: tuple[Outside, ...]
    pending: int
    given_up: tuple[GivenUp, ...]
