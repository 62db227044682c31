"""A lead's timeline: all that happened to it in one order, the newest first, page by page.

One query: of each table the newest rows below the page before, put in order together. Of two things at the very same
moment the one that follows from the other comes first: points before the event that gave them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from nurture.errors import BadInput
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.merge_tables import MergeRow
from nurture.store.models import ConsentRow, EventRow, HandOffRow, JourneyRow, MessageRow, ScoreChangeRow
from nurture.store.plain import execute

Kind: TypeAlias = Literal["merge", "event", "consent", "points", "entered", "message", "hand_off", "ended"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # in the order in which they follow from each other
MOST = 200
OWN_ROWS = "message_sent"
"""An event that a message's own entry stands for."""

EVENTS, CONSENTS, CHANGES = table(EventRow), table(ConsentRow), table(ScoreChangeRow)
JOURNEYS, MESSAGES, HAND_OFFS, MERGES = table(JourneyRow), table(MessageRow), table(HandOffRow), table(MergeRow)
LIMIT: BindParameter[int] = bindparam("most", type_=Integer())
NO_TEXT, NO_NUMBER = cast(null(), String), cast(null(), Float)


class Entry(NamedTuple):
    """Something that happened to a lead; what `about` tells depends on the kind."""

    at: datetime
    kind: Kind
    id: str
    about: dict[str, Any]


class Page(NamedTuple):
    """Entries, the newest first, and what to ask for to get those before; None when these are the first that there were."""

    entries: tuple[Entry, ...]
    before: str | None


class _Place(NamedTuple):
    """Where an entry stands: its moment, its kind's number, and its row's number or id."""

    at: datetime
    rank: int
    n: int
    id: str


class _Strand(NamedTuple):
    """One kind of entry in one table: when, by what it is known, and the columns that tell of it."""

    kind: Kind
    at: ColumnElement[Any]
    lead: ColumnElement[Any]
    columns: tuple[Any, Any, Any, Any]
    id: ColumnElement[Any] | None = None
    n: ColumnElement[Any] | None = None
    properties: ColumnElement[Any] | None = None
    where: ColumnElement[bool] | None = None


