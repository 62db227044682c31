"""Why a lead's score is what it is: each change, what is left of it, and the events that a cap held back."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from nurture.facts import Happening
from nurture.fading import FINEST
from nurture.scores import Change, Score, Stamp, counting, stamp


class Line(NamedTuple):
    """One change, or an event that was held back; `left` is what it still gives."""

    dated: datetime
    rule: str
    points: float
    left: float
    cause: str
    held: bool = False
    version: str = ""


class Recorded(NamedTuple):
    """A change as it was recorded, and the version of the score by which."""

    change: Change
    version: str


def explained(score: Score, recorded: Iterable[Recorded], happened: Iterable[Happening], now: datetime) -> list[Line]:
    """The lines, by when things happened; what is left of a fact's points is told, since it has come and gone."""
    lines = [_line(score, one, now) for one in recorded]
    events = list(happened)
    for rule in score.rules:
        if rule.at_most is None:
            continue
        heard = {stamp(event) for event in events if rule.hears(event)}
        held: set[Stamp] = heard.difference(counting(rule, events))
        lines += [Line(one.dated, rule.words(), rule.points, 0, one.cause, held=True) for one in held]
    return sorted(lines, key=lambda line: (line.dated, line.cause, line.held))


def _line(score: Score, one: Recorded, now: datetime) -> Line:
    change, dated = one.change, one.change.dated or now
    left = round(score.faded(change.points, dated, now), FINEST if score.half_life else 6)
    return Line(dated, change.rule, change.points, left, change.cause or "", version=one.version)
