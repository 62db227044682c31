"""Experiments and retargeting."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
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
    op.create_table(
        "retarget_deliveries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retarget", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retarget_deliveries")),
    )
    with op.batch_alter_table("retarget_deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retarget_deliveries_retarget"), ["retarget"], unique=False)
    op.create_table(
        "retarget_entries",
        sa.Column("retarget", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["retarget_deliveries.id"], name=op.f("fk_retarget_entries_delivery")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_retarget_entries_lead_id")),
        sa.PrimaryKeyConstraint("retarget", "network", "kind", "hash", name=op.f("pk_retarget_entries")),
    )
    with op.batch_alter_table("retarget_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retarget_entries_delivery"), ["delivery"], unique=False)
        batch_op.create_index(batch_op.f("ix_retarget_entries_lead_id"), ["lead_id"], unique=False)
    op.create_index("ix_retarget_entries_retarget_lead", "retarget_entries", ["retarget", "lead_id"], unique=False)
    op.create_index(
        "ix_retarget_entries_waiting", "retarget_entries", ["retarget", "network", "state", "delivery"], unique=False
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_retarget_entries_waiting", "retarget_entries")
    op.drop_index("ix_retarget_entries_retarget_lead", "retarget_entries")
    with op.batch_alter_table("retarget_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retarget_entries_lead_id"))
        batch_op.drop_index(batch_op.f("ix_retarget_entries_delivery"))
    op.drop_table("retarget_entries")
    with op.batch_alter_table("retarget_deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retarget_deliveries_retarget"))
    op.drop_table("retarget_deliveries")
    with op.batch_alter_table("experiment_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experiment_entries_lead_id"))
    op.drop_table("experiment_entries")
    op.drop_table("experiment_decisions")