def _truth(column: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((column.is_(True), 1.0), else_=0.0)


STRANDS = (
    _Strand("merge", MERGES.c.at, MERGES.c.lead_id, (MERGES.c.by, NO_TEXT, NO_TEXT, NO_NUMBER), id=MERGES.c.gone_id),
    _Strand(
        "event", EVENTS.c.at, EVENTS.c.lead_id, (EVENTS.c.name, EVENTS.c.source, NO_TEXT, _truth(EVENTS.c.machine)),
        id=EVENTS.c.id, properties=EVENTS.c.properties, where=EVENTS.c.name != OWN_ROWS,
    ),
    _Strand(
        "consent", CONSENTS.c.at, CONSENTS.c.lead_id,
        (CONSENTS.c.topic, CONSENTS.c.source, CONSENTS.c.text, _truth(CONSENTS.c.granted)), n=CONSENTS.c.id,
    ),
    _Strand(
        "points", CHANGES.c.at, CHANGES.c.lead_id, (CHANGES.c.score, CHANGES.c.rule, NO_TEXT, CHANGES.c.points),
        n=CHANGES.c.id,
    ),
    _Strand(
        "entered", JOURNEYS.c.entered, JOURNEYS.c.lead_id,
        (JOURNEYS.c.campaign, JOURNEYS.c.entered_by, JOURNEYS.c.key, NO_NUMBER), id=JOURNEYS.c.id,
    ),
    _Strand(
        "message", func.coalesce(MESSAGES.c.accepted_at, MESSAGES.c.due_at), MESSAGES.c.lead_id,
        (MESSAGES.c.template, MESSAGES.c.status, MESSAGES.c.reason, NO_NUMBER), id=MESSAGES.c.id,
    ),
    _Strand(
        "hand_off", HAND_OFFS.c.created_at, HAND_OFFS.c.lead_id,
        (HAND_OFFS.c.definition, HAND_OFFS.c.status, HAND_OFFS.c.reason, NO_NUMBER), id=HAND_OFFS.c.id,
    ),
    _Strand(
        "ended", JOURNEYS.c.ended_at, JOURNEYS.c.lead_id,
        (JOURNEYS.c.campaign, JOURNEYS.c.ending, JOURNEYS.c.key, NO_NUMBER), id=JOURNEYS.c.id,
        where=JOURNEYS.c.ended_at.is_not(None),
    ),
)  # fmt: skip

ABOUT: dict[Kind, tuple[str, ...]] = {
    "merge": ("by",),
    "event": ("name", "source"),
    "consent": ("topic", "source", "text"),
    "points": ("score", "rule"),
    "entered": ("campaign", "by", "key"),
    "message": ("template", "status", "reason"),
    "hand_off": ("definition", "status", "reason"),
    "ended": ("campaign", "ending", "key"),
}
"""What the columns of each kind tell."""


async def timeline(session: Session, lead_id: str, before: str | None = None, limit: int = 50) -> Page:
    """The lead's newest entries, or those before the page that said so."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit: give a number from 1 to {MOST}", field="limit")
    query, given = page_query(lead_id, before, limit + 1)
    rows = (await execute(session, query, given)).all()
    entries = tuple(_entry(row) for row in rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(entries, None if last is None else _written(_Place(last.at, last.rank, last.n, last.id)))


def page_query(lead_id: str, before: str | None, limit: int) -> tuple[Select[Any], dict[str, Any]]:
    """The query for a page, and what it is given."""
    place = None if before is None else _read(before)
    given = {"lead": lead_id, "most": limit, **({} if place is None else place._asdict())}
    return _query(None if place is None else place.rank), given


@lru_cache(maxsize=len(KINDS) + 1)
def _query(rank: int | None) -> Select[Any]:
    """The query for the first page, or for one below an entry of that rank; putting it together takes longer than running it."""
    strands = (_newest(strand, rank).subquery() for strand in STRANDS)
    both = union_all(*(select(strand) for strand in strands)).subquery()
    order = (both.c.at.desc(), both.c.rank.desc(), both.c.n.desc(), both.c.id.desc())
    return select(both).order_by(*order).limit(LIMIT)


def _newest(strand: _Strand, below: int | None) -> Select[Any]:
    rank = KINDS.index(strand.kind)
    own = strand.n if strand.n is not None else strand.id
    assert own is not None  # every strand is known by one of them
    query = select(
        strand.at.label("at"),
        literal(rank).label("rank"),
        (literal(0) if strand.n is None else strand.n).label("n"),
        (literal("") if strand.id is None else strand.id).label("id"),
        *(column.label(name) for name, column in zip(("a", "b", "c", "number"), strand.columns, strict=True)),
        (cast(null(), JSON) if strand.properties is None else strand.properties).label("properties"),
    ).where(strand.lead == bindparam("lead"))
    if strand.where is not None:
        query = query.where(strand.where)
    if below is not None:
        query = query.where(_below(strand, own, rank, below))
    return query.order_by(strand.at.desc(), own.desc()).limit(LIMIT)


def _below(strand: _Strand, own: ColumnElement[Any], rank: int, below: int) -> ColumnElement[bool]:
    at = bindparam("at", type_=EVENTS.c.at.type)
    if rank > below:
        return strand.at < at
    if rank < below:
        return strand.at <= at
    value: BindParameter[Any] = (
        bindparam("id", type_=String()) if strand.n is None else bindparam("n", type_=BigInteger())
    )
    return and_(strand.at <= at, or_(strand.at < at, own < value))


def _entry(row: Any) -> Entry:
    kind = KINDS[row.rank]
    about = dict(zip(ABOUT[kind], (row.a, row.b, row.c), strict=False))
    match kind:
        case "event":
            about |= {"machine": bool(row.number), "properties": row.properties}
        case "consent":
            about |= {"granted": bool(row.number)}
        case "points":
            about |= {"points": row.number}
        case _:
            pass
    return Entry(row.at, kind, row.id or str(row.n), about)


def _written(place: _Place) -> str:
    return urlsafe_b64encode("/".join([place.at.isoformat(), *map(str, place[1:])]).encode()).decode().rstrip("=")


def _read(text: str) -> _Place:
    try:
        at, rank, n, own = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split("/", 3)
        return _Place(datetime.fromisoformat(at).astimezone(UTC), int(rank), int(n), own)
    except ValueError as error:
        raise BadInput("before: give what the page before said, unaltered", field="before") from error
