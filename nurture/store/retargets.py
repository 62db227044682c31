"""Retargeting lists in the store: who belongs on them, what is with the networks, and what has to be sent to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from nurture.audiences import Audience
from nurture.profile import address_hash
from nurture.retargeting.files import Person
from nurture.retargeting.networks import KINDS, NETWORKS, KindOfKey
from nurture.retargeting.retarget import OBJECTED, Retarget, Stance, why_not
from nurture.store.among import among
from nurture.store.audiences import members
from nurture.store.bulk import insert_all, table
from nurture.store.consents import answers_of
from nurture.store.database import Session
from nurture.store.facts import happenings
from nurture.store.leases import alone
from nurture.store.models import LeadRow, SuppressionRow
from nurture.store.plain import execute, run
from nurture.store.retarget_tables import RetargetDeliveryRow, RetargetEntryRow

AT_ONCE = 500
MOST_IN_A_DELIVERY = 1000
LEADS, SUPPRESSIONS = table(LeadRow), table(SuppressionRow)
ENTRIES, DELIVERIES = table(RetargetEntryRow), table(RetargetDeliveryRow)
KNOWN = (
    select(LEADS.c.id, LEADS.c.email, LEADS.c.profile, LEADS.c.test)
    .where(among(LEADS.c.id, "given"))
    .order_by(LEADS.c.id)
)
HELD = KNOWN.with_for_update()
SUPPRESSED = select(SUPPRESSIONS.c.address_hash, SUPPRESSIONS.c.reason).where(
    among(SUPPRESSIONS.c.address_hash, "given")
)
OF = (ENTRIES.c.retarget, ENTRIES.c.network, ENTRIES.c.kind, ENTRIES.c.hash)


class Name(NamedTuple):
    """What an entry is unique by within its list."""

    network: str
    kind: KindOfKey
    hash: str


class Page(NamedTuple):
    """The next leads of an audience that belong on a list, why others do not, and the last id that was looked at."""

    people: list[Person]
    left_out: Counter[str]
    cursor: str
    exhausted: bool


class Step(NamedTuple):
    """How far a list was put right: the last id that was looked at, and whether there is nobody after it."""

    cursor: str
    exhausted: bool


class Standing(NamedTuple):
    """How many entries of a list are with a network, on their way there, and on their way out; and what is in the way."""

    retarget: str
    network: str
    there: int
    adding: int
    removing: int
    trouble: str


async def page(
    session: Session, retarget: Retarget, audience: Audience, after: str, now: datetime, *, hold: bool = False
) -> Page:
    """The next leads that belong on the list; when held, their rows are until the end of the transaction."""
    found = await members(session, audience, after, AT_ONCE, now)
    people: list[Person] = []
    left_out: Counter[str] = Counter()
    leads = (await execute(session, HELD if hold else KNOWN, {"given": found.lead_ids})).all()
    addresses = {address_hash(lead.email): lead.email for lead in leads if lead.email}
    reasons = dict((await execute(session, SUPPRESSED, {"given": list(addresses)})).all())
    suppressed = {addresses[hashed]: reason for hashed, reason in reasons.items()}
    said = await run(session, answers_of, [lead.id for lead in leads], now)
    objected = await run(session, happenings, [lead.id for lead in leads], [OBJECTED])
    for lead in leads:
        theirs = {topic: (answer.granted, answer.at) for topic, answer in said.get(lead.id, {}).items()}
        objections = [one.at for one in objected.get(lead.id, ())]
        customer = bool(lead.profile.get("customer"))
        stance = Stance(lead.test, customer, suppressed.get(lead.email), theirs, max(objections, default=None))
        reason = why_not(retarget, stance)
        if reason is None:
            people.append(Person(lead.id, lead.email, lead.profile.get("phone")))
        else:
            left_out[reason] += 1
    return Page(people, left_out, found.cursor, found.exhausted)


async def put_right(session: Session, retarget: Retarget, audience: Audience, after: str, now: datetime) -> Step:
    """Compare the next leads of the list with what the networks have, and note what is to be added and removed."""
    found = await page(session, retarget, audience, after, now, hold=True)
    await alone(session, ENTRIES.name)  # after the leads' rows, as an erasure does
    wanted = dict(_names(retarget, found.people))
    looked_at = ENTRIES.c.lead_id > after
    if not found.exhausted:
        looked_at = and_(looked_at, ENTRIES.c.lead_id <= found.cursor)
    query = select(ENTRIES).where(ENTRIES.c.retarget == retarget.key, looked_at)
    there = {_name(row): row.state for row in (await execute(session, query)).all()}
    await _leave(session, retarget, [name for name, state in there.items() if _leaves(name, state, wanted)])
    joining = {name: lead_id for name, lead_id in wanted.items() if there.get(name) in (None, "removing")}
    await _join(session, retarget, joining)
    return Step(found.cursor, found.exhausted)


def _leaves(name: Name, state: str, wanted: Mapping[Name, str]) -> bool:
    return state != "removing" and name not in wanted


def _names(retarget: Retarget, people: Iterable[Person]) -> Iterable[tuple[Name, str]]:
    for one in people:
        for network in retarget.networks:
            for kind in KINDS:
                if hashed := NETWORKS[network].hashed(kind, one.key(kind)):
                    yield Name(network, kind, hashed), one.lead_id


def _name(row: Any) -> Name:
    return Name(row.network, row.kind, row.hash)


def _which(retarget: str, names: Iterable[Name]) -> Iterable[tuple[ColumnElement[bool], dict[str, list[str]]]]:
    """The entries of those names, a condition and its values for each network and kind."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        found.setdefault((name.network, name.kind), []).append(name.hash)
    for (network, kind), hashes in found.items():
        ours = and_(ENTRIES.c.retarget == retarget, ENTRIES.c.network == network, ENTRIES.c.kind == kind)
        yield and_(ours, among(ENTRIES.c.hash, "given")), {"given": hashes}


