"""Scores that fade, versions of scores and definitions, the history of profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("leads", sa.Column("fading", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("score_changes", sa.Column("dated", sa.DateTime(timezone=True), nullable=True))
    op.add_column("score_changes", sa.Column("version", sa.String(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE score_changes SET dated = at")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.alter_column("fading", server_default=None)
    with op.batch_alter_table("score_changes", schema=None) as batch_op:
        batch_op.alter_column("dated", nullable=False)
        batch_op.alter_column("version", server_default=None)
    op.create_table(
        "fading_scores",
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("score", sa.String(), nullable=False),
        sa.Column("half_life", sa.Float(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("negative", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_fading_scores_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", "score", name=op.f("pk_fading_scores")),
    )
    op.create_index("ix_fading_scores_level", "fading_scores", ["score", "half_life", "level"], unique=False)
    op.create_table(
        "profile_changes",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("became", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_profile_changes_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_changes")),
    )
    op.create_index("ix_profile_changes_lead", "profile_changes", ["lead_id", "received"], unique=False)
    op.create_table(
        "declarations",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_declarations")),
        sa.UniqueConstraint("kind", "key", "number", name=op.f("uq_declarations_kind_key_number")),
    )
    op.create_table(
        "sign_offs",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["declarations.hash"], name=op.f("fk_sign_offs_hash")),
        sa.PrimaryKeyConstraint("hash", "side", name=op.f("pk_sign_offs")),
    )
    op.create_table(
        "rebuilds",
        sa.Column("scores", sa.String(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scores", name=op.f("pk_rebuilds")),
    )
    op.create_table(
        "shadows",
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_shadows_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", "definition", "version", name=op.f("pk_shadows")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    for name in ("shadows", "rebuilds", "sign_offs", "declarations", "profile_changes", "fading_scores"):
        op.drop_table(name)
    with op.batch_alter_table("score_changes", schema=None) as batch_op:
        batch_op.drop_column("version")
        batch_op.drop_column("dated")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_column("fading")
