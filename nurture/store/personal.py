"""Where the store keeps what it knows of a lead: every table, by how its rows are found, or why none of them is personal.

Erasure and export both go by this list. A table that is in neither part of it fails a test.
"""

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import ColumnElement, or_
from sqlmodel import SQLModel, col, select

from nurture.store.approval_tables import ApprovalRow
from nurture.store.capture_tables import ArrivalRow, CaptureCountRow, ConsentProofRow, CostRow, VisitorRow
from nurture.store.document_tables import DocumentCountRow, DocumentRow
from nurture.store.experiment_tables import ExperimentDecisionRow, ExperimentEntryRow
from nurture.store.hand_off_tables import HandOffDeedRow, TurnRow
from nurture.store.merge_tables import MergeRow
from nurture.store.models import (
    ApiKeyRow,
    BreakerRow,
    BulkRunRow,
    CampaignRow,
    ConsentRow,
    CrossingRow,
    DeadLetterRow,
    ErasureRow,
    EventRow,
    HandOffRow,
    IdentityRow,
    JourneyRow,
    LeadRow,
    LeaseRow,
    LinkRow,
    ListenerRow,
    MarkRow,
    MessageRow,
    MetConditionRow,
    MoveRow,
    OutboxRow,
    ReferralRow,
    RefusalRow,
    RequestRow,
    ScoreChangeRow,
    SuppressionRow,
    VersionRow,
)
from nurture.store.need_tables import NeedRow
from nurture.store.order_tables import OrderLineRow, OrderRow, ThankRow
from nurture.store.recommendation_tables import RecommendationRow, RewardRow
from nurture.store.retarget_tables import RetargetDeliveryRow, RetargetEntryRow
from nurture.store.return_tables import FuseRow, MailboxRow, ReturnRow
from nurture.store.score_tables import DeclarationRow, FadingRow, ProfileChangeRow, RebuildRow, ShadowRow, SignOffRow
from nurture.store.sending_tables import ReceiverRow, WarmUpRow
from nurture.store.stage_tables import StageChangeRow
from nurture.store.tracking_tables import ClickRow

About: TypeAlias = Callable[[str], ColumnElement[bool]]
"""By a lead's id, the condition that its rows in a table meet."""


def _journeys(lead_id: str) -> ColumnElement[bool]:
    return col(JourneyRow.lead_id) == lead_id


def _messages(lead_id: str) -> ColumnElement[bool]:
    """Those to the lead, and those to a team about its journeys."""
    theirs = select(JourneyRow.id).where(_journeys(lead_id))
    return or_(col(MessageRow.lead_id) == lead_id, col(MessageRow.journey_id).in_(theirs))


def _links(lead_id: str) -> ColumnElement[bool]:
    return col(LinkRow.message_id).in_(select(MessageRow.id).where(_messages(lead_id)))


def _moves(lead_id: str) -> ColumnElement[bool]:
    return col(MoveRow.journey_id).in_(select(JourneyRow.id).where(_journeys(lead_id)))


def _deeds(lead_id: str) -> ColumnElement[bool]:
    return col(HandOffDeedRow.hand_off_id).in_(select(HandOffRow.id).where(col(HandOffRow.lead_id) == lead_id))


def _lines(lead_id: str) -> ColumnElement[bool]:
    return col(OrderLineRow.order_id).in_(select(OrderRow.id).where(col(OrderRow.lead_id) == lead_id))


def _recommendations(lead_id: str) -> ColumnElement[bool]:
    """Those by the lead, and that of the lead."""
    return or_(col(RecommendationRow.friend_id) == lead_id, col(RecommendationRow.referrer_id) == lead_id)


def _rewards(lead_id: str) -> ColumnElement[bool]:
    return or_(col(RewardRow.friend_id) == lead_id, col(RewardRow.referrer_id) == lead_id)


