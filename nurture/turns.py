"""Turns: the moments at which time alone may turn a condition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from nurture.conditions import Condition, Happened, Is, leaves
from nurture.facts import Happening
from nurture.fading import Fade, edges, moment_of

A_MOMENT = timedelta(microseconds=1)


def turns_of(
    conditions: Iterable[Condition], happened: Mapping[str, Sequence[Happening]], fading: Mapping[str, Sequence[float]]
) -> Iterator[datetime]:
    """Those moments, in no order: an event leaves a condition's view, a score fades past its mark."""
    for leaf in (one for condition in conditions for one in leaves(condition)):
        match leaf:
            case Happened(event=name, period=period) if period is not None:
                yield from (one.at + period for one in happened.get(name, ()))
            case Is(path=("score", name), value=value) if name in fading:
                yield from _fades(Fade(*fading[name]), value if isinstance(value, tuple) else (value,))


def _fades(fade: Fade, values: Iterable[object]) -> Iterator[datetime]:
    for value in values:
        for edge in edges(value) if isinstance(value, int | float) else ():
            at = fade.reaches(edge)
            if at is not None:
                yield moment_of(at) + A_MOMENT
