"""Campaigns as published: their versions, which one new journeys take, and whether they are paused."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, update
from sqlmodel import col, select

from nurture.audiences import Audience
from nurture.enrolment import watched
from nurture.errors import NotFound
from nurture.store import fuses, met_conditions, outbox
from nurture.store.database import Session
from nurture.store.leases import alone
from nurture.store.models import CampaignRow, JourneyRow, OutboxRow, VersionRow
from nurture.store.plain import Statement
from nurture.version import Version

A_CROWD = 50  # journeys a second: more of them at once are spread
PAUSED_AT = Statement(select(col(CampaignRow.paused_at)).where(col(CampaignRow.key) == bindparam("key")))
_parsed: dict[str, Version] = {}  # versions never change, so every part of the process shares one copy


class Published(NamedTuple):
    """A version in the store; `new` is False when it was the current one already."""

    hash: str
    number: int
    new: bool


async def publish(
    session: Session,
    version: Version,
    *,
    by: str,
    commit: str = "",
    now: datetime,
    audiences: Mapping[str, Audience] | None = None,
    pace: float = 1.0,
) -> Published:
    """Make it the version that new journeys take; one published before keeps its number and its record.

    Who meets an entry's condition already is not entered by it: only who comes to meet it from now on.
    """
    await alone(session, "publish")
    row = await session.get(VersionRow, version.hash)
    if row is None:
        row = await _numbered(session, version, by, commit, now)
    campaign = await session.get(CampaignRow, row.campaign)
    if campaign is not None and campaign.version == row.hash:
        return Published(row.hash, row.number, new=False)
    conditions = watched(version.campaign, audiences or {})
    if campaign is not None:
        for known in watched((await current(session, campaign.key)).campaign, audiences or {}):
            conditions.pop(known, None)  # watched all along: what is about to be told of it must not be lost
    await met_conditions.watch(session, row.campaign, conditions, now, pace)
    campaign = campaign or CampaignRow(key=row.campaign, version=row.hash)
    campaign.version = row.hash
    session.add(campaign)
    await session.flush()
    return Published(row.hash, row.number, new=True)


async def _numbered(session: Session, version: Version, by: str, commit: str, now: datetime) -> VersionRow:
    key = version.campaign.key
    latest = (await session.exec(select(func.max(VersionRow.number)).where(VersionRow.campaign == key))).one()
    row = VersionRow(
        hash=version.hash,
        campaign=key,
        number=(latest or 0) + 1,
        body=version.canonical(),
        published_at=now,
        published_by=by,
        commit=commit,
    )
    session.add(row)
    await session.flush()
    return row


async def version(session: Session, version_hash: str) -> Version:
    """The version of that hash."""
    if version_hash not in _parsed:
        _parsed[version_hash] = _read(await _published(session, version_hash))
    return _parsed[version_hash]


def forget() -> None:
    """Read versions from the store again when they are next asked for."""
    _parsed.clear()


async def content(session: Session, version_hash: str) -> str:
    """The version's JSON, letter by letter as it was published: its hash is that of this text."""
    return (await _published(session, version_hash)).body


async def _published(session: Session, version_hash: str) -> VersionRow:
    row = await session.get(VersionRow, version_hash)
    if row is None:
        raise NotFound(f"version {version_hash[:12]} is not in the store: publish its campaign with nurture publish")
    return row


def _read(row: VersionRow) -> Version:
    found = Version.model_validate_json(row.body)
    # It goes by the hash it was published under, even when a newer nurture would write the same content otherwise.
    vars(found)["hash"] = row.hash
    return found


async def current(session: Session, key: str) -> Version:
    """The version that new journeys of the campaign take."""
    return await version(session, (await _campaign(session, key)).version)


async def all_current(session: Session) -> dict[str, Version]:
    """What new journeys take, by campaign."""
    rows = (await session.exec(select(CampaignRow).order_by(CampaignRow.key))).all()
    return {row.key: await version(session, row.version) for row in rows}


async def numbers(session: Session, hashes: Collection[str]) -> dict[str, int]:
    """The numbers of versions, by hash."""
    query = select(VersionRow.hash, VersionRow.number).where(col(VersionRow.hash).in_(hashes))
    return dict((await session.exec(query)).all())


async def paused(session: Session, key: str) -> bool:
    """Whether the campaign is paused."""
    found = await PAUSED_AT.first(session, key=key)
    if found is None:
        raise _unpublished(key)
    return found[0] is not None


async def pause(session: Session, key: str, now: datetime) -> bool:
    """Hold the campaign's journeys where they are; False when it was paused already."""
    campaign = await _campaign(session, key)
    if campaign.paused_at is not None:
        return False
    campaign.paused_at = now
    session.add(campaign)
    return True


async def resume(session: Session, key: str, now: datetime, spread: float | None = None) -> int:
    """Let the journeys that a pause held go on, spread over so many seconds, or a crowd of them a second; how many."""
    campaign = await _campaign(session, key)
    await session.exec(update(CampaignRow).where(col(CampaignRow.key) == campaign.key).values(paused_at=None))
    await fuses.mend(session, key, now)
    query = (
        select(JourneyRow.id, JourneyRow.lead_id)
        .where(JourneyRow.campaign == key, JourneyRow.status == "held")
        .order_by(JourneyRow.id)
    )
    held = (await session.exec(query)).all()
    if spread is None:
        spread = 0 if len(held) <= A_CROWD else len(held) / A_CROWD
    await outbox.put(
        session,
        (
            resumed(journey_id, lead_id, now, now + _slice(at, len(held), journey_id, spread))
            for at, (journey_id, lead_id) in enumerate(held)
        ),
    )
    return len(held)


def resumed(journey_id: str, lead_id: str, now: datetime, due: datetime) -> OutboxRow:
    """The row that lets a held journey go on."""
    body = {"journey": journey_id, "arm": "resume"}
    return OutboxRow(lead_id=lead_id, kind="signal", body=body, due_at=due, created_at=now)


def _slice(at: int, of: int, journey_id: str, spread: float) -> timedelta:
    return timedelta(seconds=spread * (at + outbox.spread(f"resume/{journey_id}")) / of)


async def _campaign(session: Session, key: str) -> CampaignRow:
    row = await session.get(CampaignRow, key)
    if row is None:
        raise _unpublished(key)
    return row


def _unpublished(key: str) -> NotFound:
    return NotFound(f"campaign {key!r} is not published: publish it with nurture publish")
