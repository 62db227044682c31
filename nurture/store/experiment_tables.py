"""The tables of experiments: which lead entered which arm when, and how each was decided.

An experiment goes by the key of its split and by its `design`: arms, weights and rule.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class ExperimentEntryRow(SQLModel, table=True):
    """A lead that was drawn into an arm; what it does counts up to `until`. It stays in that arm for ever."""

    __tablename__ = "experiment_entries"

    experiment: str = Field(primary_key=True)
    design: str = Field(primary_key=True)
    lead_id: str = Field(primary_key=True, foreign_key="leads.id", index=True)
    arm: str
    at: datetime
    until: datetime


class ExperimentDecisionRow(SQLModel, table=True):
    """The winner of an experiment, once: by the declared rule (`by` is empty then) or by a person, and on which numbers."""

    __tablename__ = "experiment_decisions"

    experiment: str = Field(primary_key=True)
    design: str = Field(primary_key=True)
    winner: str
    at: datetime
    by: str = ""
    reason: str = ""
    counts: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False), default_factory=list)
