"""The tables: leads, what happened to them, where their journeys stand, and every message.

Times are UTC. Ids are UUIDs as text (`new_id`), so that they can be made before the row is written.
"""

import secrets
import time
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Named everywhere alike, so that a migration can name what it changes.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
}

Serial = BigInteger().with_variant(Integer, "sqlite")


def new_id() -> str:
    """A new id, 32 hex digits: a UUID of version 7, so that what is new together lies together in every index."""
    at, chance = time.time_ns() // 1_000_000, secrets.randbits(74)
    return f"{at:012x}7{chance >> 62:03x}{0b10 << 62 | chance & (1 << 62) - 1:016x}"


def _json(**options: Any) -> Any:
    return Field(sa_column=Column(JSON, nullable=False), **options)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class LeadRow(SQLModel, table=True):
    """A lead: the profile as one tree (`profile`), and what queries need as columns."""

    __tablename__ = "leads"

    id: str = Field(primary_key=True, default_factory=new_id)
    email: str | None = Field(default=None, index=True)
    language: str | None = None
    time_zone: str | None = None
    stage: str = "need"
    test: bool = False
    profile: dict[str, Any] = _json(default_factory=dict)
    written: dict[str, float] = _json(default_factory=dict)  # when each field was last spoken of, for late data
    scores: dict[str, float] = _json(default_factory=dict)  # as they were when they last changed
    fading: dict[str, list[float]] = _json(default_factory=dict)  # what fades of them, see `nurture.fading`
    last_received: datetime | None = None
    merged_at: datetime | None = None  # when another lead became this one, the last time
    created_at: datetime
    updated_at: datetime


class IdentityRow(SQLModel, table=True):
    """A key by which a lead is known: (`email`, `ann@x.org`), (`external`, `crm-17`), (`cookie`, …)."""

    __tablename__ = "identities"

    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    lead_id: str = Field(foreign_key="leads.id", index=True)


class EventRow(SQLModel, table=True):
    """Something that happened; `received` rises strictly per lead and orders them."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_lead_name_received", "lead_id", "name", "received"),
        Index("ix_events_lead_at", "lead_id", "at", "id"),  # the timeline
        Index("ix_events_name_at", "name", "at"),  # the sweep of what only time makes true
    )

    id: str = Field(primary_key=True)
    lead_id: str = Field(foreign_key="leads.id")
    name: str
    properties: dict[str, Any] = _json(default_factory=dict)
    at: datetime
    received: datetime
    source: str = "api"
    machine: bool = False


class OutboxRow(SQLModel, table=True):
    """Something the dispatcher has to do for a lead, in order of `id`; deleted when done.

    `kind`: `event` (tell who listens for one of its keys; without an event, something else changed), `enrol`, `start`,
    `signal`, `forget` (end an erased lead's journeys and delete their histories), `hand_off` (have a hand-off's clock look
    again), `bulk` (let a bulk run go on, whose id then stands for the lead's).
    Until `claimed_until` no row of this lead is taken: one is being worked on, or is to be tried again then.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "due_at", "id"),
        Index("ix_outbox_claimed", "claimed_until", "lead_id", **_where("claimed_until IS NOT NULL")),
        {"sqlite_autoincrement": True},  # an id is never given twice: it names what its row brought about
    )

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(index=True)
    kind: str
    body: dict[str, Any] = _json(default_factory=dict)
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    claimed_by: str | None = None
    claimed_until: datetime | None = None


class DeadLetterRow(SQLModel, table=True):
    """What could never work, with the reason; `id` is that of its outbox row."""

    __tablename__ = "dead_letters"

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str
    kind: str
    body: dict[str, Any] = _json(default_factory=dict)
    reason: str
    at: datetime


class CampaignRow(SQLModel, table=True):
    """A campaign by key: which version new journeys take, and whether it is paused."""

    __tablename__ = "campaigns"

    key: str = Field(primary_key=True)
    version: str
    paused_at: datetime | None = None


class VersionRow(SQLModel, table=True):
    """A published version, never changed."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("campaign", "number"),)

    hash: str = Field(primary_key=True)
    campaign: str = Field(index=True)
    number: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    published_at: datetime
    published_by: str = ""
    commit: str = ""


class JourneyRow(SQLModel, table=True):
    """One lead in one version: where it stands. `key` is the entry's key, `run` counts entries under it.

    `stopped_because` is a person's word: it may hold anything, and goes nowhere from here.
    """

    __tablename__ = "journeys"
    __table_args__ = (
        UniqueConstraint("campaign", "lead_id", "key", "run"),
        Index("ix_journeys_campaign_status_state", "campaign", "status", "state"),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    campaign: str
    version: str = Field(foreign_key="versions.hash")
    key: str = ""
    run: int = 1
    status: str = "starting"  # starting, active, held, ended, holdout
    state: str
    position: dict[str, Any] = _json()
    until: datetime | None = None
    ending: str | None = None
    stopped_because: str | None = None
    goal_at: datetime | None = None
    pace: float = 1.0
    entered: datetime
    entered_by: str = ""
    entry_event: str | None = None
    updated_at: datetime
    ended_at: datetime | None = None


class RefusalRow(SQLModel, table=True):
    """A lead that a rule kept out of a campaign: by which event (empty when by none) and why; the newest reason holds."""

    __tablename__ = "refusals"

    lead_id: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    event: str = Field(primary_key=True, default="")
    reason: str
    at: datetime


class MetConditionRow(SQLModel, table=True):
    """An entry's condition that a lead met when last looked at: it enters once each time it comes to be met."""

    __tablename__ = "met_conditions"

    lead_id: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    condition: str = Field(primary_key=True)
    since: datetime