# In an order in which they can be deleted: what refers to others comes first; and before all the outbox, as a dispatcher
# also holds its rows before it touches a journey.
PERSONAL: dict[type[SQLModel], About] = {
    OutboxRow: lambda lead_id: col(OutboxRow.lead_id) == lead_id,
    ThankRow: lambda lead_id: col(ThankRow.lead_id) == lead_id,
    RetargetEntryRow: lambda lead_id: col(RetargetEntryRow.lead_id) == lead_id,
    ExperimentEntryRow: lambda lead_id: col(ExperimentEntryRow.lead_id) == lead_id,
    OrderLineRow: _lines,
    OrderRow: lambda lead_id: col(OrderRow.lead_id) == lead_id,
    DocumentRow: lambda lead_id: col(DocumentRow.lead_id) == lead_id,
    RewardRow: _rewards,
    RecommendationRow: _recommendations,
    NeedRow: lambda lead_id: col(NeedRow.lead_id) == lead_id,
    StageChangeRow: lambda lead_id: col(StageChangeRow.lead_id) == lead_id,
    ClickRow: lambda lead_id: col(ClickRow.lead_id) == lead_id,
    LinkRow: _links,
    ReturnRow: lambda lead_id: col(ReturnRow.lead_id) == lead_id,
    MessageRow: _messages,
    MoveRow: _moves,
    ListenerRow: lambda lead_id: col(ListenerRow.lead_id) == lead_id,
    HandOffDeedRow: _deeds,
    HandOffRow: lambda lead_id: col(HandOffRow.lead_id) == lead_id,
    RequestRow: lambda lead_id: col(RequestRow.lead_id) == lead_id,
    JourneyRow: _journeys,
    RefusalRow: lambda lead_id: col(RefusalRow.lead_id) == lead_id,
    MetConditionRow: lambda lead_id: col(MetConditionRow.lead_id) == lead_id,
    ConsentRow: lambda lead_id: col(ConsentRow.lead_id) == lead_id,
    ConsentProofRow: lambda lead_id: col(ConsentProofRow.lead_id) == lead_id,
    ArrivalRow: lambda lead_id: col(ArrivalRow.lead_id) == lead_id,
    VisitorRow: lambda lead_id: col(VisitorRow.lead_id) == lead_id,
    ScoreChangeRow: lambda lead_id: col(ScoreChangeRow.lead_id) == lead_id,
    CrossingRow: lambda lead_id: col(CrossingRow.lead_id) == lead_id,
    FadingRow: lambda lead_id: col(FadingRow.lead_id) == lead_id,
    ShadowRow: lambda lead_id: col(ShadowRow.lead_id) == lead_id,
    ProfileChangeRow: lambda lead_id: col(ProfileChangeRow.lead_id) == lead_id,
    ReferralRow: lambda lead_id: col(ReferralRow.lead_id) == lead_id,
    EventRow: lambda lead_id: col(EventRow.lead_id) == lead_id,
    DeadLetterRow: lambda lead_id: col(DeadLetterRow.lead_id) == lead_id,
    IdentityRow: lambda lead_id: col(IdentityRow.lead_id) == lead_id,
    MergeRow: lambda lead_id: col(MergeRow.lead_id) == lead_id,
    LeadRow: lambda lead_id: col(LeadRow.id) == lead_id,
}

KEPT: dict[type[SQLModel], str] = {
    SuppressionRow: "hashes of addresses: an address that takes no mail must stay known when its lead is not",
    ErasureRow: "hashes of what erased leads were known by: the proof of the erasure, and what keeps them out",
    CampaignRow: "what the team wrote",
    VersionRow: "what the team wrote",
    DeclarationRow: "what the team wrote",
    RebuildRow: "how far a rebuild of scores has come",
    SignOffRow: "what the team agreed to",
    ApprovalRow: "what the team agreed to",
    BreakerRow: "how providers do",
    ReceiverRow: "how fast receivers take mail, by their names and domains",
    WarmUpRow: "how many messages senders sent on a day",
    FuseRow: "how campaigns do",
    MailboxRow: "how far mailboxes were read",
    CaptureCountRow: "how often forms were seen and filled in, by nobody in particular",
    CostRow: "what the team spent",
    BulkRunRow: "what the team ordered",
    ExperimentDecisionRow: "which arm of an experiment won, by how many of nobody in particular",
    ApiKeyRow: "keys of systems",
    RetargetDeliveryRow: "what is on its way to advertising networks, without anybody in it",
    DocumentCountRow: "how far numbers have been counted, so that none is given out twice",
    TurnRow: "whose turn it is among salespeople",
    LeaseRow: "which worker does what",
    MarkRow: "how far sweeps have come",
}
