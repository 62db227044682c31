"""Rows that a plain statement found, as the session's own objects: what its own way of loading makes of them, sooner."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import configure_mappers, make_transient_to_detached
from sqlalchemy.orm.attributes import manager_of_class, set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlmodel import SQLModel

from nurture.store.database import Session

Model = TypeVar("Model", bound=SQLModel)


def loaded(session: Session, model: type[Model], values: Mapping[str, Any]) -> Model:
    """The row of all those values, known by its `id`; one that the session holds already is brought up to date."""
    known: Model | None = session.sync_session.identity_map.get(identity_key(model, values["id"]))
    if known is not None:
        for name, value in values.items():
            set_committed_value(known, name, value)
        return known
    row = made(model, values)
    make_transient_to_detached(row)
    session.add(row)
    return row


def made(model: type[Model], values: Mapping[str, Any]) -> Model:
    """A row of those values, which no session holds: all columns are given, and the constructor's checks are saved."""
    configure_mappers()
    row: Model = manager_of_class(model).new_instance()
    vars(row).update(values)
    return row