class MoveRow(SQLModel, table=True):
    """One move of a journey and how it went: the journey's story, and what a retried activity reads back."""

    __tablename__ = "moves"

    journey_id: str = Field(primary_key=True, foreign_key="journeys.id")
    n: int = Field(primary_key=True)
    state: str
    step: int
    visit: int
    move: str
    words: str
    reply: dict[str, Any] = _json()
    values: dict[str, Any] = _json(default_factory=dict)
    at: datetime


class ListenerRow(SQLModel, table=True):
    """A journey listens: a change of `key` may be for its `arm`. `timed` ones are also swept."""

    __tablename__ = "listeners"
    __table_args__ = (Index("ix_listeners_lead_key", "lead_id", "key"),)

    journey_id: str = Field(primary_key=True, foreign_key="journeys.id")
    arm: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    lead_id: str
    since: datetime
    timed: bool = Field(default=False, index=True)


class BulkRunRow(SQLModel, table=True):
    """An audience taken page by page into a campaign or a mailing: `written` keeps both as they were when it was ordered.

    `cursor` is the last lead taken, in order of ids; by its rate no page comes before `next_page`.
    """

    __tablename__ = "bulk_runs"

    id: str = Field(primary_key=True, default_factory=new_id)
    kind: str  # enrol, mailing
    what: str
    audience: str
    written: dict[str, Any] = _json()
    rate: float
    pace: float = 1.0
    status: str = "waiting"  # waiting, running, paused, cancelled, done
    cursor: str = ""
    exhausted: bool = False
    counts: dict[str, int] = _json(default_factory=dict)
    next_page: datetime | None = None
    ordered_by: str = ""
    ordered_at: datetime
    begun_at: datetime | None = None
    ended_at: datetime | None = None


class MessageRow(SQLModel, table=True):
    """The send ledger: one row a message, unique by (journey, state, step, visit), or by (bulk run, lead) for a mailing.

    One that was put off goes no sooner than at `until`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("journey_id", "occurrence"),
        UniqueConstraint("run_id", "occurrence"),
        Index("ix_messages_run_status", "run_id", "status"),
        Index("ix_messages_lead_accepted", "lead_id", "purpose", "accepted_at"),
        Index("ix_messages_status", "status", "channel"),
        Index("ix_messages_name", text("substr(message_id, 2, 32)")),
        Index("ix_messages_campaign_committed", "campaign", "committed_at", **_where("committed_at IS NOT NULL")),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    journey_id: str | None = Field(default=None, foreign_key="journeys.id")
    run_id: str | None = Field(default=None, foreign_key="bulk_runs.id")
    occurrence: str
    lead_id: str | None = Field(default=None, index=True)
    campaign: str
    template: str
    channel: str
    purpose: str
    topic: str
    status: str
    reason: str = ""
    message_id: str
    language: str | None = None
    claim: str | None = None
    claimed_until: datetime | None = None
    attempts: int = 0
    due_at: datetime
    until: datetime | None = None
    committed_at: datetime | None = None
    accepted_at: datetime | None = None
    updated_at: datetime
    provider_id: str | None = None


class LinkRow(SQLModel, table=True):
    """Where a tracked link of a message leads."""

    __tablename__ = "links"

    id: str = Field(primary_key=True, default_factory=new_id)
    message_id: str = Field(foreign_key="messages.id", index=True)
    url: str


class SuppressionRow(SQLModel, table=True):
    """An address that takes no mail; `scope` is `all` or `marketing`. Only the address's hash is kept."""

    __tablename__ = "suppressions"

    address_hash: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    reason: str
    at: datetime


class ErasureRow(SQLModel, table=True):
    """That a lead was erased, when and by whom: a row for its id and for each address and external id it was known by.

    Only hashes are kept (`nurture.profile.key_hash`).
    """

    __tablename__ = "erasures"

    hash: str = Field(primary_key=True)
    at: datetime
    by: str


class ConsentRow(SQLModel, table=True):
    """What a lead said to a topic (`*` for all), newest last: to which words (`text`), where, of which address, until when.

    See `nurture.store.consents` for which one holds.
    """

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_lead", "lead_id"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(foreign_key="leads.id")
    topic: str
    granted: bool
    source: str
    text: str = ""
    at: datetime
    address_hash: str = ""
    expires_at: datetime | None = None


