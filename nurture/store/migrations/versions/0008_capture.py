"""Arrivals, visitors, proofs of consent, counts of forms, costs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "arrivals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("creative", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_arrivals_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
    )
    op.create_index("ix_arrivals_lead_at", "arrivals", ["lead_id", "at"])
    op.create_index("ix_arrivals_at", "arrivals", ["at"])
    op.create_table(
        "visitors",
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_visitors_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_visitors")),
    )
    op.create_index("ix_visitors_last_at", "visitors", ["last_at"])
    op.create_table(
        "consent_proofs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_consent_proofs_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_proofs")),
    )
    op.create_index("ix_consent_proofs_lead", "consent_proofs", ["lead_id", "form"])
    op.create_table(
        "capture_counts",
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("views", "attempts", "captures", "machines")),
        sa.PrimaryKeyConstraint("form", "page", "placement", "hour", name=op.f("pk_capture_counts")),
    )
    op.create_table(
        "costs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("creative", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("day", "channel", "placement", "creative", "offer", name=op.f("pk_costs")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    for name in ("costs", "capture_counts", "consent_proofs", "visitors", "arrivals"):
        op.drop_table(name)
