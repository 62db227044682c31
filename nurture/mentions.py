"""Mentions: what conditions and steps name, held against what there is; every fault as a text, without its place."""

from collections.abc import Collection, Iterator
from datetime import timedelta

from nurture.catalogue import Catalogue
from nurture.conditions import Condition, Happened, Is, leaves
from nurture.faults import did_you_mean
from nurture.fields import DERIVED, LISTS, why_never
from nurture.grades import NAMES
from nurture.lead import field_at, field_names
from nurture.stages import STAGES
from nurture.triggers import On, When
from nurture.values import Operator, Plain, in_text


def of_trigger(one: On | When, catalogue: Catalogue) -> Iterator[str]:
    """What is wrong with what it hears or watches."""
    return of_condition(one.event if isinstance(one, On) else one.condition, catalogue)


def of_condition(condition: Condition, catalogue: Catalogue) -> Iterator[str]:
    """What is wrong with each part of it."""
    for one in leaves(condition):
        match one:
            case Is(path=("score", name)):
                yield from of_name("score", name, catalogue.scores)
            case Is(path=("grade", name), value=value):
                yield from of_name("grade", name, catalogue.grades)
                unknown = set(value if isinstance(value, tuple) else (value,)).difference(NAMES)
                yield from (f'there is no "{in_text(other)}" in a grade: they go from A1 to D4' for other in unknown)
            case Is(path=path, op=op, value=value):
                yield from of_field(path)
                yield from _of_comparison(path, op, value)
            case Happened(period=period) if period is not None and period <= timedelta(0):
                yield f"{one.words()}: the period must be longer than zero"


def of_name(kind: str, name: str, known: Collection[str]) -> Iterator[str]:
    """That nothing of the kind goes by that name."""
    if name not in known:
        yield f'there is no {kind} "{name}": {did_you_mean(name, known)}'


def of_stage(name: str) -> Iterator[str]:
    """That there is no such stage."""
    return of_name("stage", name, STAGES)


def of_field(path: tuple[str, ...]) -> Iterator[str]:
    """That a lead has no such field."""
    if field_at(path) is None:
        name = ".".join(path)
        own = f'a field of your own is lead.custom("{path[-1]}")'
        yield f"lead.{name} is no field: {did_you_mean(name, field_names())} ({own})"


def of_value(path: tuple[str, ...], value: Plain) -> Iterator[str]:
    """That the field can never hold the value."""
    if path[0] in DERIVED:
        yield f"lead.{'.'.join(path)} is not set: it follows from what the lead bought or needs"
    elif field_at(path) is not None and (why := why_never(path, value)):
        yield f'lead.{".".join(path)} can never be "{in_text(value)}": {why}'


def _of_comparison(path: tuple[str, ...], op: Operator, value: Plain) -> Iterator[str]:
    """What a field never holds is never equal to it."""
    if op not in ("==", "!=", "in") or path == ("bant", "complete") or path[0] in DERIVED:
        return
    for one in value if isinstance(value, tuple) else [] if value is None else [value]:
        if path == ("stage",):
            yield from of_stage(str(one))
        elif path[0] in LISTS:
            yield f'lead.{path[0]} holds several: write .has("{one}")'
        else:
            yield from of_value(path, one)
