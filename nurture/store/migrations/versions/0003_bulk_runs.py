"""Bulk runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("written", sa.JSON(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("pace", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("exhausted", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("next_page", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_runs")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("run_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_messages_run_status", ["run_id", "status"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_messages_run_id_occurrence"), ["run_id", "occurrence"])
        batch_op.create_foreign_key(batch_op.f("fk_messages_run_id"), "bulk_runs", ["run_id"], ["id"])


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_messages_run_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_messages_run_id_occurrence"), type_="unique")
        batch_op.drop_index("ix_messages_run_status")
        batch_op.drop_column("until")
        batch_op.drop_column("run_id")

    op.drop_table("bulk_runs")