async def _leave(session: Session, retarget: Retarget, names: Sequence[Name]) -> None:
    """Take off the list: at once what no network has heard of, otherwise by a removal; what is on its way there waits."""
    for which, given in _which(retarget.key, names):
        here = and_(which, ENTRIES.c.delivery.is_(None))
        await execute(session, delete(ENTRIES).where(here, ENTRIES.c.state == "adding"), given)
        gone = update(ENTRIES).where(here, ENTRIES.c.state == "in").values(state="removing")
        await execute(session, gone, given)


async def _join(session: Session, retarget: Retarget, wanted: Mapping[Name, str]) -> None:
    """Put onto the list what is not on it; what was about to be removed stays, and is its lead's from now on."""
    known: set[Name] = set()
    for which, given in _which(retarget.key, wanted):
        for row in (await execute(session, select(ENTRIES).where(which), given)).all():
            known.add(_name(row))
            if row.state == "removing" and row.delivery is None:
                this = and_(*(column == value for column, value in zip(OF, (retarget.key, *_name(row)), strict=True)))
                await execute(session, update(ENTRIES).where(this).values(state="in", lead_id=wanted[_name(row)]))
    new = [
        {"retarget": retarget.key, **name._asdict(), "lead_id": lead_id, "state": "adding", "delivery": None}
        for name, lead_id in wanted.items()
        if name not in known
    ]
    await insert_all(session, RetargetEntryRow, new)


async def let_go(session: Session, lead_id: str) -> int:
    """Have everything of a lead that is erased leave the lists: what a network may have heard of by a removal, in which
    the hash is named once more; the rest is deleted at once. How many rows that were.
    """
    await alone(session, ENTRIES.name)
    theirs, adding = ENTRIES.c.lead_id == lead_id, ENTRIES.c.state == "adding"
    deleted = await execute(session, delete(ENTRIES).where(theirs, adding, ENTRIES.c.delivery.is_(None)))
    # What is in a delivery with an addition leaves that one: it may have been taken, or be tried again.
    await execute(session, update(ENTRIES).where(theirs, adding).values(state="removing", delivery=None, lead_id=None))
    await execute(session, update(ENTRIES).where(theirs).values(state="removing", lead_id=None))
    return deleted.rowcount


