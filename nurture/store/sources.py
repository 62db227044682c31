"""Sources compared: who came from where, how far they came, and what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Subquery, case, func, or_, select

from nurture.arrivals import DIRECT
from nurture.stages import STAGES
from nurture.store.bulk import table
from nurture.store.capture_tables import ArrivalRow, CostRow
from nurture.store.database import Session
from nurture.store.models import EventRow, IdentityRow, LeadRow
from nurture.store.plain import execute

By: TypeAlias = Literal["channel", "placement", "creative", "offer"]
Touch: TypeAlias = Literal["first", "last"]
COLUMNS: Mapping[By, tuple[str, ...]] = {
    "channel": ("channel",),
    "placement": ("channel", "placement"),
    "creative": ("channel", "placement", "creative"),
    "offer": ("offer",),
}
"""What each comparison tells apart: a placement is one of its channel, an offer may be made anywhere."""

CUSTOMER = "buy"
ARRIVALS, COSTS, EVENTS = table(ArrivalRow), table(CostRow), table(EventRow)
IDENTITIES, LEADS = table(IdentityRow), table(LeadRow)


@dataclass
class Source:
    """One source: `name` by its columns (empty: not known), leads, those known by more than a cookie, how many reached
    each stage, and what it cost.
    """

    name: tuple[str, ...]
    leads: int = 0
    known: int = 0
    reached: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    cost: float = 0.0

    @property
    def customers(self) -> int:
        """Those who bought."""
        return self.reached[CUSTOMER]

    @property
    def per_lead(self) -> float | None:
        """What a known lead cost; None without any."""
        return self.cost / self.known if self.known else None

    @property
    def per_customer(self) -> float | None:
        """What a customer cost; None without any."""
        return self.cost / self.customers if self.customers else None


async def sources(session: Session, by: By, touch: Touch, since: datetime, until: datetime) -> list[Source]:
    """The sources of the leads whose first (or last) touch was in that time, the one of the most leads first.

    Costs are those of its days, in UTC. Test leads are left out, and so are those that nobody but a machine brought.
    """
    found: dict[tuple[str, ...], Source] = {}
    chosen = _chosen(by, touch)
    named = [func.coalesce(chosen.c[name], "") for name in COLUMNS[by]]
    came = func.coalesce(chosen.c.at, LEADS.c.created_at)
    asked = (
        select(*named, func.count(), func.sum(case((_known(), 1), else_=0)), *map(_reached, STAGES))
        .select_from(LEADS.outerjoin(chosen, chosen.c.lead_id == LEADS.c.id))
        .where(came >= since, came < until, LEADS.c.test.is_(False), or_(chosen.c.lead_id.is_not(None), _by_people()))
        .group_by(*named)
    )
    size = len(named)
    for row in (await execute(session, asked)).all():
        name = tuple(row[:size])
        found[name] = Source(name, row[size], row[size + 1], dict(zip(STAGES, row[size + 2 :], strict=True)))
    for name, cost in await _costs(session, by, since, until):
        found.setdefault(name, Source(name)).cost = round(cost, 2)
    return sorted(found.values(), key=lambda one: (-one.leads, one.name))


def _chosen(by: By, touch: Touch) -> Subquery:
    """Of each lead the arrival that counts; an offer is that of the first arrival that named one."""
    latest = (case((ARRIVALS.c.channel == DIRECT, 1), else_=0), ARRIVALS.c.at.desc())
    order: Sequence[ColumnElement[object]] = (ARRIVALS.c.at,) if touch == "first" else latest
    place = func.row_number().over(partition_by=ARRIVALS.c.lead_id, order_by=[*order, ARRIVALS.c.id]).label("place")
    every = select(
        *(ARRIVALS.c[name] for name in ("lead_id", "channel", "placement", "creative", "offer", "at")), place
    )
    ranked = (every.where(ARRIVALS.c.offer != "") if by == "offer" else every).subquery()
    return select(ranked).where(ranked.c.place == 1).subquery()


def _known() -> ColumnElement[bool]:
    return (
        select(IDENTITIES.c.lead_id).where(IDENTITIES.c.lead_id == LEADS.c.id, IDENTITIES.c.kind != "cookie").exists()
    )


def _by_people() -> ColumnElement[bool]:
    """Whether a person did something, or nobody did anything (an import)."""
    theirs = select(EVENTS.c.id).where(EVENTS.c.lead_id == LEADS.c.id)
    return or_(~theirs.exists(), theirs.where(EVENTS.c.machine.is_(False)).exists())


def _reached(stage: str) -> ColumnElement[int]:
    return func.sum(case((LEADS.c.stage.in_(STAGES[STAGES.index(stage) :]), 1), else_=0))


async def _costs(session: Session, by: By, since: datetime, until: datetime) -> list[tuple[tuple[str, ...], float]]:
    named = [COSTS.c[name] for name in COLUMNS[by]]
    spent = select(*named, func.sum(COSTS.c.amount)).where(COSTS.c.day >= since.date(), COSTS.c.day < until.date())
    return [(tuple(row[:-1]), row[-1]) for row in (await execute(session, spent.group_by(*named))).all()]
