"""Experiments and retargeting."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "experiment_decisions",
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("design", sa.String(), nullable=False),
        sa.Column("winner", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", "design", name=op.f("pk_experiment_decisions")),
    )
    op.create_table(
        "experiment_entries",
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("design", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_experiment_entries_lead_id")),
        sa.PrimaryKeyConstraint("experiment", "design", "lead_id", name=op.f("pk_experiment_entries")),
    )
    with op.batch_alter_table("experiment_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_entries_lead_id"), ["lead_id"], unique=False)


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("experiment_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experiment_entries_lead_id"))
    op.drop_table("experiment_entries")
    op.drop_table("experiment_decisions")
