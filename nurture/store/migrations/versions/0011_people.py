"""Merges and timelines."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "merges",
        sa.Column("gone_id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("journeys", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_merges_lead_id")),
        sa.PrimaryKeyConstraint("gone_id", name=op.f("pk_merges")),
    )
    with op.batch_alter_table("merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merges_lead_id"), ["lead_id"], unique=False)
    op.create_index("ix_events_lead_at", "events", ["lead_id", "at", "id"], unique=False)
    op.create_index("ix_score_changes_lead_at", "score_changes", ["lead_id", "at", "id"], unique=False)
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_referrals_lead_id"), type_="unique")
        batch_op.create_index(batch_op.f("ix_referrals_lead_id"), ["lead_id"], unique=False)


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referrals_lead_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_referrals_lead_id"), ["lead_id"])
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_column("merged_at")
    op.drop_index("ix_score_changes_lead_at", "score_changes")
    op.drop_index("ix_events_lead_at", "events")
    op.drop_table("merges")