async def begin_deliveries(session: Session, retarget: Retarget, now: datetime) -> None:
    """Make a delivery of what has changed for each network that has none under way, removals first."""
    await alone(session, ENTRIES.name)
    under_way = select(DELIVERIES.c.network).where(DELIVERIES.c.retarget == retarget.key)
    busy = set((await execute(session, under_way)).scalars())
    for network in NETWORKS.keys() - busy:
        names: list[Name] = []
        for state in ("removing", "adding"):
            waiting = (ENTRIES.c.network == network, ENTRIES.c.state == state, ENTRIES.c.delivery.is_(None))
            query = select(ENTRIES).where(ENTRIES.c.retarget == retarget.key, *waiting)
            rows = (await execute(session, query.limit(MOST_IN_A_DELIVERY - len(names)))).all()
            names += [_name(row) for row in rows]
        if not names:
            continue
        delivery = RetargetDeliveryRow(retarget=retarget.key, network=network, made_at=now, due_at=now)
        await insert_all(session, RetargetDeliveryRow, [delivery.model_dump()])
        for which, given in _which(retarget.key, names):
            await execute(session, update(ENTRIES).where(which).values(delivery=delivery.id), given)


async def due_deliveries(session: Session, retarget: Retarget, now: datetime) -> list[RetargetDeliveryRow]:
    """The deliveries that are to be tried now, the oldest first."""
    due = select(DELIVERIES).where(DELIVERIES.c.retarget == retarget.key, DELIVERIES.c.due_at <= now)
    rows = (await execute(session, due.order_by(DELIVERIES.c.made_at))).mappings()
    return [RetargetDeliveryRow(**row) for row in rows]


async def changes(session: Session, delivery: RetargetDeliveryRow) -> dict[str, list[dict[str, str]]]:
    """What the delivery adds and removes."""
    query = select(ENTRIES.c.state, ENTRIES.c.kind, ENTRIES.c.hash).where(ENTRIES.c.delivery == delivery.id)
    rows = (await execute(session, query.order_by(ENTRIES.c.kind, ENTRIES.c.hash))).all()
    return {
        name: [{kind: hashed} for found, kind, hashed in rows if found == state]
        for name, state in (("add", "adding"), ("remove", "removing"))
    }


async def delivered(session: Session, delivery: RetargetDeliveryRow) -> None:
    """Note that the delivery was taken: what was added is in, what was removed is forgotten."""
    await alone(session, ENTRIES.name)
    theirs = ENTRIES.c.delivery == delivery.id
    await execute(session, delete(ENTRIES).where(theirs, ENTRIES.c.state == "removing"))
    await execute(session, update(ENTRIES).where(theirs).values(state="in", delivery=None))
    await execute(session, delete(DELIVERIES).where(DELIVERIES.c.id == delivery.id))


async def put_off(session: Session, delivery: RetargetDeliveryRow, trouble: str, until: datetime) -> None:
    """Try the delivery again then."""
    changed = {"attempts": delivery.attempts + 1, "trouble": trouble, "due_at": until}
    await execute(session, update(DELIVERIES).where(DELIVERIES.c.id == delivery.id).values(changed))


async def standings(session: Session) -> list[Standing]:
    """How every list stands with every network that heard of it, or is about to."""
    counts = select(ENTRIES.c.retarget, ENTRIES.c.network, ENTRIES.c.state, func.count()).group_by(
        *OF[:2], ENTRIES.c.state
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for retarget, network, state, number in (await execute(session, counts)).all():
        found.setdefault((retarget, network), {})[state] = number
    troubles = select(DELIVERIES.c.retarget, DELIVERIES.c.network, DELIVERIES.c.trouble)
    trouble = {(one.retarget, one.network): one.trouble for one in (await execute(session, troubles)).all()}
    return [
        Standing(
            *which, states.get("in", 0), states.get("adding", 0), states.get("removing", 0), trouble.get(which, "")
        )
        for which, states in sorted(found.items())
    ]
