"""The tables of scores and definitions: what fades, what was known when, versions with their sign-offs, and shadows."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from nurture.store.models import Serial


class FadingRow(SQLModel, table=True):
    """A score of a lead that fades, by its `level` (see `nurture.fading`): what finds whom only time moves."""

    __tablename__ = "fading_scores"
    __table_args__ = (Index("ix_fading_scores_level", "score", "half_life", "level"),)

    lead_id: str = Field(primary_key=True, foreign_key="leads.id")
    score: str = Field(primary_key=True)
    half_life: float
    level: float
    negative: bool = False


class ProfileChangeRow(SQLModel, table=True):
    """What became of parts of a lead's profile at a moment, so that history can be replayed without looking ahead."""

    __tablename__ = "profile_changes"
    __table_args__ = (Index("ix_profile_changes_lead", "lead_id", "received"),)

    id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    lead_id: str = Field(foreign_key="leads.id")
    received: datetime
    became: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class DeclarationRow(SQLModel, table=True):
    """A published version of a score, a definition or a grade, never changed; `current` is the one in force."""

    __tablename__ = "declarations"
    __table_args__ = (UniqueConstraint("kind", "key", "number"),)

    hash: str = Field(primary_key=True)
    kind: str
    key: str
    number: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    current: bool = True
    published_at: datetime
    published_by: str = ""
    commit: str = ""


class SignOffRow(SQLModel, table=True):
    """That marketing or sales agreed to a version of a definition."""

    __tablename__ = "sign_offs"

    hash: str = Field(primary_key=True, foreign_key="declarations.hash")
    side: str = Field(primary_key=True)
    by: str
    at: datetime


class ShadowRow(SQLModel, table=True):
    """A lead that a definition in the shadow would have handed over: once for each of its versions."""

    __tablename__ = "shadows"

    lead_id: str = Field(primary_key=True, foreign_key="leads.id")
    definition: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    facts: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    at: datetime


class RebuildRow(SQLModel, table=True):
    """A rebuild of scores on its way: `cursor` is the last lead counted, `rules` the hash of what it goes by."""

    __tablename__ = "rebuilds"

    scores: str = Field(primary_key=True)
    rules: str
    cursor: str = ""
    begun_at: datetime