class ScoreChangeRow(SQLModel, table=True):
    """Points that a rule gave or took; an event gives once by each rule (`cause` is its id).

    They are of the time `dated`; `version` is the score's, empty when a campaign gave them.
    """

    __tablename__ = "score_changes"
    __table_args__ = (
        UniqueConstraint("lead_id", "score", "rule", "cause"),
        Index("ix_score_changes_lead_at", "lead_id", "at", "id"),
    )

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(foreign_key="leads.id")
    score: str
    rule: str
    points: float
    cause: str
    at: datetime
    dated: datetime
    version: str = ""


class CrossingRow(SQLModel, table=True):
    """A threshold that fired for a lead; `rearmed_at` when it may fire again."""

    __tablename__ = "crossings"
    __table_args__ = (UniqueConstraint("lead_id", "score", "threshold", "n"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(foreign_key="leads.id", index=True)
    score: str
    threshold: str
    n: int
    points: float
    fired_at: datetime
    rearmed_at: datetime | None = None


class HandOffRow(SQLModel, table=True):
    """A lead handed to sales, with its dossier; unique by the journey's step and visit.

    It is `assigned_to` somebody of the `team` (empty: its lead) since its deed `assigned_n`. `clock` is the team's, as it was
    written then; it acts next at `due_at`, never again without it. `answered_after` and `worked` are how long the first
    answer took, in seconds of the journey's calendar, and of those the team's working hours.
    """

    __tablename__ = "hand_offs"
    __table_args__ = (
        UniqueConstraint("journey_id", "occurrence"),
        Index("ix_hand_offs_team_status", "team", "status", "assigned_to"),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    journey_id: str = Field(foreign_key="journeys.id")
    occurrence: str
    lead_id: str = Field(foreign_key="leads.id", index=True)
    definition: str
    definition_version: str = ""
    dossier: dict[str, Any] = _json()
    status: str = "open"  # open, accepted, rejected, recycled
    reason: str = ""
    created_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""
    answered_via: str = ""
    answered_after: float | None = None
    worked: float | None = None
    team: str = "sales"
    assigned_to: str = ""
    because: str = ""
    assigned_n: int = 0
    deeds: int = 0
    stage: str = "assigned"  # assigned, reminded, escalated
    told_at: datetime | None = None
    first_told_at: datetime | None = None
    clock: dict[str, Any] = _json()
    due_at: datetime | None = None
    updated_at: datetime


class RequestRow(SQLModel, table=True):
    """What a journey asked of somebody: a survey, a question, a task, a call; unique by the journey's step and visit."""

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("journey_id", "occurrence"),
        Index("ix_requests_due", "kind", "status", "due_at"),
    )

    id: str = Field(primary_key=True, default_factory=new_id)
    journey_id: str = Field(foreign_key="journeys.id")
    occurrence: str
    lead_id: str = Field(foreign_key="leads.id", index=True)
    kind: str
    body: dict[str, Any] = _json(default_factory=dict)
    status: str = "open"
    created_at: datetime
    due_at: datetime | None = None


class ReferralRow(SQLModel, table=True):
    """A lead's own share code; one that was merged has those of both."""

    __tablename__ = "referrals"

    code: str = Field(primary_key=True)
    lead_id: str = Field(foreign_key="leads.id", index=True)
    created_at: datetime


class ApiKeyRow(SQLModel, table=True):
    """An API key: only the hash of its secret is kept."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    secret_hash: str
    name: str
    scopes: list[str] = _json(default_factory=list)
    created_at: datetime
    revoked_at: datetime | None = None


class LeaseRow(SQLModel, table=True):
    """Who may do a sweep until when, so that of several workers one does."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime


class MarkRow(SQLModel, table=True):
    """How far a sweep has come in time, so that it looks at every moment once."""

    __tablename__ = "marks"

    name: str = Field(primary_key=True)
    at: datetime


class BreakerRow(SQLModel, table=True):
    """Whether anything is sent through a provider: not while `opened_at` is set, but for one attempt at `probe_at`."""

    __tablename__ = "breakers"

    provider: str = Field(primary_key=True)
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    reason: str = ""


# More tables, by their noun; named here so that the metadata knows them.
import nurture.store.approval_tables  # noqa: E402
import nurture.store.capture_tables  # noqa: E402
import nurture.store.document_tables  # noqa: E402
import nurture.store.experiment_tables  # noqa: E402
import nurture.store.hand_off_tables  # noqa: E402
import nurture.store.merge_tables  # noqa: E402
import nurture.store.need_tables  # noqa: E402
import nurture.store.order_tables  # noqa: E402
import nurture.store.recommendation_tables  # noqa: E402
import nurture.store.retarget_tables  # noqa: E402
import nurture.store.return_tables  # noqa: E402
import nurture.store.score_tables  # noqa: E402
import nurture.store.sending_tables  # noqa: E402
import nurture.store.stage_tables  # noqa: E402
import nurture.store.tracking_tables  # noqa: E402, F401
