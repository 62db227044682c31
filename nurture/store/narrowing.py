"""Conditions as SQL: which leads are worth a look.

True of every lead of which the condition is true, and perhaps of others: what SQL cannot tell for sure, or the two
databases tell differently, is let through. The condition itself then decides.
"""

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, true
from sqlmodel import col

from nurture.conditions import COUNTS, All, Condition, Either, Happened, Is
from nurture.store.models import EventRow, LeadRow

PLAIN_TEXT = re.compile(r"[\w .:@/-]+", re.ASCII)  # in JSON it stands as it is
ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def narrowed(condition: Condition, now: datetime, pace: float = 1.0) -> ColumnElement[bool]:
    """The condition as far as SQL can tell."""
    match condition:
        case All(of=of):
            return and_(true(), *(narrowed(one, now, pace) for one in of))
        case Either(of=of):
            return or_(false(), *(narrowed(one, now, pace) for one in of))
        case Happened():
            return _happened(condition, now, pace)
        case Is(path=("stage",), op="==", value=str(stage)):
            return col(LeadRow.stage) == stage
        case Is(path=("score", name), op=op, value=int() | float() as points) if op in ORDERED:
            fades = col(LeadRow.fading)[name].as_string().is_not(None)
            return or_(ORDERED[op](col(LeadRow.scores)[name].as_float(), points), fades)
        case Is(path=("stage" | "score", *_)) | Is(path=("bant", "complete")):
            return true()  # no part of the profile
        case Is(path=("orders", *_)):
            return true()  # who has none has a number of them all the same
        case Is():
            return _of_profile(condition)
        case _:
            return true()


def _of_profile(condition: Is) -> ColumnElement[bool]:
    text: ColumnElement[str] = col(LeadRow.profile)[condition.path].as_string()
    match condition.op, condition.value:
        case "==", str(wanted) if _only_text(wanted):
            return text == wanted
        case "in", tuple(wanted) if all(isinstance(one, str) and _only_text(one) for one in wanted):
            return text.in_(wanted)
        case "has", str(wanted) if PLAIN_TEXT.fullmatch(wanted):
            return text.contains(f'"{wanted}"', autoescape=True)
        case "is set", True:
            return text.is_not(None)
        case _:
            return true()


def _only_text(wanted: str) -> bool:
    """Whether nothing but that very text equals it: a number may be written in many ways."""
    try:
        float(wanted)
    except ValueError:
        return True
    return False


def _happened(condition: Happened, now: datetime, pace: float) -> ColumnElement[bool]:
    compare, times = COUNTS[condition.op], condition.times
    such = [
        col(EventRow.lead_id) == col(LeadRow.id),
        col(EventRow.name) == condition.event,
        col(EventRow.machine).is_(False),
    ]
    if condition.period is not None:
        such.append(col(EventRow.at) > now - condition.period / pace)
    if not compare(0, times):
        return exists().where(*such)
    if (condition.op, times) == ("==", 0) and not condition.filters:
        return ~exists().where(*such)
    return true()
