"""The control points of the life cycle, in one query: how many are in each stage, go on from it, stay, and drop off."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, distinct, func, literal, select, union_all
from sqlalchemy.sql.selectable import CTE

from nurture.stages import VIEWS, stages_of
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import LeadRow
from nurture.store.plain import execute
from nurture.store.stage_tables import StageChangeRow

LEADS, CHANGES = table(LeadRow), table(StageChangeRow)


class ControlPoint(NamedTuple):
    """A stage: the leads that are in it now, that came to it and went on from it to a later one since then, the median of
    the days that those who left it had been in it, and the leads in it that have not moved for too long.
    """

    stage: str
    now: int
    came: int
    went_on: int
    median_days: float | None
    stuck: int

    @property
    def conversion(self) -> float | None:
        """The share of those who came that went on."""
        return self.went_on / self.came if self.came else None


async def control_points(
    session: Session, now: datetime, *, view: str = "life-cycle", since: datetime | None = None, stuck: timedelta
) -> list[ControlPoint]:
    """The stages of a view in order; those of the test leads are left out."""
    stays = _stays(_is_sqlite(session), view)
    there = dict.fromkeys(stages_of(view), 0)
    rows = (await execute(session, _counted(stays, since, now - stuck))).all()
    medians = dict((await execute(session, _medians(stays, since))).all())
    counts = {stage: tuple(values) for stage, *values in rows}
    return [ControlPoint(stage, *_point(counts.get(stage), medians.get(stage))) for stage in there]


def _point(counts: tuple[Any, ...] | None, median: float | None) -> tuple[int, int, int, float | None, int]:
    here, came, went_on, stuck = counts or (0, 0, 0, 0)
    return here, came, went_on, None if median is None else round(float(median), 3), stuck


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _days(sqlite: bool, start: Any, end: Any) -> ColumnElement[Any]:
    if sqlite:
        return func.julianday(end) - func.julianday(start)
    return func.extract("epoch", end - start) / literal(86_400.0)


def _stays(sqlite: bool, view: str) -> CTE:
    """Every stay of a lead in a stage of the view: since when, and when and whereto it left, if it did."""
    born = select(LEADS.c.id.label("lead_id"), literal("need").label("stage"), LEADS.c.created_at.label("at"),
                  literal(0).label("n")).where(LEADS.c.test.is_(False))  # fmt: skip
    moved = select(CHANGES.c.lead_id, CHANGES.c.to_stage, CHANGES.c.at, CHANGES.c.id).join(
        LEADS, and_(LEADS.c.id == CHANGES.c.lead_id, LEADS.c.test.is_(False))
    )
    every = union_all(born, moved).cte("every")
    stage = case(VIEWS[view], value=every.c.stage)
    order: dict[str, Any] = {"partition_by": every.c.lead_id, "order_by": every.c.n}
    named = select(
        every.c.lead_id, every.c.at, every.c.n, stage.label("stage"), func.lag(stage).over(**order).label("before")
    ).cte("named")
    # Two stages of ours that are one in this view are one stay.
    turns = select(named).where(named.c.before.is_distinct_from(named.c.stage)).cte("turns")
    order = {"partition_by": turns.c.lead_id, "order_by": turns.c.n}
    left, to = func.lead(turns.c.at).over(**order), func.lead(turns.c.stage).over(**order)
    rank = {one: at for at, one in enumerate(stages_of(view))}
    stays = select(
        turns.c.lead_id, turns.c.stage, turns.c.at, left.label("left_at"), to.label("to_stage"),
        _days(sqlite, turns.c.at, left).label("days"),
    ).cte("stays")  # fmt: skip
    onward = case(rank, value=stays.c.to_stage) > case(rank, value=stays.c.stage)
    return select(stays, onward.label("onward")).cte("known")


def _counted(stays: CTE, since: datetime | None, quiet_since: datetime) -> Any:
    within: ColumnElement[bool] = stays.c.at >= since if since is not None else literal(True)
    here = stays.c.left_at.is_(None)
    return select(
        stays.c.stage,
        func.count(case((here, 1))),
        func.count(distinct(case((within, stays.c.lead_id)))),
        func.count(distinct(case((and_(within, stays.c.onward), stays.c.lead_id)))),
        func.count(case((and_(here, stays.c.at <= quiet_since), 1))),
    ).group_by(stays.c.stage)


def _medians(stays: CTE, since: datetime | None) -> Any:
    """The middle of the days, or the mean of the two in the middle."""
    ended = select(
        stays.c.stage,
        stays.c.days,
        func.row_number().over(partition_by=stays.c.stage, order_by=stays.c.days).label("place"),
        func.count().over(partition_by=stays.c.stage).label("of"),
    ).where(stays.c.left_at.is_not(None))
    if since is not None:
        ended = ended.where(stays.c.at >= since)
    placed = ended.cte("placed")
    middle = and_(placed.c.place * 2 >= placed.c.of, placed.c.place * 2 <= placed.c.of + 2)
    return select(placed.c.stage, func.avg(placed.c.days)).where(middle).group_by(placed.c.stage)
